"""The node: the technical presence of a center in the network, and how it joins."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from domainkit.aggregate import Occasion, Stateful
from domainkit.machine import Machine
from domainkit.rules import Broken, Refused

LONGEST_TOKEN = timedelta(days=1)
USUAL_TOKEN = timedelta(hours=1)
CLOCK_LIMIT = timedelta(seconds=300)
"""How far the clock of a node may be off the hub's when it joins."""
PROTOCOL = 1
WARNING_DAYS = (30, 7, 1)
"""Days before the end of credentials at which it is warned of, once each."""


class NodeState(StrEnum):
    """Where a node is in its life."""

    APPLIED = "applied"
    APPROVED = "approved"
    ENROLLED = "enrolled"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"


_JOINED = (NodeState.ENROLLED, NodeState.ACTIVE)
_CAN_JOIN = (NodeState.APPROVED, *_JOINED)


@dataclass(frozen=True)
class Credential:
    """A public key of a node, and from when until when it is good."""

    public_key: str
    issued_at: datetime
    expires_at: datetime


@dataclass(kw_only=True)
class Node(Stateful):
    """A node of a center.

    `public_key`, `credentials_issued_at` and `credentials_expire_at` are of the key that
    the node uses; one that was made for it and not seen in use yet is not here.
    """

    MACHINE: ClassVar[Machine[NodeState]] = Machine(
        {
            "approve": ([NodeState.APPLIED], NodeState.APPROVED),
            "suspend": (_JOINED, NodeState.SUSPENDED),
            "resume": ([NodeState.SUSPENDED], NodeState.ACTIVE),
            "withdraw": (
                [NodeState.APPLIED, *_CAN_JOIN, NodeState.SUSPENDED],
                NodeState.WITHDRAWN,
            ),
            "revoke": ([*_CAN_JOIN, NodeState.SUSPENDED], NodeState.REVOKED),
        }
    )
    EVENTS: ClassVar[Mapping[str, str]] = {
        "approve": "approved",
        "suspend": "suspended",
        "resume": "resumed",
        "withdraw": "withdrawn",
        "revoke": "revoked",
    }
    REASONED: ClassVar[frozenset[str]] = frozenset({"suspend", "revoke"})
    FIXED: ClassVar[frozenset[str]] = frozenset({"external_key", "center_id", "name", "sample"})

    center_id: str
    name: str
    public_key: str = ""
    joined_at: datetime | None = None
    first_heard_at: datetime | None = None
    credentials_issued_at: datetime | None = None
    credentials_expire_at: datetime | None = None
    warned_days: int | None = None
    software_version: str = ""
    state: NodeState = NodeState.APPLIED

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        del today
        return [] if self.name.strip() else [Broken("name", "REQUIRED")]

    def resume(self, occasion: Occasion) -> None:
        """Be let in again: where it was cut off before it had said a word, it has yet to."""
        target = self.target_of("resume")
        heard = self.first_heard_at is not None
        self.enter(target if heard else NodeState.ENROLLED, occasion, self.EVENTS["resume"])

    def require_can_join(self) -> None:
        """Raise `Refused` ``NODE_CANNOT_JOIN`` unless a token may be made or used for it."""
        if self.state not in _CAN_JOIN:
            raise Refused("NODE_CANNOT_JOIN", state=self.state.value)

    def require_served(self) -> None:
        """Raise `Refused` ``NODE_NOT_SERVED`` unless the hub listens to it."""
        if self.state not in _JOINED:
            raise Refused("NODE_NOT_SERVED", state=self.state.value)

    def issue_token(self, occasion: Occasion) -> None:
        """Note that a token was made for it."""
        self.require_can_join()
        self.record_step("token_issued", occasion)

    def note_reused_token(self, occasion: Occasion) -> None:
        """Note that someone came with a token of its that was used before."""
        self.record_step("token_reused", occasion)

    def join(self, credential: Credential, software_version: str, occasion: Occasion) -> None:
        """Become enrolled with a new key, the first time or anew; nothing was heard of it yet."""
        self.require_can_join()
        self.joined_at = occasion.at
        self.first_heard_at = None
        self._use(credential, software_version)
        self.enter(NodeState.ENROLLED, occasion, "joined")

    def renew(self, credential: Credential, software_version: str, occasion: Occasion) -> None:
        """Use a renewed key from now on."""
        self.require_served()
        self._use(credential, software_version)
        self.record_step("renewed", occasion)

    def hear(self, occasion: Occasion) -> bool:
        """Note that it was heard of; tell whether that has made it active."""
        self.require_served()
        if self.state is not NodeState.ENROLLED:
            return False
        self.first_heard_at = occasion.at
        self.enter(NodeState.ACTIVE, occasion, "activated")
        return True

    def runs(self, software_version: str) -> bool:
        """Whether this version is the one recorded; one that is not told is none other."""
        return software_version in ("", self.software_version)

    def due_warning(self, now: datetime) -> int | None:
        """Days before the end of its credentials that are to be warned of now, if any.

        Credentials that never had more than so many days are not warned of at their
        beginning; of several marks that were missed, the last one counts.
        """
        if (
            self.state not in _JOINED
            or self.credentials_expire_at is None
            or self.credentials_issued_at is None
        ):
            return None
        life = self.credentials_expire_at - self.credentials_issued_at
        left = self.credentials_expire_at - now
        passed = [days for days in WARNING_DAYS if left <= timedelta(days=days) < life]
        due = min(passed, default=None)
        if due is None or (self.warned_days is not None and self.warned_days <= due):
            return None
        return due

    def warn(self, days: int, occasion: Occasion) -> None:
        """Note that the end of its credentials was warned of."""
        self.warned_days = days
        self.record_step("credentials_expiring", occasion)

    def _use(self, credential: Credential, software_version: str) -> None:
        self.public_key = credential.public_key
        self.credentials_issued_at = credential.issued_at
        self.credentials_expire_at = credential.expires_at
        self.warned_days = None
        self.software_version = software_version


def check_clock(theirs: datetime, ours: datetime) -> None:
    """Raise `Refused` ``CLOCK_TOO_FAR_OFF`` if a node's clock is too far from the hub's."""
    off = abs(theirs - ours)
    if off > CLOCK_LIMIT:
        raise Refused(
            "CLOCK_TOO_FAR_OFF",
            seconds=str(round(off.total_seconds())),
            limit=str(round(CLOCK_LIMIT.total_seconds())),
        )


def check_protocol(version: int) -> None:
    """Raise `Refused` ``PROTOCOL_NOT_SPOKEN`` unless the hub speaks a node's protocol."""
    if version != PROTOCOL:
        raise Refused("PROTOCOL_NOT_SPOKEN", version=str(version), supported=str(PROTOCOL))
