"""XML elements as text: escaped, and without characters that XML 1.0 does not have."""

import re
from datetime import UTC
from xml.sax.saxutils import escape, quoteattr

from google.protobuf.timestamp_pb2 import Timestamp

from peyvand.api.v1 import types_pb2

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def tag(name: str, *content: str, **attributes: str) -> str:
    """An element with content that is markup already; nothing where there is neither.

    In the names of attributes ``_`` stands for a colon: ``xml_lang``. Attributes that are
    empty are left out.
    """
    inner = "".join(content)
    given = {key: value for key, value in attributes.items() if value}
    if not inner and not given:
        return ""
    opening = name + "".join(
        f" {key.replace('_', ':')}={quoteattr(_clean(value))}" for key, value in given.items()
    )
    return f"<{opening}>{inner}</{name}>" if inner else f"<{opening}/>"


def said(text: str) -> str:
    """A text as content of an element."""
    return escape(_clean(text))


def leaf(name: str, text: str, **attributes: str) -> str:
    """An element that holds a text; nothing where there is none."""
    return tag(name, said(text), **attributes) if text.strip() else ""


def texts(name: str, value: types_pb2.LocalizedText) -> str:
    """An element for each language that a text is in."""
    return leaf(name, value.fa, xml_lang="fa") + leaf(name, value.en, xml_lang="en")


def of_vocabulary(name: str, vocabulary: str, value: str) -> str:
    """An element from the namespace of a vocabulary, with one of its values."""
    return tag(name, said(value), xmlns=vocabulary)


def full_date(message: object, field: str) -> str:
    """A date that is known to the day, else nothing: a part of one is no `xs:date`."""
    value = any_date(message, field)
    return value if len(value) == len("2025-04-25") else ""


def any_date(message: object, field: str) -> str:
    """A date at the precision that is known; empty where it is not."""
    value = getattr(message, field)
    assert isinstance(value, types_pb2.ImpreciseDate)
    return value.value


def moment(time: Timestamp) -> str:
    """A point in time to the second, in UTC: these sort as texts."""
    return time.ToDatetime(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
