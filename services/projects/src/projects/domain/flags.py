"""What stands in the way of a project from outside: its flags, and what they follow from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

# States of a center, as its own service names them, in which it can lead a project.
LEADING_STATES = frozenset({"planned", "establishing", "operational"})
# State of an agreement under which an institution can take part.
IN_FORCE = "in_force"


class FlagKind(StrEnum):
    """What is not as it was."""

    CENTER_UNAVAILABLE = "center_unavailable"
    AGREEMENT_NOT_IN_FORCE = "agreement_not_in_force"
    REGULATION_CHANGED = "regulation_changed"


@dataclass(frozen=True)
class Flag:
    """A flag on a project. Every flag blocks a go.

    `state` is that of the resource, `since` when it came into it; of a regulation,
    when it last changed, and `version` the one that this change made.
    """

    kind: FlagKind
    resource_id: str
    state: str
    since: datetime | None
    version: int = 0

    @property
    def blocks_disbursement(self) -> bool:
        """Whether money waits: for who is unavailable, not for a regulation to be read."""
        return self.kind != FlagKind.REGULATION_CHANGED

    def in_words(self) -> str:
        """What it says, in one line: ``center_unavailable ctr_1 (suspended)``."""
        return f"{self.kind} {self.resource_id} ({self.state})"


@dataclass(frozen=True)
class Acknowledgement:
    """The version of a regulation that was looked at for a project."""

    regulation_id: str
    version: int


@dataclass(frozen=True)
class KnownState:
    """The state of a neighbour, and since when it is in it, if that is known."""

    state: str
    since: datetime | None


@dataclass(frozen=True)
class KnownRegulation:
    """A regulation as it is known here; without a change it is as it was first heard of."""

    id: str
    state: str
    changed_at: datetime | None
    changed_version: int


@dataclass(frozen=True)
class Neighbours:
    """What is known of those that projects point to: regulations by external key, else by id."""

    centers: Mapping[str, KnownState] = field(default_factory=dict[str, KnownState])
    agreements: Mapping[str, KnownState] = field(default_factory=dict[str, KnownState])
    regulations: Mapping[str, KnownRegulation] = field(default_factory=dict[str, KnownRegulation])

    def center_flags(self, ids: Iterable[str]) -> list[Flag]:
        """Flags for those of these centers that are suspended, closed or cancelled."""
        known = ((id, self.centers[id]) for id in ids if id in self.centers)
        return [
            Flag(FlagKind.CENTER_UNAVAILABLE, id, center.state, center.since)
            for id, center in known
            if center.state not in LEADING_STATES
        ]

    def agreement_flags(self, ids: Iterable[str]) -> list[Flag]:
        """Flags for those of these agreements that are not in force."""
        known = ((id, self.agreements[id]) for id in ids if id in self.agreements)
        return [
            Flag(FlagKind.AGREEMENT_NOT_IN_FORCE, id, agreement.state, agreement.since)
            for id, agreement in known
            if agreement.state != IN_FORCE
        ]

    def regulation_flags(
        self, keys: Iterable[str], since: datetime, acknowledged: Iterable[Acknowledgement]
    ) -> list[Flag]:
        """Flags for those of these regulations that changed after `since` and were not looked at.

        What changed before a project was recorded is nothing new to it.
        """
        seen = {item.regulation_id: item.version for item in acknowledged}
        known = (self.regulations[key] for key in keys if key in self.regulations)
        return [
            Flag(
                FlagKind.REGULATION_CHANGED,
                regulation.id,
                regulation.state,
                regulation.changed_at,
                regulation.changed_version,
            )
            for regulation in known
            if regulation.changed_at is not None
            and regulation.changed_at > since
            and regulation.changed_version > seen.get(regulation.id, 0)
        ]


def in_order(flags: Iterable[Flag]) -> list[Flag]:
    """The flags in the one order in which they are kept."""
    return sorted(flags, key=lambda flag: (flag.kind, flag.resource_id))


def in_words(flags: Iterable[Flag]) -> str:
    """What some flags say, in one line."""
    return "; ".join(flag.in_words() for flag in flags)
