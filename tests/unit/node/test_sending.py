"""What a node says next, and what an answer means."""

import math
import random
from dataclasses import replace
from typing import Any

import pytest

from node_agent.kept import Standing
from node_agent.sending import (
    Backoff,
    Mending,
    Pace,
    Renew,
    Rest,
    SayHello,
    SendBatch,
    Sender,
)

PACE = Pace()


def sender(**standing: Any) -> Sender:
    found = Sender(Standing("j", **standing), random.Random(1), PACE)
    found.connected()
    return found


def greeted(last_number: int = 0, **standing: Any) -> Sender:
    found = sender(**standing)
    assert found.answered_hello(0.0, found.standing, last_number, more_receipts=False) is None
    return found


def test_without_a_line_there_is_nothing_to_say() -> None:
    found = Sender(Standing("j", newest=3), random.Random(1))
    assert found.next(0.0) == Rest(math.inf)


def test_the_first_word_is_a_greeting_also_when_reports_wait() -> None:
    assert sender(newest=3).next(0.0) == SayHello()


def test_after_the_greeting_reports_go_out_after_the_last_that_the_hub_has() -> None:
    found = greeted(1, newest=3, acked=1, offered=1)
    step = found.next(1.0)
    assert isinstance(step, SendBatch)
    assert step.after == 1


def test_nothing_goes_out_before_all_receipts_are_there() -> None:
    found = sender(newest=3)
    assert found.answered_hello(0.0, found.standing, 0, more_receipts=True) is None
    assert not found.greeted
    assert found.next(0.0) == SayHello()


@pytest.mark.parametrize(
    ("standing", "last_number", "mending"),
    [
        ({"newest": 5, "acked": 2, "offered": 4}, 2, None),
        ({"newest": 5, "acked": 2, "offered": 4}, 4, Mending.ACKNOWLEDGE),
        ({"newest": 5, "acked": 2, "offered": 4}, 5, Mending.RENUMBER),
        ({"newest": 5, "acked": 2, "offered": 4}, 9, Mending.RENUMBER),
        ({"newest": 5, "acked": 4, "offered": 4, "oldest": 1}, 1, Mending.REWIND),
        ({"newest": 5, "acked": 4, "offered": 4, "oldest": 2}, 1, Mending.REWIND),
        ({"newest": 5, "acked": 4, "offered": 4, "oldest": 4}, 1, Mending.RENUMBER_LOST),
        ({"newest": 5, "acked": 5, "offered": 5, "oldest": 6}, 0, Mending.RENUMBER_LOST),
    ],
)
def test_both_sides_come_to_agree_on_numbers(
    standing: dict[str, int], last_number: int, mending: Mending | None
) -> None:
    found = sender(**standing)
    answer = found.answered_hello(0.0, found.standing, last_number, more_receipts=False)
    assert answer is mending


def test_a_new_journal_is_told_by_a_new_greeting() -> None:
    found = greeted(newest=2)
    found.corrected(Standing("other", newest=2))
    assert found.next(0.0) == SayHello()


def test_a_node_that_is_woken_while_it_greets_greets_once_more() -> None:
    found = sender()
    found.greets()
    found.woken()  # for what the hub had not yet when it made the answer that is under way
    found.answered_hello(0.0, found.standing, 0, more_receipts=False)
    assert found.next(0.0) == SayHello()
    found.greets()
    found.answered_hello(0.0, found.standing, 0, more_receipts=False)
    assert isinstance(found.next(0.0), Rest)


def test_a_report_that_is_taken_stirs_a_resting_node() -> None:
    found = greeted()
    assert isinstance(found.next(0.0), Rest)
    found.taken(1)
    assert isinstance(found.next(0.0), SendBatch)


def test_an_older_number_takes_nothing_back() -> None:
    found = greeted(newest=5)
    found.taken(3)
    assert found.standing.newest == 5


def test_a_batch_that_brought_less_is_followed_by_a_greeting() -> None:
    found = greeted(2, newest=9, acked=2, offered=2)
    found.answered_batch(0.1, last_number=1, last_sent=9)
    assert found.next(1.0) == SayHello()


def test_batches_grow_on_a_quick_line_and_shrink_on_a_slow_one() -> None:
    found = greeted(newest=100_000)
    sizes: list[int] = []
    for seconds in (0.1, 0.1, 0.1, 0.1, 9.0, 9.0, 0.1):
        step = found.next(0.0)
        assert isinstance(step, SendBatch)
        sizes.append(step.most_reports)
        found.answered_batch(seconds, last_number=10, last_sent=10)
    assert sizes == [64, 128, 256, 500, 500, 250, 125]


def test_a_batch_without_an_answer_is_followed_by_a_smaller_one() -> None:
    found = greeted(newest=1000)
    found.failed(0.0, was_batch=True)
    found.answered_hello(60.0, found.standing, 0, more_receipts=False)
    step = found.next(60.0)
    assert isinstance(step, SendBatch)
    assert step.most_reports == 16


def test_the_hub_says_how_large_a_batch_may_be() -> None:
    found = greeted(newest=1000)
    found.told(10, 4096)
    assert found.next(0.0) == SendBatch(0, 10, 4096)


