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
class NodeMark:
    """A node within the row of its center: how it is, and since when."""

    id: str
    name: str
    state: str
    state_label: str
    liveness: str
    liveness_label: str
    since: Moment | None
    is_sample: bool


@dataclass(frozen=True)
class CapacityBar:
    """How much of one capability is in use; `filled` is the width of the bar in percent."""

    label: str
    figures: str
    filled: int


@dataclass(frozen=True)
class Capacity:
    """What a center has and uses, and how fresh that is."""

    bars: tuple[CapacityBar, ...]
    observed: Moment | None
    liveness: str
    liveness_label: str


@dataclass(frozen=True)
class Day:
    """One day of a bar: where it is drawn, its mark, and what it says."""

    x: int
    mark: str
    is_partial: bool
    text: str


@dataclass(frozen=True)
class Availability:
    """How a center was heard of day by day, the oldest first; `text` says it in words."""

    days: tuple[Day, ...]
    width: int
    share: str
    text: str


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
    nodes: tuple[NodeMark, ...] = ()
    capacity: Capacity | None = None
    availability: Availability | None = None


@dataclass(frozen=True)
class Vital:
    """Something that a node last told of itself; `alert` where it asks for attention."""

    label: str
    value: str
    alert: bool = False


@dataclass(frozen=True)
class NodeRow:
    """A node as the headquarters sees it, with the steps that the reader may take."""

    mark: NodeMark
    center: str
    version: str
    expires: Moment | None
    expires_soon: bool
    heard: Moment | None
    vitals: tuple[Vital, ...]
    etag: str
    may_approve: bool
    may_join: bool


@dataclass(frozen=True)
class Matter:
    """Something to decide or to look into; `kind` chooses its mark.

    `alert_id` is that of an alert that this reader may acknowledge.
    """

    kind: str
    text: str
    detail: str
    address: str
    is_sample: bool = False
    alert_id: str = ""


@dataclass(frozen=True)
class MonthBar:
    """One month in the drawing of a figure: where it stands, and what it says."""

    x: int
    y: int
    height: int
    is_known: bool
    is_partial: bool
    text: str


@dataclass(frozen=True)
class MonthsBar:
    """A figure month by month, the oldest first; `text` says it in words."""

    months: tuple[MonthBar, ...]
    width: int
    text: str


@dataclass(frozen=True)
class Figure:
    """A figure of a month over all centers; `value` is empty where nobody knows it."""

    value: str
    under: str
    sample: str
    months: MonthsBar | None


@dataclass(frozen=True)
class ActivityRow:
    """What one center did in the month; a figure is empty where it is unknown."""

    name: str
    address: str
    approved: Moment | None
    figures: tuple[str, ...]
    is_sample: bool


@dataclass(frozen=True)
class Activity:
    """What centers did in the month that was reported last; `month` is empty without one.

    `not_yet` says that a later month is over, of which no report is approved.
    """

    month: str
    coverage: str
    not_yet: str
    as_of: Moment | None
    labels: tuple[str, ...]
    is_partial: bool = True
    totals: tuple[Figure, ...] = ()
    centers: tuple[ActivityRow, ...] = ()


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
    nodes: tuple[NodeRow, ...] | None = None
    activity: Activity | None = None
