"""What the page shows, as the templates meet it: words and marks, nothing to decide."""

from dataclasses import dataclass

from gateway.pages.wording import Moment


@dataclass(frozen=True)
class Part:
    """A figure within a figure."""

    label: str
    value: str


@dataclass(frozen=True)
class Card:
    """A total with what it rests on. `value` is a dash where nothing is known."""

    key: str
    label: str
    value: str
    coverage: str
    is_partial: bool
    parts: tuple[Part, ...]
    sample: str
    as_of: Moment | None


@dataclass(frozen=True)
class StageCell:
    """One stage in the strip of a center's projects."""

    code: str
    label: str
    count: str
    is_sample: bool


@dataclass(frozen=True)
class CenterRow:
    """A center in the table."""

    id: str
    code: str
    name: str
    place: str
    state: str
    state_label: str
    state_reason: str
    opened: str
    recorded: Moment | None
    liveness: str
    liveness_label: str
    heard: Moment | None
    stages: tuple[StageCell, ...]
    projects: str
    is_sample: bool


@dataclass(frozen=True)
class Matter:
    """Something to decide or to look into; `kind` chooses its mark."""

    kind: str
    text: str
    detail: str
    address: str
    is_sample: bool = False


@dataclass(frozen=True)
class RegulationRow:
    """A regulation that is not in force yet."""

    title: str
    state: str
    address: str
    is_sample: bool


@dataclass(frozen=True)
class StreamRow:
    """How far the picture has followed one service."""

    service: str
    state: str
    state_label: str
    detail: str
    last_event: Moment | None


@dataclass(frozen=True)
class EventRow:
    """Something that happened, as a sentence."""

    text: str
    actor: str
    reason: str
    when: Moment
    address: str
    is_sample: bool


@dataclass(frozen=True)
class Alarm:
    """What a reader has to know before any figure."""

    kind: str
    text: str


@dataclass(frozen=True)
class View:
    """Everything that the page shows. Stale: it is not known whether the figures still hold."""

    title: str
    headline: str
    is_stale: bool
    weekday: str
    as_of: Moment | None
    alarms: tuple[Alarm, ...]
    cards: tuple[Card, ...]
    centers: tuple[CenterRow, ...]
    matters: tuple[Matter, ...]
    for_headquarters: bool
    regulations: tuple[RegulationRow, ...] | None
    streams: tuple[StreamRow, ...]
    events: tuple[EventRow, ...] | None
