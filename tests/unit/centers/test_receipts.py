"""Whether a receipt that a node names was given by this hub, or by what it was before."""

import pytest

from centers.domain.receipts import ReceiptMark, was_given

WAITING = ReceiptMark(7, "seven")


@pytest.mark.parametrize(
    ("said", "given"),
    [
        (ReceiptMark(), True),
        (ReceiptMark(7, "seven"), True),
        (ReceiptMark(7, "of the hub that was"), False),
        (ReceiptMark(5, "five"), True),
        (ReceiptMark(5, "of the hub that was"), False),
        (ReceiptMark(4, "its store is an older copy"), True),
        (ReceiptMark(10, "ten"), False),
        (ReceiptMark(9), True),
        (ReceiptMark(10), False),
    ],
)
def test_a_receipt_is_known_by_number_and_mark(said: ReceiptMark, given: bool) -> None:
    waiting = WAITING if said.number == WAITING.number else None
    confirmed = ReceiptMark(5, "five")
    assert was_given(said, last_number=9, confirmed=confirmed, waiting=waiting) is given


def test_a_receipt_that_waits_no_more_and_was_never_confirmed_is_none() -> None:
    said = ReceiptMark(8, "eight")
    assert not was_given(said, last_number=9, confirmed=ReceiptMark(), waiting=None)
