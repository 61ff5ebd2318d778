"""Faults that are planted in the code of both sides, to see that the simulation finds them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from centers.domain import receipts
from centers.domain.nodes import Node
from centers.domain.presence import Change, Liveness, PresenceWatch
from centers.domain.reports import CapacitySnapshot
from centers.use_cases import joining as hub_joining
from centers.use_cases import nodes as headquarters
from node_agent import joining as node_joining
from node_agent.findings import Finding
from node_agent.home import Home, Identity
from node_agent.hub_identity import Shown
from node_agent.line import Connect, Line
from node_agent.sending import Sender
from node_agent.store import Store
from nodekit.keys import KeyKind, NKey
from peyvand.node.v1 import protocol_pb2 as pb
from servicekit.errors import Fault
from tests.simulation import node as simulated
from tests.simulation import tables
from tests.simulation.machine import pem
from tests.simulation.rules import Rules

if TYPE_CHECKING:
    import random

_FAR_OFF = 1e12


@dataclass(frozen=True)
class Planted:
    """A fault, and the words with which it has to be found.

    Attributes:
        words: a part of the sentence of the verdict.
        rules: the hub's decisions with it.
        while_in: puts it into the code of a node or of the hub for a time.
    """

    words: str
    rules: Callable[[], Rules] = Rules
    while_in: Callable[[], AbstractContextManager[Any]] = field(default=contextlib.nullcontext)


class _TakesAgain(Rules):
    def fresh(self, batch: pb.ReportBatch, last_number: int) -> Sequence[pb.Report]:
        del last_number
        return batch.reports


class _LeapsOverGaps(Rules):
    def fresh(self, batch: pb.ReportBatch, last_number: int) -> Sequence[pb.Report]:
        return [report for report in batch.reports if report.number > last_number]


class _TurnsAround(Rules):
    def fresh(self, batch: pb.ReportBatch, last_number: int) -> Sequence[pb.Report]:
        fresh = super().fresh(batch, last_number)
        return [*reversed(fresh[:-1]), *fresh[-1:]]


class _CommitsInTwoSteps(Rules):
    def loses(self, dice: random.Random) -> bool:
        return dice.random() < 0.05


class _ServesAll(Rules):
    def require_served(self, node: Node) -> None:
        del node


@contextlib.contextmanager
def _measures_by_the_wall_clock() -> Generator[None]:
    expect, hear, changes = PresenceWatch.expect, PresenceWatch.hear, PresenceWatch.changes

    def expecting(
        self: PresenceWatch, node_id: str, center_id: str, by: Any, listened: float
    ) -> None:
        del listened
        expect(self, node_id, center_id, by, _FAR_OFF)

    def heard(
        self: PresenceWatch, node_id: str, feed: str, listened: float, received_at: datetime
    ) -> None:
        del listened
        hear(self, node_id, feed, received_at.timestamp(), received_at)

    def changed(self: PresenceWatch, listened: float, now: datetime) -> list[Change]:
        del listened
        return changes(self, now.timestamp(), now)

    with (
        patch.object(PresenceWatch, "expect", expecting),
        patch.object(PresenceWatch, "hear", heard),
        patch.object(PresenceWatch, "changes", changed),
    ):
        yield


def _believes_nothing_of_hello() -> AbstractContextManager[Any]:
    genuine = Sender.answered_hello

    def answered(self: Sender, *arguments: Any, **more: Any) -> None:
        genuine(self, *arguments, **more)

    return patch.object(Sender, "answered_hello", answered)


def _leaps_over_receipts() -> AbstractContextManager[Any]:
    genuine = Store.acknowledge

    def acknowledge(self: Store, last_number: int, receipts: Sequence[pb.Receipt] = ()) -> Any:
        standing = genuine(self, last_number, receipts)
        newest = max(receipts, key=lambda receipt: receipt.number, default=pb.Receipt())
        if newest.number > standing.receipts_after:
            with self._file.transaction() as db:
                self._set_mark(db, newest.number, newest.mark)
        return standing

    return patch.object(Store, "acknowledge", acknowledge)


@contextlib.contextmanager
def _loses_the_newest_when_killed() -> Generator[None]:
    genuine = simulated.Node.kill

    async def kill(self: simulated.Node) -> None:
        await genuine(self)
        standing = self.store.standing()
        if standing.queued:
            newest = standing.newest
            self.store._file.execute("DELETE FROM report WHERE number = ?", (newest,))
            self.store._file.execute("UPDATE standing SET newest = ?", (newest - 1,))

    with patch.object(simulated.Node, "kill", kill):
        yield


def _hears_silence_from_before() -> AbstractContextManager[Any]:
    genuine = PresenceWatch.expect

    def expect(self: PresenceWatch, node_id: str, center_id: str, by: Any, listened: float) -> None:
        genuine(self, node_id, center_id, by, listened - 1e6)

    return patch.object(PresenceWatch, "expect", expect)


def _tells_only_good_news() -> AbstractContextManager[Any]:
    genuine = PresenceWatch.changes

    def changes(self: PresenceWatch, *arguments: Any) -> list[Change]:
        found = genuine(self, *arguments)
        return [one for one in found if one.after.liveness is Liveness.ONLINE]

    return patch.object(PresenceWatch, "changes", changes)


def _judges_by_the_hubs_clock() -> AbstractContextManager[Any]:
    def observed_by(self: CapacitySnapshot, *clocks: datetime | None) -> None:
        del self, clocks

    return patch.object(CapacitySnapshot, "observed_by", observed_by)


def _knows_receipts_by_number_alone() -> AbstractContextManager[Any]:
    def was_given(_said: receipts.ReceiptMark, **_known: Any) -> bool:
        return True

    return patch.object(receipts, "was_given", was_given)


async def _nothing(*_arguments: Any, **_more: Any) -> None:
    """Leave undone what should be done here."""


def _forgets_that_a_token_was_used() -> AbstractContextManager[Any]:
    return patch.object(hub_joining, "use_token", _nothing)


def _overlooks_that_a_token_has_expired() -> AbstractContextManager[Any]:
    genuine = tables.find_token

    async def find_token(session: Any, digest: bytes) -> Any:
        token = await genuine(session, digest)
        if token is None:
            return None
        return replace(token, expires_at=token.expires_at + timedelta(days=9))

    return patch.object(hub_joining, "find_token", find_token)


def _undoes_that_someone_has_tried() -> AbstractContextManager[Any]:
    genuine = hub_joining.join

    async def join(*arguments: Any) -> pb.Joined:
        outcome = await genuine(*arguments)
        if isinstance(outcome, Fault):
            raise outcome
        return outcome

    return patch.object(hub_joining, "join", join)


def _uses_a_token_up_before_it_looks_whose_it_is() -> AbstractContextManager[Any]:
    genuine = hub_joining.join

    async def join(session: Any, request: pb.JoinRequest, *more: Any) -> pb.Joined | Fault:
        request.expected_node_id = ""
        return await genuine(session, request, *more)

    return patch.object(hub_joining, "join", join)


def _repeats_no_answer() -> AbstractContextManager[Any]:
    return patch.object(hub_joining, "_lost_answer", _nothing)


def _invites_whom_it_has_cut_off() -> AbstractContextManager[Any]:
    def require_can_join(self: Node) -> None:
        del self

    return patch.object(Node, "require_can_join", require_can_join)


def _leaves_tokens_good_when_it_suspends() -> AbstractContextManager[Any]:
    return patch.object(headquarters, "replace_tokens", _nothing)


def _leaves_the_keys_before_open() -> AbstractContextManager[Any]:
    genuine = tables.bar_keys

    async def bar_keys(*arguments: Any, issued_before: datetime | None = None, **more: Any) -> None:
        if issued_before is None:
            await genuine(*arguments, **more)

    return patch.object(hub_joining, "bar_keys", bar_keys)


def _leaves_the_renewed_key_beside_the_old_one() -> AbstractContextManager[Any]:
    return patch.object(hub_joining, "_adopt", _nothing)


def _dates_keys_by_the_clock_alone() -> AbstractContextManager[Any]:
    return patch.object(hub_joining, "newest_key", _nothing)


def _resumes_with_no_key() -> AbstractContextManager[Any]:
    return patch.object(headquarters, "unbar_keys", _nothing)


def _trusts_whoever_answers() -> AbstractContextManager[Any]:
    def shown_by(*_arguments: Any) -> Shown:
        return Shown(pem("stranger"), "TLSv1.3")

    return patch.object(node_joining, "shown_by", shown_by)


def _makes_a_key_for_each_attempt() -> AbstractContextManager[Any]:
    genuine = node_joining._answer

    async def answer(connect: Connect, request: pb.JoinRequest, connected: Any) -> bytes:
        lines = 0

        async def connect_with_another_key(*arguments: Any) -> Line:
            nonlocal lines
            line: Any = await connect(*arguments)
            lines += 1
            if lines > 1:
                request.public_key = NKey.new(KeyKind.USER).public
            return line

        return await genuine(connect_with_another_key, request, connected)

    return patch.object(node_joining, "_answer", answer)


def _does_not_say_who_it_is() -> AbstractContextManager[Any]:
    genuine = node_joining._ask

    async def ask(connect: Any, request: pb.JoinRequest, *more: Any) -> pb.Joined:
        request.expected_node_id = ""
        return await genuine(connect, request, *more)

    return patch.object(node_joining, "_ask", ask)


def _forgets_who_it_is_before_it_is_answered() -> AbstractContextManager[Any]:
    genuine = node_joining._look_at_home

    def look(home: Home, *, again: bool) -> Finding:
        found = genuine(home, again=again)
        home.forget()
        return found

    return patch.object(node_joining, "_look_at_home", look)


def _keeps_nothing_of_a_renewal() -> AbstractContextManager[Any]:
    genuine = Home.keep

    def keep(self: Home, identity: Identity) -> None:
        if not self.has_joined() or identity.joined_at != self.identity().joined_at:
            genuine(self, identity)

    return patch.object(Home, "keep", keep)


PLANTED = {
    "the hub lets two in with one token": Planted(
        "let a second one in", while_in=_forgets_that_a_token_was_used
    ),
    "the hub overlooks that a token has expired": Planted(
        "a token that has expired", while_in=_overlooks_that_a_token_has_expired
    ),
    "the hub tells nobody of a spent token that was tried": Planted(
        "and 0 alerts came of it", while_in=_undoes_that_someone_has_tried
    ),
    "the hub uses up a token before it looks whose it is": Planted(
        "its token was used up by", while_in=_uses_a_token_up_before_it_looks_whose_it_is
    ),
    "the hub takes who has lost its answer for a stranger": Planted(
        "was taken for a stranger", while_in=_repeats_no_answer
    ),
    "the hub lets in whom it has cut off": Planted(
        "let in while it was cut off", while_in=_invites_whom_it_has_cut_off
    ),
    "the hub leaves tokens good when it suspends": Planted(
        "that a suspension had made void", while_in=_leaves_tokens_good_when_it_suspends
    ),
    "the hub leaves the keys open that were there before": Planted(
        "still opens the line", while_in=_leaves_the_keys_before_open
    ),
    "the hub leaves a key open that was renewed": Planted(
        "still opens the line", while_in=_leaves_the_renewed_key_beside_the_old_one
    ),
    "the hub dates keys by its clock alone": Planted(
        "is taken for an older one", while_in=_dates_keys_by_the_clock_alone
    ),
    "the hub resumes a node with no key": Planted("not online in", while_in=_resumes_with_no_key),
    "the node trusts whoever answers": Planted(
        "a stranger was told the secret", while_in=_trusts_whoever_answers
    ),
    "the node makes a key for each attempt to be answered": Planted(
        "was taken for a stranger", while_in=_makes_a_key_for_each_attempt
    ),
    "the node does not say who it is": Planted(
        "its token was used up by", while_in=_does_not_say_who_it_is
    ),
    "the node forgets who it is before it is answered": Planted(
        "has changed what was kept", while_in=_forgets_who_it_is_before_it_is_answered
    ),
    "the node keeps nothing of a renewal": Planted(
        "not online in", while_in=_keeps_nothing_of_a_renewal
    ),
    "the hub knows receipts by their number alone": Planted(
        "never heard receipt", while_in=_knows_receipts_by_number_alone
    ),
    "the hub refuses what lies ahead of its clock": Planted(
        "was refused", while_in=_judges_by_the_hubs_clock
    ),
    "the hub takes a report again that it has": Planted("is there 2 times", _TakesAgain),
    "the hub leaps over a gap": Planted("is lost", _LeapsOverGaps),
    "the hub takes a batch from its end": Planted("is out of order", _TurnsAround),
    "the hub commits numbers and reports in two steps": Planted("is lost", _CommitsInTwoSteps),
    "the hub takes from a node that it has cut off": Planted("while it was cut off", _ServesAll),
    "silence is measured by a wall clock": Planted(
        "of silence", while_in=_measures_by_the_wall_clock
    ),
    "silence counts from before there was anyone to listen": Planted(
        "of silence", while_in=_hears_silence_from_before
    ),
    "silence is not told": Planted("shown as online", while_in=_tells_only_good_news),
    "the node believes nothing that a greeting is answered": Planted(
        "is lost", while_in=_believes_nothing_of_hello
    ),
    "the node leaps over receipts": Planted("never heard receipt", while_in=_leaps_over_receipts),
    "the node loses what it has accepted last when it is killed": Planted(
        "is lost", while_in=_loses_the_newest_when_killed
    ),
}
