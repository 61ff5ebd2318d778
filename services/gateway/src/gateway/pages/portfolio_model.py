"""What the page of the portfolio shows, as its template meets it: words and places to draw at."""

from dataclasses import dataclass

from gateway.pages.wording import Moment


@dataclass(frozen=True)
class Choice:
    """Something to narrow the page to; `count` is how much of it there is, where that is told."""

    value: str
    label: str
    address: str = ""
    count: str = ""
    is_chosen: bool = False


@dataclass(frozen=True)
class CauseLine:
    """One thing that a project is stuck with, as a sentence; `who` can do something about it."""

    reason: str
    label: str
    text: str
    who: str
    address: str
    since: Moment | None


@dataclass(frozen=True)
class StuckRow:
    """A project that is stuck."""

    address: str
    title: str
    place: str
    causes: tuple[CauseLine, ...]


@dataclass(frozen=True)
class Bubble:
    """A number of projects, drawn as a circle of its area; `radius` is of a box of 40."""

    number: str
    radius: float
    held: float
    text: str


@dataclass(frozen=True)
class MatrixRow:
    """A pathway, stage by stage."""

    label: str
    cells: tuple[Bubble, ...]
    total: str
    completed: str
    killed: str


@dataclass(frozen=True)
class Column:
    """A stage as the head of a column, with how much there is in it; `height` is of 40."""

    code: str
    label: str
    number: str
    height: float


@dataclass(frozen=True)
class Box:
    """A spread on a line of 400, all of it within; `is_cut` where the greatest lies beyond."""

    low: float
    first: float
    median: float
    third: float
    high: float
    is_cut: bool

    @property
    def width(self) -> float:
        """How wide the middle half is, wide enough to be seen."""
        return max(self.third - self.first, 1.0)


@dataclass(frozen=True)
class TimeRow:
    """How long the gate of a stage takes."""

    label: str
    decided: Box | None
    waiting: Box | None
    median: str
    quartiles: str
    expected: str
    still: str
    coverage: str


@dataclass(frozen=True)
class KillRow:
    """What ends in a stage; `filled` is the width of the bar in percent."""

    label: str
    figures: str
    filled: float
    reasons: str


@dataclass(frozen=True)
class Slice:
    """A part of an amount on a line of 400, with its amount in words."""

    kind: str
    label: str
    amount: str
    start: float
    width: float


@dataclass(frozen=True)
class MoneyRow:
    """The money in one currency."""

    currency: str
    awarded: str
    slices: tuple[Slice, ...]
    stranded: str
    coverage: str


@dataclass(frozen=True)
class ProvinceRow:
    """The projects under way of one province; `filled` is the width of a bar in percent."""

    code: str
    name: str
    number: str
    filled: float
    address: str


@dataclass(frozen=True)
class PortfolioView:
    """Everything that the page of the portfolio shows."""

    headline: str
    weekday: str
    as_of: Moment
    coverage: str
    is_sample: bool
    left_out: str
    other_kind: str
    pathways: tuple[Choice, ...]
    provinces: tuple[Choice, ...]
    reasons: tuple[Choice, ...]
    hidden: tuple[tuple[str, str], ...]
    is_narrowed: bool
    stuck: tuple[StuckRow, ...]
    more: str
    stuck_coverage: str
    stages: tuple[Column, ...]
    matrix: tuple[MatrixRow, ...]
    times: tuple[TimeRow, ...]
    scale: tuple[tuple[float, str], ...]
    kills: tuple[KillRow, ...]
    money: tuple[MoneyRow, ...]
    by_province: tuple[ProvinceRow, ...]
    without: str
    document: str
