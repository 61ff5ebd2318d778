"""What GA4GH service-info 1.0.0 and service-registry 1.0.0 ask of an answer, as JSON Schema.

From the published specifications (tag ``v1.0.0`` of ga4gh-service-info, ``1.0.0`` of
ga4gh-service-registry): which members there are, which are required, and their formats.
What they only recommend is asked as well: ids and groups are domains from their end.
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker

_REVERSED = r"^[a-z0-9-]+(\.[A-Za-z0-9_-]+)+$"
_URI = {"type": "string", "format": "uri"}
_TIME = {"type": "string", "format": "date-time"}

SERVICE_TYPE: dict[str, Any] = {
    "type": "object",
    "required": ["group", "artifact", "version"],
    "properties": {
        "group": {"type": "string", "pattern": _REVERSED},
        "artifact": {"type": "string", "minLength": 1},
        "version": {"type": "string", "minLength": 1},
    },
}
SERVICE: dict[str, Any] = {
    "type": "object",
    "required": ["id", "name", "type", "organization", "version"],
    "properties": {
        "id": {"type": "string", "pattern": _REVERSED},
        "name": {"type": "string", "minLength": 1},
        "type": SERVICE_TYPE,
        "description": {"type": "string"},
        "organization": {
            "type": "object",
            "required": ["name", "url"],
            "properties": {"name": {"type": "string", "minLength": 1}, "url": _URI},
        },
        "contactUrl": _URI,
        "documentationUrl": _URI,
        "createdAt": _TIME,
        "updatedAt": _TIME,
        "environment": {"type": "string", "enum": ["prod", "test", "dev", "staging"]},
        "version": {"type": "string", "minLength": 1},
    },
}
EXTERNAL_SERVICE: dict[str, Any] = {
    "allOf": [SERVICE, {"type": "object", "properties": {"url": _URI}, "required": ["url"]}]
}
SERVICES: dict[str, Any] = {"type": "array", "items": EXTERNAL_SERVICE}
SERVICE_TYPES: dict[str, Any] = {"type": "array", "items": SERVICE_TYPE, "uniqueItems": True}
ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["status", "title"],
    "properties": {
        "status": {"type": "integer"},
        "title": {"type": "string"},
        "detail": {"type": "string"},
    },
}

# The library checks these two formats only where other packages are installed.
_FORMATS = FormatChecker(formats=())
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@_FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    parts = urlsplit(str(value))
    return bool(parts.scheme) and bool(parts.netloc or parts.path) and " " not in str(value)


@_FORMATS.checks("date-time")
def _is_time(value: object) -> bool:
    return _RFC_3339.fullmatch(str(value)) is not None


def faults(document: Any, schema: dict[str, Any]) -> list[str]:
    """What of a document is not as the standard says."""
    found: Iterable[Any] = Draft202012Validator(schema, format_checker=_FORMATS).iter_errors(
        document
    )
    return [f"{error.json_path}: {error.message}" for error in found]
