"""The tables of this service."""

from centers.tables.centers import center
from centers.tables.nodes import join_token, node, node_key
from centers.tables.reports import (
    capacity_snapshot,
    delivered_report,
    listening,
    node_journal,
    node_line,
    node_receipt,
    node_vitals,
    period_report,
    presence,
    refused_report,
)
from centers.tables.shared import metadata, service_tables

__all__ = [
    "capacity_snapshot",
    "center",
    "delivered_report",
    "join_token",
    "listening",
    "metadata",
    "node",
    "node_journal",
    "node_key",
    "node_line",
    "node_receipt",
    "node_vitals",
    "period_report",
    "presence",
    "refused_report",
    "service_tables",
]
