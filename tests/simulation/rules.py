"""What the hub decides, taken from its own code; a planted fault puts another in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from centers.domain.nodes import Node
from centers.line.intake import _next_in_order
from peyvand.node.v1 import protocol_pb2 as pb

if TYPE_CHECKING:
    import random


class Rules:
    """The decisions of a hub that is right."""

    def fresh(self, batch: pb.ReportBatch, last_number: int) -> Sequence[pb.Report]:
        """Which reports of a batch are taken, by the last number that is in the database."""
        return _next_in_order(batch, last_number)

    def require_served(self, node: Node) -> None:
        """Raise `Refused` unless the hub listens to a node."""
        node.require_served()

    def loses(self, dice: random.Random) -> bool:
        """Whether the number of a report is committed and the report is not."""
        del dice
        return False
