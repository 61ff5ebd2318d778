"""What a harvester asks for: the arguments of OAI-PMH 2.0, and resumption tokens."""

import base64
import binascii
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from gateway.cerif.directory import Record
from gateway.cerif.harvest import START, Position
from gateway.oai.envelope import PREFIX
from gateway.oai.words import Refusal

DUBLIN_CORE = "oai_dc"
PREFIXES = (PREFIX, DUBLIN_CORE)

_SELECTIVE = ("metadataPrefix", "from", "until", "set", "resumptionToken")
# For each verb the arguments that it takes, and those that it needs.
_VERBS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "Identify": ((), ()),
    "ListMetadataFormats": (("identifier",), ()),
    "ListSets": (("resumptionToken",), ()),
    "ListIdentifiers": (_SELECTIVE, ("metadataPrefix",)),
    "ListRecords": (_SELECTIVE, ("metadataPrefix",)),
    "GetRecord": (("identifier", "metadataPrefix"), ("identifier", "metadataPrefix")),
}
_DAY, _SECOND = "YYYY-MM-DD", "YYYY-MM-DDThh:mm:ssZ"
_MARK = r"A-Za-z0-9\-_.!~*'()"
# What the schema of OAI-PMH takes, for an answer repeats it.
_FORMS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "metadataPrefix": (re.compile(rf"[{_MARK}]{{1,100}}"), "A-Z a-z 0-9 - _ . ! ~ * ' ( )"),
    "set": (re.compile(rf"[{_MARK}]{{1,200}}(:[{_MARK}]{{1,200}})*"), "setSpec(:setSpec)*"),
    "identifier": (
        re.compile(rf"[A-Za-z][A-Za-z0-9+.\-]*:([{_MARK};/?:@&=+$,]|%[0-9A-Fa-f]{{2}}){{1,500}}"),
        "URI",
    ),
}
_TIMES = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?", re.ASCII)
_MAX_TOKEN = 3000


@dataclass(frozen=True)
class Selection:
    """Which records a list is to have, and from where on; `given` is how many went before."""

    verb: str
    prefix: str
    set: str = ""
    start: str = ""
    end: str = ""
    begin: Position = START
    given: int = 0

    def has(self, record: Record) -> bool:
        """Whether a record belongs into the list."""
        is_since = not self.start or record.changed >= self.start
        is_until = not self.end or record.changed <= self.end
        return is_since and is_until and self.set in ("", record.set)

    @property
    def resumed(self) -> bool:
        """Whether something went before."""
        return self.given > 0

    def token(self, begin: Position, given: int) -> str:
        """What to come back with for the rest of the list.

        It holds all that is asked, so it holds as long as the list of which it names a page.
        It is no secret and grants nothing: whoever comes with it is given what they may see.
        """
        values = json.dumps(list(asdict(replace(self, begin=begin, given=given)).values()))
        return base64.urlsafe_b64encode(values.encode()).decode().rstrip("=")


@dataclass(frozen=True)
class Asked:
    """A request that is understood: a verb and its arguments."""

    verb: str
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def echo(self) -> dict[str, str]:
        """What the answer repeats of it."""
        return {"verb": self.verb, **self.arguments}

    def prefix(self) -> str:
        """The format that is asked for. Raises `Refusal`."""
        prefix = self.arguments["metadataPrefix"]
        if prefix not in PREFIXES:
            raise Refusal("FORMAT", allowed=", ".join(PREFIXES))
        return prefix

    def selection(self) -> Selection:
        """The list that is asked for. Raises `Refusal`."""
        if (token := self.arguments.get("resumptionToken")) is not None:
            return _resumed(self.verb, token)
        start, end = self.arguments.get("from", ""), self.arguments.get("until", "")
        return Selection(
            self.verb, self.prefix(), self.arguments.get("set", ""), _first(start), _last(end)
        )


def understand(pairs: Iterable[tuple[str, str]]) -> Asked:
    """Read the arguments of a request. Raises `Refusal`."""
    given = list(pairs)
    verbs = [value for name, value in given if name == "verb"]
    if len(verbs) != 1 or verbs[0] not in _VERBS:
        raise Refusal("VERB", allowed=", ".join(_VERBS))
    (verb,) = verbs
    taken, needed = _VERBS[verb]
    arguments = {name: value for name, value in given if name != "verb"}
    for name, times in Counter(name for name, _ in given).items():
        if name != "verb" and name not in taken:
            raise Refusal("UNKNOWN", name=name[:100], verb=verb)
        if times > 1:
            raise Refusal("REPEATED", name=name)
    if "resumptionToken" in arguments:
        if len(arguments) > 1:
            raise Refusal("ALONE")
        return Asked(verb, arguments)
    for name in needed:
        if name not in arguments:
            raise Refusal("MISSING", name=name, verb=verb)
    for name, (form, expected) in _FORMS.items():
        if name in arguments and not form.fullmatch(arguments[name]):
            raise Refusal("FORM", name=name, expected=expected)
    _check_times(arguments)
    return Asked(verb, arguments)


def _check_times(arguments: Mapping[str, str]) -> None:
    times = {name: arguments[name] for name in ("from", "until") if name in arguments}
    for name, value in times.items():
        if not _is_time(value):
            raise Refusal("FORM", name=name, expected=f"{_DAY} | {_SECOND}")
    if len({len(value) for value in times.values()}) > 1:
        raise Refusal("GRANULARITY")
    if len(times) > 1 and times["from"] > times["until"]:
        raise Refusal("ORDER")


def _is_time(value: str) -> bool:
    if not _TIMES.fullmatch(value):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _first(time: str) -> str:
    return f"{time}T00:00:00Z" if len(time) == len(_DAY) else time


def _last(time: str) -> str:
    return f"{time}T23:59:59Z" if len(time) == len(_DAY) else time


def _resumed(verb: str, token: str) -> Selection:
    """What a token says. Anybody can make one, so it is read as mistrustfully as any value."""
    try:
        if len(token) > _MAX_TOKEN or not token.isascii():
            raise Refusal("TOKEN")
        values: Any = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), b"-_", True))
        *texts, begin, given = values
        found = Selection(*texts, begin=Position(*begin), given=given)
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise Refusal("TOKEN") from None
    sound = (
        found.verb == verb
        and found.prefix in PREFIXES
        and all(_is_plain(value) for value in (*texts, *found.begin))
        and all(not time or _is_time(time) for time in (found.start, found.end))
        and found.begin.known
        and type(given) is int
        and 0 < found.given < 2**31
    )
    if not sound:
        raise Refusal("TOKEN")
    return found


def _is_plain(value: object) -> bool:
    """Whether it is a text as tokens are made of; others cannot even be asked for."""
    return isinstance(value, str) and value.isascii()
