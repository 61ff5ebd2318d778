"""Forms of the pages: what they ask for, what was typed, and what is wrong beside each field.

The fields of a form are named by their paths in the request of the contract
(``conditions[0].text.fa``), so that what was typed is put where its name says, and a rule that
a value breaks is told beside the field in which it was typed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from persiantools.jdatetime import JalaliDate

from gateway.imports.spelling import exact, spelled
from gateway.pages.wording import Wording
from gateway.problems import ProblemError, sentence
from gateway.shapes import fields_by_name
from peyvand.projects.v1 import awards_pb2
from servicekit.contract import descriptor_of, enum_names
from servicekit.errors import Violation

Input = Literal["line", "area", "choice", "day", "number"]

MORE = "more"
"""The button that asks for another row of a form instead of sending it."""
# What a form asks for in one field, unless it says otherwise; as the contract has it.
_USUAL_LENGTH = 2000
_ROW = re.compile(r"(?P<list>\w+(?:\.\w+)*)\[(?P<row>\d{1,3})\]")
_DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
# An amount as people write it, with its digits in groups.
_GROUPED = re.compile(r"[0-9]{1,3}([,٬ \u00a0\u202f][0-9]{3})+(\.[0-9]+)?")
_NO_DIGIT = re.compile(r"[^0-9.]")
# Most digits of a whole number of each size.
_DIGITS = {FieldDescriptor.TYPE_INT32: 9, FieldDescriptor.TYPE_INT64: 18}
# The year of a day tells its calendar, as in imported files.
_FIRST_GREGORIAN_YEAR = 1700


@dataclass(frozen=True)
class Choice:
    """One of the values that a field can take, and what people call it."""

    value: str
    label: str


@dataclass(frozen=True)
class Field:
    """One value that a form asks for. `name` is its path in the request."""

    name: str
    label: str
    input: Input = "line"
    value: str = ""
    hint: str = ""
    choices: Sequence[Choice] = ()
    is_required: bool = True
    length: int = _USUAL_LENGTH
    error: str = ""


@dataclass(frozen=True)
class FieldGroup:
    """Fields that belong together under a name: one condition, one seat.

    `sends_to` is where a file that is chosen is sent at once; the fields then say which it is.
    """

    legend: str
    fields: Sequence[Field]
    sends_to: str = ""


@dataclass(frozen=True)
class Form:
    """A step that a reader can take.

    `hidden` are values that the page knows; `etag` is the version of what it changes. `more`
    is the name of the button that adds a row. `error` is why it was refused as a whole.
    """

    name: str
    label: str
    address: str
    etag: str = ""
    intro: str = ""
    groups: Sequence[FieldGroup] = ()
    hidden: Mapping[str, str] = field(default_factory=dict[str, str])
    more: str = ""
    error: str = ""
    is_open: bool = False


@dataclass(frozen=True)
class Tried:
    """A form as it was sent and came back: what was typed, and the problem if there is one."""

    name: str
    typed: Mapping[str, str]
    problem: ProblemError | None = None

    @property
    def asks_for_more(self) -> bool:
        """Whether another row was asked for, and nothing else."""
        return MORE in self.typed

    def rows(self, of: str) -> int:
        """How many rows of a list were sent."""
        found = [match for name in self.typed if (match := _ROW.match(name))]
        return max((int(match["row"]) + 1 for match in found if match["list"] == of), default=0)


def without_gaps(typed: Mapping[str, str]) -> dict[str, str]:
    """What was typed, with rows that say nothing after all others; rows are counted anew."""
    rows: dict[str, dict[int, bool]] = {}
    for name, text in typed.items():
        if match := _ROW.match(name):
            says = rows.setdefault(match["list"], {})
            says[int(match["row"])] = says.get(int(match["row"]), False) or bool(text.strip())
    places = {
        (of, row): place
        for of, says in rows.items()
        for place, row in enumerate(sorted(says, key=lambda row: (not says[row], row)))
    }
    found: dict[str, str] = {}
    for name, text in typed.items():
        match = _ROW.match(name)
        place = match and f"{match['list']}[{places[match['list'], int(match['row'])]}]"
        found[place + name[match.end() :] if match and place else name] = text
    return found


def put(message: Message, path: str, text: str) -> Violation | None:
    """Put what was typed into a request; gives the rule that it breaks where it cannot stand."""
    owner: Any = message
    *way, last = path.split(".")
    for step in way:
        owner = _below(owner, step)
    last, _, row = last.partition("[")
    shape = descriptor_of(owner).fields_by_name[last]
    if row:
        # Rows come in their order, and those that are empty not at all.
        getattr(owner, last).append(exact(text))
    elif shape.enum_type is not None:
        numbers = {name: number for number, name in enum_names(shape.enum_type).items()}
        setattr(owner, last, numbers.get(text, 0))
    elif shape.type in _DIGITS:
        digits = exact(text)
        if not (digits.isdecimal() and len(digits) < _DIGITS[shape.type]):
            return Violation(path, "WRONG_TYPE", {"expected": "a whole number"})
        setattr(owner, last, int(digits))
    elif re.search(r"_date(\.value)?$", path):
        day = read_day(text)
        if day is None:
            return Violation(path, "NO_SUCH_DATE")
        setattr(owner, last, day)
    elif isinstance(owner, awards_pb2.Money) and last == "amount":
        owner.amount = read_amount(text)
    else:
        setattr(owner, last, spelled(text.strip(), fields_by_name(descriptor_of(owner))[last]))
    return None


def read_day(text: str) -> str | None:
    """A day in either calendar as ISO 8601; `None` where there is no such day."""
    match = _DAY.fullmatch(exact(text))
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups())
    try:
        if year < _FIRST_GREGORIAN_YEAR:
            return JalaliDate(year, month, day).to_gregorian().isoformat()
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def read_amount(text: str) -> str:
    """An amount of money as the contract spells it; what is none stays as it was typed."""
    plain = exact(text)
    return _NO_DIGIT.sub("", plain) if _GROUPED.fullmatch(plain) else plain


def typed_day(iso: str, words: Wording) -> str:
    """A day as a reader types it: in the calendar and the digits of the language."""
    if not iso or words.language == "en":
        return iso
    return words.numerals(JalaliDate(date.fromisoformat(iso)).isoformat())


def as_tried(forms: Sequence[Form], tried: Tried | None, words: Wording) -> Sequence[Form]:
    """The forms, and the one that came back with what was typed and what is wrong with it."""
    if tried is None:
        return forms
    return [_came_back(form, tried, words) if form.name == tried.name else form for form in forms]


def refusal(problem: ProblemError, words: Wording) -> str:
    """Why something was refused as a whole, in a sentence."""
    return sentence(problem.reason, problem.params, words.language)


def _came_back(form: Form, tried: Tried, words: Wording) -> Form:
    fields = [item for group in form.groups for item in group.fields]
    errors: dict[str, str] = {}
    unplaced: list[str] = []
    problem = tried.problem
    for broken in problem.broken if problem else ():
        said = sentence(broken.rule, broken.params, words.language)
        name = _nearest((broken.place.pointer or "").strip("/"), fields)
        if name:
            errors.setdefault(name, said)
        else:
            unplaced.append(said)
    error = ""
    if problem is not None and (unplaced or not errors):
        error = " ".join([refusal(problem, words), *unplaced])
    groups = [
        replace(
            group,
            fields=[
                replace(
                    item,
                    value=tried.typed.get(item.name, item.value),
                    error=errors.get(item.name, ""),
                )
                for item in group.fields
            ],
        )
        for group in form.groups
    ]
    return replace(form, groups=groups, error=error, is_open=True)


def _nearest(pointer: str, fields: Iterable[Field]) -> str:
    """The field of a form that a place in the request speaks of; the first one within it.

    A domain does not know under which name a resource stands in a request.
    """
    for item in fields:
        own = re.sub(r"\[(\d+)\]", r".\1", item.name).replace(".", "/")
        below = own.partition("/")[2]
        for place in (own, below):
            inside = place.startswith(f"{pointer}/") or pointer.startswith(f"{place}/")
            if pointer and place and (place == pointer or inside):
                return item.name
    return ""


def _below(owner: Any, step: str) -> Any:
    name, _, index = step.rstrip("]").partition("[")
    below = getattr(owner, name)
    if not index:
        # What is given is there, also where nothing is in it.
        below.SetInParent()
        return below
    while len(below) <= int(index):
        below.add()
    return below[int(index)]
