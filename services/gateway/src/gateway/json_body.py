"""From the bytes of a request body to plain objects, trusting nothing.

The standard parser is used, not a faster one, because it alone can tell that a
key stands twice: two parsers that disagree on which of them counts are an old
way around checks (RFC 8259, section 4).
"""

import json
from collections.abc import Iterator
from typing import Any, NoReturn, cast

from servicekit.errors import Fault

MAX_DEPTH = 32
_MAX_DIGITS = 4000  # of a whole number; Python itself reads 4300


def parse(body: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Read a body. Raises `Fault` ``MALFORMED_BODY`` that says what is wrong with it."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_short,
        )
    except UnicodeDecodeError as error:
        raise _malformed(f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _malformed(f"{error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise _malformed(f"nested deeper than {max_depth} levels") from None
    except ValueError as error:
        raise _malformed(str(error)) from None
    # A body with few brackets cannot be deep, and most bodies have few.
    if body.count(b"[") + body.count(b"{") > max_depth and _depth_exceeds(value, max_depth):
        raise _malformed(f"nested deeper than {max_depth} levels")
    # Without an escape, text that UTF-8 decoded has no lone surrogate. A NUL is sound
    # JSON: the field that it stands in refuses it, by its name.
    if b"\\u" in body:
        for text in _texts(value):
            _check_text(text)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {_shown(key)} stands twice in one object")
            seen.add(key)
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _short(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError("a number is too large")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number


def _depth_exceeds(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [item for parent in level for item in _children(parent)]
    return any(isinstance(item, dict | list) for item in level)


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from cast("dict[str, Any]", value).values()
    elif isinstance(value, list):
        yield from cast("list[Any]", value)


def _texts(value: Any) -> Iterator[str]:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            yield from cast("dict[str, Any]", item)
        pending.extend(_children(item))


def _check_text(text: str) -> None:
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise _malformed("a text holds half of a surrogate pair")


def _shown(key: str) -> str:
    return json.dumps(key if len(key) <= 50 else f"{key[:50]}…", ensure_ascii=True)


def _malformed(detail: str) -> Fault:
    return Fault("MALFORMED_BODY", {"detail": detail})
