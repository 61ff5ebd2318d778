"""Which receipts a node has: by number and mark, since a number alone can be given twice.

A hub that was restored from a backup has forgotten which receipts it gave after that, and gives
their numbers to others. What a node says that it has is therefore held against what this hub
knows of itself.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReceiptMark:
    """A receipt: its number, and the random text that was made with it. 0 is none."""

    number: int = 0
    text: str = ""


def was_given(
    said: ReceiptMark, *, last_number: int, confirmed: ReceiptMark, waiting: ReceiptMark | None
) -> bool:
    """Tell whether the hub gave the receipt that a node says is its last.

    Args:
        said: what the node says.
        last_number: of the receipts of the node.
        confirmed: the last that the node has said it has, as far as the hub remembers.
        waiting: the receipt of the same number, if it still waits to be confirmed.
    """
    if said.number > last_number:
        return False
    if not said.text or said.number < confirmed.number:
        # None; one that was stored before there were marks; or a node whose own store is an
        # older copy. What it lacks in between it has confirmed, and nobody keeps it.
        return True
    if said.number == confirmed.number:
        return said.text == confirmed.text
    return waiting is not None and said.text == waiting.text
