"""Which of the interface's two languages a caller reads (RFC 9110, section 12.5.4)."""

import functools
from typing import Literal

Language = Literal["en", "fa"]

DEFAULT: Language = "en"
_MAX_HEADER = 1000


def choose(accept_language: str) -> Language:
    """Choose by an `Accept-Language` header; English when nothing fits, as a tool expects."""
    # Cut before it is remembered: a header may be as long as a request.
    return _choose(accept_language[:_MAX_HEADER])


@functools.lru_cache(maxsize=512)
def _choose(accept_language: str) -> Language:
    best: Language = DEFAULT
    best_quality = 0.0
    for item in accept_language.split(","):
        tag, _, parameters = item.strip().partition(";")
        quality = _quality(parameters)
        language = _language(tag.strip().lower())
        if language and quality > best_quality:
            best, best_quality = language, quality
    return best


def _language(tag: str) -> Language | None:
    primary = tag.split("-", maxsplit=1)[0]
    if primary == "fa":
        return "fa"
    return "en" if primary in ("en", "*") else None


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if not name.strip():
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0) if name.strip().lower() == "q" else 1.0
    except ValueError:
        return 0.0
