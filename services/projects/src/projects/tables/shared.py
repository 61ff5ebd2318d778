"""The metadata of this service, with the tables that every service has."""

from enum import StrEnum

import sqlalchemy as sa

from servicekit.service import ServiceTables

service_tables = ServiceTables()
metadata = service_tables.metadata


def one_of(column: str, values: type[StrEnum]) -> sa.CheckConstraint:
    """A column holds nothing but the values of an enumeration."""
    listed = ", ".join(f"'{value.value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)
