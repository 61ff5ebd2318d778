"""The words that sentences about problems are filled with, in the caller's language.

What the contract has a label for (states, kinds of resources, roles) is called by it. What
the edge itself says of a value stands here in Persian. Names that a caller has to type
stay as they are: fields, steps, ids, headers, patterns.
"""

import functools
import re
from collections.abc import Callable

from google.protobuf.descriptor_pool import Default

from gateway.languages import Language
from servicekit.contract import contract, enum_names, resource_spec, value_label

# Parameters of sentences whose values are names out of the contract.
_NAMED = frozenset(
    {
        "state",
        "goal",
        "kind",
        "parent_kind",
        "decision",
        "voted",
        "direction",
        "pathway",
        "stage",
        "stages",
        "to_stage",
        "present",
    }
)
# Beside the label of a role stands its name: tokens carry that.
_ROLES = "roles"
# How many votes there are, or how many for each kind of decision: ``go: 2, hold: 1``.
_VOTES, _VOTE = "votes", re.compile(r"[a-z_]+")

_TITLES_FA = {
    400: "درخواست نادرست",
    401: "نیازمند ورود",
    403: "بدون اجازه",
    404: "یافت نشد",
    405: "روش ناپذیرفته",
    406: "شکل ناپذیرفته",
    409: "ناسازگار با وضعیت کنونی",
    412: "نسخهٔ کهنه",
    413: "بزرگ‌تر از اندازه",
    415: "گونهٔ ناپذیرفته",
    422: "مقدار ناپذیرفته",
    428: "پیش‌شرط لازم است",
    429: "درخواست بیش از اندازه",
    500: "خطای داخلی",
    503: "بیرون از دسترس",
    504: "پایان مهلت",
    507: "کمبود جا",
}

# In full; the first that fits is taken.
_FA: tuple[tuple[str, str], ...] = (
    (r"an object", "یک شیء"),
    (r"a list", "یک فهرست"),
    (r"a text", "یک متن"),
    (r"an id", "یک شناسه"),
    (r"true or false", "true یا false"),
    (r"a whole number", "عددی صحیح"),
    (r"a whole number in quotes", "عددی صحیح در گیومه"),
    (r"a number", "یک عدد"),
    (r"a number of double precision", "عددی با دقت مضاعف"),
    (r"an RFC 3339 time", "زمانی به شکل RFC 3339"),
    (r"UTF-8 text", "متنی به UTF-8"),
    (r"text without NUL|no NUL", "متنی بدون نویسهٔ NUL"),
    (r"more than (\S+)", r"بیش از \1"),
    (r"at least (\S+)", r"دست‌کم \1"),
    (r"at most (\S+)", r"بیشینه \1"),
    (r"at least (\S+) and at most (\S+)", r"از \1 تا \2"),
    (r"at most (\d+) bytes altogether", r"روی هم بیشینه \1 بایت"),
    (r"a place in an order: (.+)", r"جایگاهی در یک ترتیب: \1"),
    (r"(\S+) or (\S+)", r"\1 یا \2"),
    # What is wrong with a body.
    (r"it is empty", "خالی است"),
    (r"byte (\d+) is not UTF-8", r"بایت \1 متن UTF-8 نیست"),
    (r".+ at line (\d+) column (\d+)", r"سطر \1، ستون \2 به شکل JSON نیست"),
    (r"(\S+) is not JSON", r"\1 در JSON جایی ندارد"),
    (r"a number is too large", "عددی بیش از اندازه بزرگ است"),
    (r"a text holds half of a surrogate pair", "متنی نیمی از یک جفت جانشین دارد"),
    (r"nested deeper than (\d+) levels", r"بیش از \1 لایه تودرتو است"),
    (r"the key (.+) stands twice(?: in one object)?", r"کلید \1 دو بار آمده است"),
    (r"it is not JSON", "JSON نیست"),
    (r"it is not YAML", "YAML نیست"),
    (r"aliases are not taken", "نام مستعار YAML پذیرفته نمی‌شود"),
    (r"anchors are not taken", "لنگر YAML پذیرفته نمی‌شود"),
    (r"tags are not taken", "برچسب YAML پذیرفته نمی‌شود"),
    (r"a second document begins", "سند دومی آغاز می‌شود"),
    (r"more than (\d+) values", r"بیش از \1 مقدار"),
    (r"a key must be a text", "کلید باید متن باشد"),
    # What is wrong with a token.
    (
        r"send Authorization: Bearer <token>",
        "سرآیند را به شکل Authorization: Bearer <token> بفرستید",
    ),
    (r"it is not a token", "توکن نیست"),
    (r"the scheme must be Bearer", "طرح باید Bearer باشد"),
    (r"the signature cannot be verified", "امضای آن تأییدپذیر نیست"),
    (r"signing in was not begun here", "ورود از همین‌جا آغاز نشده است؛ دوباره بکوشید"),
    (r"the issuer did not let you in", "صادرکنندهٔ توکن اجازهٔ ورود نداد"),
    (r"the issuer gave no token that can be used", "صادرکننده توکنی که به کار آید نداد"),
    (r"[Tt]he token is expired", "زمان آن گذشته است"),
    # What is wrong with a file.
    (r"(.+) stands twice", r"\1 دو بار آمده است"),
    (r"one has no name", "یکی نام ندارد"),
    (r"(\d+) cells under (\d+) columns", r"\1 خانه زیر \2 ستون"),
    (r"more than (\d+) columns", r"بیش از \1 ستون"),
)


def title(reason: str, status: int, language: Language) -> str:
    """Short name of a kind of problem, for people: ``Stale etag``."""
    if language == "fa":
        return _TITLES_FA.get(status, _TITLES_FA[500])
    return reason.replace("_", " ").capitalize()


def word(parameter: str, value: str, language: Language) -> str:
    """How the value of a parameter reads in a sentence."""
    if parameter == "resource":
        return _resources(language).get(value, value)
    if language != "fa":
        return value
    if parameter in _NAMED:
        return "، ".join(_labels().get(name, name) for name in value.split(", "))
    if parameter == _VOTES:
        return _VOTE.sub(lambda found: _labels().get(found[0], found[0]), value)
    if parameter == _ROLES:
        return "، ".join(_with_label(name) for name in value.split(", "))
    return _in_persian(value)


def _in_persian(value: str) -> str:
    at = re.fullmatch(r"(.+) at line (\d+)", value)
    text, place = (at[1], f"، سطر {at[2]}") if at else (value, "")
    for pattern, persian in _patterns():
        if match := pattern.fullmatch(text):
            return match.expand(persian) + place
    return text + place


def _with_label(name: str) -> str:
    label = _labels().get(name)
    return f"{label} ({name})" if label else name


@functools.cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(pattern), persian) for pattern, persian in _FA]


@functools.cache
def _resources(language: Language) -> dict[str, str]:
    """What people call each kind of resource, by the name of its aggregate."""
    known: dict[str, str] = {}
    for message in contract().messages():
        if spec := resource_spec(message):
            cased: Callable[[str], str] = str.lower if language == "en" else str
            known[spec.aggregate] = cased(spec.label.fa if language == "fa" else spec.label.en)
    return known


@functools.cache
def _labels() -> dict[str, str]:
    """Persian labels of the values of enums; a name that means several things has none."""
    found: dict[str, set[str]] = {}
    for name in contract().file_names:
        for enum in Default().FindFileByName(name).enum_types_by_name.values():
            names = enum_names(enum)
            for value in enum.values:
                if label := value_label(value).fa:
                    found.setdefault(names[value.number], set()).add(label)
    return {name: labels.pop() for name, labels in found.items() if len(labels) == 1}
