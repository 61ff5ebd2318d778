"""What the store of a node takes and gives."""

from dataclasses import dataclass

from peyvand.node.v1 import protocol_pb2 as pb


@dataclass(frozen=True)
class NewReport:
    """A report to be kept.

    Attributes:
        key: its name, `rpt_…`.
        body: the message with `key`, `taken_at` and what is reported; its number comes
            from the store.
        idempotency_key: unique text of the caller's choice.
        digest: what tells whether the same idempotency key came with the same report.
    """

    key: str
    body: pb.Report
    idempotency_key: str
    digest: bytes


@dataclass(frozen=True)
class Taken:
    """A report that is kept.

    Attributes:
        key: its name.
        number: its number in the journal.
        again: whether it was kept already, by an earlier call with the same key.
        differs: whether that earlier call brought another report. Then nothing was done.
    """

    key: str
    number: int
    again: bool = False
    differs: bool = False


@dataclass(frozen=True)
class Standing:
    """Where the store stands.

    Attributes:
        journal: the id under which reports are numbered.
        newest: the greatest number.
        acked: the greatest that the hub has.
        offered: the greatest that was ever sent. A hub that has more has it from another
            store: this one was set back to an older copy.
        oldest: number of the oldest report of the journal that is still kept;
            `newest + 1` when there is none.
        receipts_after: the hub's number of the last receipt that is kept.
        receipts_mark: the mark that came with it; a hub that was set back knows it not.
    """

    journal: str
    newest: int = 0
    acked: int = 0
    offered: int = 0
    oldest: int = 1
    receipts_after: int = 0
    receipts_mark: str = ""

    @property
    def queued(self) -> int:
        """How many reports wait for the hub."""
        return self.newest - self.acked


@dataclass(frozen=True)
class ReceiptCounts:
    """How many receipts there are.

    Attributes:
        all: all that are kept.
        refused: those that refuse a report.
        unseen: those of them that nobody has said to have seen.
        seen_up_to: position up to which they were seen.
    """

    all: int
    refused: int
    unseen: int
    seen_up_to: int


@dataclass(frozen=True)
class FileReceipt:
    """What the hub said of a report that came in a file.

    Attributes:
        position: of the receipt.
        receipt: what was said.
        file: name of the file.
        lines: the lines of the report in it, from 1.
    """

    position: int
    receipt: pb.Receipt
    file: str
    lines: tuple[int, ...]


@dataclass(frozen=True)
class KeptReport:
    """A report with what is known of it."""

    report: pb.Report
    feed: str
    delivered: bool
    receipts: tuple[pb.Receipt, ...]
