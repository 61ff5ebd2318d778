"""What the hub knows of a node's reports, told when the node says hello.

Saying hello and taking reports are two rooms: the one asks the other through
`ReportStandings`, so that neither needs to know how the other keeps what it knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.database import WriteSession


@dataclass(frozen=True)
class ReportStanding:
    """Where the hub is with the reports of one journal of a node.

    `last_number` is the last report that is in the database, 0 for none; `receipts` are
    those after the one that the node has, the oldest first; `more_receipts` says that
    there are more than fit one answer; `receipts_anew` that the node's last is none of this
    hub's, and these are all that wait.
    """

    last_number: int = 0
    receipts: Sequence[pb.Receipt] = ()
    more_receipts: bool = False
    receipts_anew: bool = False


class ReportStandings(Protocol):
    """Finds the standing of a node that says hello, in the transaction of the hello."""

    async def __call__(
        self, session: WriteSession, node_id: str, hello: pb.Hello
    ) -> ReportStanding:
        """Return where the hub is with the journal that the hello names."""
        ...