def test_a_refusal_is_waited_out_and_then_asked_about_by_a_greeting() -> None:
    found = greeted(newest=3)
    found.refused(100.0)
    assert not found.greeted
    step = found.next(100.0)
    assert isinstance(step, Rest)
    assert 100 + PACE.rejected_wait / 2 <= step.until <= 100 + PACE.rejected_wait
    assert found.next(step.until) == SayHello()


def test_waits_grow_have_chance_in_them_and_a_bound() -> None:
    backoff = Backoff(PACE, random.Random(7))
    waits = [backoff.failed() for _ in range(50)]
    assert waits[0] <= PACE.first_wait
    assert all(PACE.longest_wait / 2 <= wait <= PACE.longest_wait for wait in waits[10:])
    assert len({round(wait, 6) for wait in waits[10:]}) > 30
    backoff.succeeded()
    assert backoff.failed() <= PACE.first_wait


def test_two_nodes_do_not_come_back_in_the_same_moments() -> None:
    first, second = Backoff(PACE, random.Random(1)), Backoff(PACE, random.Random(2))
    assert [first.failed() for _ in range(5)] != [second.failed() for _ in range(5)]


def test_credentials_are_renewed_in_time_before_reports_go_on() -> None:
    found = greeted(newest=3)
    found.renew_at(50.0)
    assert isinstance(found.next(49.0), SendBatch)
    assert found.next(50.0) == Renew()
    found.renewal_failed(50.0)
    assert isinstance(found.next(51.0), SendBatch)
    assert found.next(200.0) == Renew()


def test_a_resting_node_wakes_for_its_renewal_and_for_a_greeting_now_and_then() -> None:
    found = greeted()
    assert found.next(0.0) == Rest(PACE.hello_every)
    found.renew_at(30.0)
    assert found.next(0.0) == Rest(30.0)
    found.renewed()
    assert found.next(PACE.hello_every) == SayHello()


def test_a_line_that_is_new_begins_with_a_greeting_at_once() -> None:
    found = greeted(newest=3)
    found.failed(0.0)
    found.disconnected()
    assert found.next(0.0) == Rest(math.inf)
    found.connected()
    assert found.next(0.0) == SayHello()


class Line:
    """A node and a hub with a line between them that loses what it pleases."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.kept: list[int] = []
        self.hub: list[int] = []
        self.standing = Standing("j")
        self.now = 0.0
        self.calm = False
        self.mended: set[Mending] = set()
        self.start()

    def start(self) -> None:
        self.sender = Sender(self.standing, random.Random(self.chance.random()), PACE)
        self.sender.connected()

    @property
    def last(self) -> int:
        return self.hub[-1] if self.hub else 0

    def befalls(self, probability: float) -> bool:
        return not self.calm and self.chance.random() < probability

    def take_report(self) -> None:
        self.standing = replace(self.standing, newest=self.standing.newest + 1)
        self.kept.append(self.standing.newest)
        self.sender.taken(self.standing.newest)

    def turn(self) -> None:
        self.now += 0.01
        if self.befalls(0.02):
            self.sender.disconnected()
            self.sender.connected()
        if self.befalls(0.01):  # the agent is killed, and started again
            self.start()
        if self.hub and self.befalls(0.003):  # the hub is set back to an older copy
            del self.hub[self.chance.randrange(len(self.hub)) :]
        match self.sender.next(self.now):
            case Rest(until):
                self.now = min(until, self.now + 30.0)
            case SayHello():
                self.hello()
            case SendBatch(after, most, _):
                self.batch(self.kept[after : after + most])
            case Renew():
                pytest.fail("nothing asks for a renewal here")

    def hello(self) -> None:
        self.sender.greets()
        if self.befalls(0.2):
            self.sender.failed(self.now)
            return
        mending = self.sender.answered_hello(
            self.now, self.standing, self.last, more_receipts=False
        )
        if mending is not None:
            self.mended.add(mending)
            self.standing = replace(self.standing, acked=self.last)
            self.sender.corrected(self.standing)

    def batch(self, numbers: list[int]) -> None:
        offered = max(self.standing.offered, numbers[-1])
        self.standing = replace(self.standing, offered=offered)
        arrives = not self.befalls(0.1)
        for number in numbers if arrives else []:
            if number == self.last + 1:
                self.hub.append(number)
        if not arrives or self.befalls(0.1):
            self.sender.failed(self.now, was_batch=True)
            return
        acked = max(self.standing.acked, min(self.last, numbers[-1]))
        self.standing = replace(self.standing, acked=acked)
        self.sender.answered_batch(0.1, self.last, numbers[-1])
        self.sender.corrected(self.standing)


@pytest.mark.parametrize("seed", range(100))
def test_over_any_line_each_report_arrives_once_and_in_order(seed: int) -> None:
    """Answers are lost, both sides go down, and the hub may be set back to an older copy."""
    line = Line(seed)
    for _ in range(1500):
        if line.chance.random() < 0.3:
            line.take_report()
        line.turn()
    line.calm = True
    # The hub may have been set back unseen; the next greeting finds that out.
    line.sender.woken()
    for _ in range(200):
        line.turn()
    assert line.hub == line.kept, f"seed {seed}"
    assert line.mended <= {Mending.ACKNOWLEDGE, Mending.REWIND}, f"seed {seed}"
