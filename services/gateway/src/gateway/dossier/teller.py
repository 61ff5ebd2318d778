"""How values of a dossier are put into words for the document."""

from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from gateway.dossier.words import FA, STEPS
from gateway.languages import Language
from gateway.pages.wording import wording
from peyvand.api.v1 import types_pb2
from peyvand.projects.v1 import awards_pb2
from servicekit.contract import descriptor_of, enum_names

# What the document is set from: texts, and hashes that are set as such.
Cell = str | dict[str, str]

_ISOLATE, _POP = "\u2068", "\u2069"
# Marks that steer direction could turn what is around them.
_STEERING = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
# Groups of eight are compared at a glance.
_GROUP = 8


class Teller:
    """Everything of the document that differs between the two languages."""

    def __init__(self, language: Language, names: dict[str, types_pb2.LocalizedText]) -> None:
        self.words = wording(language)
        self._names = names

    def say(self, message: str) -> str:
        """A message of the document. Raises `KeyError` for one without a Persian form."""
        return FA[message] if self.words.language == "fa" else message

    def label(self, message: Any, field: str) -> str:
        """Name of the value of an enum field; empty where it is not set."""
        enum = descriptor_of(message).fields_by_name[field].enum_type
        assert enum is not None
        value = getattr(message, field)
        return self.words.label(enum, enum_names(enum)[value]) if value else ""

    def step(self, action: str) -> str:
        """What a step is called once it was taken."""
        en, fa = STEPS.get(action, (action.replace("_", " "),) * 2)
        return fa if self.words.language == "fa" else en

    def text(self, value: types_pb2.LocalizedText) -> str:
        """A text in the reader's language, or in the other one, apart from what is around it."""
        return apart(self.words.text(value))

    def when(self, value: Timestamp) -> str:
        """A point in time, to the minute."""
        moment = self.words.moment(value)
        return f"{moment.day} {moment.time}"

    def day_of(self, value: Timestamp) -> str:
        """The day of a point in time."""
        return self.words.moment(value).day

    def day(self, iso: str) -> str:
        """A day as the contract spells it; empty where it is not known."""
        return self.words.day(iso) if iso else ""

    def imprecise(self, message: Any, field: str) -> str:
        """A date at the precision that is known; empty where it is not."""
        return self.words.imprecise(getattr(message, field)) if message.HasField(field) else ""

    def number(self, value: int) -> str:
        """A whole number."""
        return self.words.number(value)

    def money(self, value: awards_pb2.Money) -> str:
        """An amount and its currency; empty where there is none."""
        if not value.amount:
            return ""
        whole, _, parts = value.amount.partition(".")
        text = f"{int(whole):,}" + (f".{parts}" if parts else "")
        return f"{self.words.numerals(text)} {apart(value.currency)}"

    def named(self, id: str) -> str:
        """A neighbour by its name, or by its id where no name is known."""
        name = self._names.get(id)
        return (self.text(name) if name else "") or apart(id)


def apart(text: str) -> str:
    """A text that others have written, so that its direction does not reach what is around it."""
    clean = unsteered(text)
    return f"{_ISOLATE}{clean}{_POP}" if clean else ""


def unsteered(text: str) -> str:
    """A text without the marks that steer direction."""
    return text.translate(_STEERING)


def hashed(sha256: str) -> Cell:
    """A hash, in groups."""
    groups = [sha256[place : place + _GROUP] for place in range(0, len(sha256), _GROUP)]
    return {"hash": " ".join(groups)} if sha256 else ""
