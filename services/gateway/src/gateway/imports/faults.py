"""Rules that the rows of a file break, and how they are told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.problems import BrokenRule, Place, ProblemError, pointer

# Enough to mend a file by; a hostile one does not get an answer larger than itself.
MAX_FAULTS = 500


@dataclass(frozen=True)
class RowFault:
    """A rule that a value of a file breaks.

    `line` counts from 1; `section` and `index` name the row, `field` is the path
    within it, empty for the row as a whole.
    """

    line: int
    rule: str
    params: Mapping[str, str] = field(default_factory=dict)
    section: str = ""
    index: int | None = None
    field: str = ""
    external_key: str = ""


def most_told(faults: Iterable[RowFault]) -> Sequence[RowFault]:
    """As many of them as are told, in the order of their lines."""
    return sorted(faults, key=lambda fault: fault.line)[:MAX_FAULTS]


def invalid_file(faults: Iterable[RowFault], *, is_table: bool) -> ProblemError:
    """Make the problem for a file with broken rows, in the order of its lines.

    A table has no JSON pointers: its places are line and column.
    """
    broken = [
        BrokenRule(_place(fault, is_table=is_table), fault.rule, fault.params)
        for fault in most_told(faults)
    ]
    return ProblemError("INVALID_ARGUMENT", broken=broken)


def _place(fault: RowFault, *, is_table: bool) -> Place:
    field = fault.field or None
    if is_table:
        return Place(line=fault.line, field=field)
    row = "" if fault.index is None else f"/{fault.index}"
    section = f"/{fault.section}" if fault.section else ""
    return Place(pointer=f"{section}{row}{pointer(fault.field)}", line=fault.line, field=field)
