"""Watches who is let into the network, and judges it by what people did, not by the hub's word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from peyvand.node.v1 import protocol_pb2 as pb

_NO_TRACE = frozenset({"CLOCK_TOO_FAR_OFF", "UNAVAILABLE"})


@dataclass(frozen=True)
class Attempt:
    """One time that somebody has typed the command: at which machine, and what that holds."""

    machine: str = ""
    number: int = 0
    holds: str = ""


@dataclass
class Handed:
    """A token that the headquarters have handed out.

    Attributes:
        node: for which node.
        expires_at: by the hub's clock.
        void: why nobody may join with it any longer, though it was not used.
        key: the public key that has joined with it.
        attempt: which attempt to join that was.
        settled: whether it is too late to ask again for an answer that was lost.
    """

    node: str
    expires_at: datetime
    void: str = ""
    key: str = ""
    attempt: Attempt | None = None
    settled: bool = False


class Door:
    """What was handed out, and what came of each request to join."""

    def __init__(self, wrong: Callable[[str], None], count: Callable[[str], None]) -> None:
        self._wrong = wrong
        self._count = count
        self._tokens: dict[str, Handed] = {}
        self._cut_off: set[str] = set()
        self.let_in: Counter[str] = Counter()

    # What people did

    def handed_out(self, secret: str, node: str, expires_at: datetime) -> None:
        """The headquarters have made a token; those before it are void."""
        self._void(node, "a newer one")
        self._tokens[secret] = Handed(node, expires_at)

    def cut_off(self, node: str) -> None:
        """The headquarters have suspended or revoked a node."""
        self._cut_off.add(node)
        self._void(node, "a suspension")
        self._settle(node)

    def resumed(self, node: str) -> None:
        """The headquarters have let it in again."""
        self._cut_off.discard(node)

    def ended(self, attempt: Attempt) -> None:
        """Who tried to join does not any longer."""
        for token in self._tokens.values():
            if token.attempt == attempt:
                token.settled = True

    def _void(self, node: str, why: str) -> None:
        for token in self._tokens.values():
            if token.node == node and not token.key:
                token.void = token.void or why

    def _settle(self, node: str) -> None:
        for token in self._tokens.values():
            if token.node == node:
                token.settled = True

    # What the hub did

    def answered(
        self, asked: pb.JoinRequest, attempt: Attempt, reply: pb.JoinReply, now: datetime, told: int
    ) -> None:
        """The hub has decided a request; `told` are the alerts that came of it."""
        token = self._tokens.get(asked.secret)
        if reply.HasField("joined"):
            self._joined(asked, attempt, reply.joined, now, token)
        else:
            self._refused(attempt, reply.refusal.reason, token)
        spent = not reply.HasField("joined") and reply.refusal.reason == "JOIN_TOKEN_USED"
        if told != spent:
            self._wrong(f"a spent token was tried, and {told} alerts came of it")

    def greeted_with_newest_key(self, node: str, reply: pb.HelloReply) -> None:
        """A node has said hello with the key that it was given last, and that nobody has barred."""
        if reply.refusal.reason == "KEY_REPLACED":
            self._wrong(f"{node}: the key that it was given last is taken for an older one")

    def _joined(
        self,
        asked: pb.JoinRequest,
        attempt: Attempt,
        joined: pb.Joined,
        now: datetime,
        token: Handed | None,
    ) -> None:
        if token is None:
            self._wrong(f"{joined.node_id}: let in with a token that nobody has made")
            return
        if token.key == asked.public_key:
            self._count("answer given again")
            return
        faults = {
            f"was let in as {joined.node_id}": joined.node_id != token.node,
            "let a second one in with a token": bool(token.key),
            f"let in with a token that {token.void} had made void": bool(token.void),
            "let in with a token that has expired": now >= token.expires_at,
            "let in while it was cut off": token.node in self._cut_off,
            f"its token was used up by {attempt.holds}": attempt.holds not in ("", token.node),
        }
        for fault in (text for text, holds in faults.items() if holds):
            self._wrong(f"{token.node}: {fault}")
        self._settle(token.node)
        token.key, token.attempt, token.settled = asked.public_key, attempt, False
        self.let_in[token.node] += 1
        self._count("joined")

    def _refused(self, attempt: Attempt, reason: str, token: Handed | None) -> None:
        self._count(f"refused: {reason}")
        if token is None or not token.key or reason in _NO_TRACE:
            return
        if reason != "JOIN_TOKEN_USED":
            self._wrong(f"{token.node}: a spent token was refused as {reason}")
        if token.attempt == attempt and not token.settled:
            self._wrong(f"{token.node}: who had joined was taken for a stranger")
