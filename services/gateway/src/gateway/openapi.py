"""The published OpenAPI 3.1 document: the contract's operations, and the composed ones."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from gateway import problem_words, problems
from gateway.operations import EVERYWHERE, Operation
from gateway.parameters import (
    HEADER_TEXT_PATTERN,
    IF_NONE_MATCH,
    MAX_IF_NONE_MATCH,
    PRINTABLE_PATTERN,
    HeaderRule,
    if_match_pattern,
)
from gateway.problems import ProblemError
from gateway.schemas import Schema, Schemas, text
from gateway.settings import GatewaySettings
from gateway.shapes import FieldShape, Variant
from servicekit.contract import contract

TITLE = "Peyvand"
VERSION = "1"
_ANSWERS_WITH_RATE = ("RateLimit", "RateLimit-Policy")
_DESCRIPTION = """\
One network of the comprehensive stem cell and regenerative medicine centers of Iran.

**Unknown is visible.** Every field of an answer is always present; what is not known is `null`,
never left out, never guessed and never an empty text.

**Changes are safe.** `PATCH` changes the keys that the body has and leaves the others; `null`
clears one. `PATCH` and the custom verbs take the `ETag` that was read as `If-Match`. Each `POST`
takes an `Idempotency-Key`: the same key never acts twice, so a call whose answer was lost can be
sent again.

**Lists** give pages of `page_size` with a `next_page_token`, which is `null` on the last one.

**Errors** are problem documents (RFC 9457) in Persian or English by `Accept-Language`. `reason`
is stable; `type` is the address of a page about it; `errors` names each value and its rule.

**Numbers of 64 bits** are texts; times are RFC 3339 in UTC; unknown keys are refused.
"""


def document(
    known: Sequence[Operation], composed: Sequence[BaseRoute], settings: GatewaySettings
) -> Schema:
    """Make the document; `composed` are the routes that are written by hand."""
    writer = _Writer(known)
    paths: Schema = {}
    for operation in known:
        paths.setdefault(operation.path, {})[operation.method.lower()] = writer.operation(operation)
    by_hand = get_openapi(title=TITLE, version=VERSION, routes=composed)
    tags = _tags(known)
    for path, item in by_hand.get("paths", {}).items():
        for method, described in item.items():
            paths.setdefault(path, {})[method] = writer.composed(described)
            tags += [
                {"name": name, "description": f"{name}."}
                for name in described.get("tags", ())
                if name not in {tag["name"] for tag in tags}
            ]
    schemas = by_hand.get("components", {}).get("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": VERSION,
            "summary": "The national network of stem cell and regenerative medicine centers",
            "description": _DESCRIPTION,
            "contact": {"name": TITLE, "url": settings.site, "email": settings.contact},
            "license": {"name": "Terms of the network", "url": f"{settings.site}/terms"},
        },
        "servers": [
            {
                "url": "/",
                "description": "This gateway, in production and on one machine alike.",
                "x-internal": "false",
            }
        ],
        "tags": sorted(tags, key=lambda tag: str(tag["name"]).lower()),
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A JSON Web Token of the issuer that this network trusts, "
                    "used as RFC8725 (JWT best current practices) says.",
                }
            },
            "schemas": dict(sorted((writer.schemas.components | schemas).items())),
            "responses": dict(sorted(writer.responses.items())),
            "headers": _HEADERS,
            "links": dict(sorted(writer.links.items())),
            "examples": dict(sorted(writer.examples.items())),
        },
    }


class _Writer:
    def __init__(self, known: Sequence[Operation]) -> None:
        self.schemas = Schemas()
        self.schemas.components["Problem"] = _PROBLEM
        self.schemas.components["BrokenRule"] = _BROKEN_RULE
        self.responses: dict[str, Schema] = {}
        self.examples: dict[str, Schema] = {}
        self.links: dict[str, Schema] = {}
        self._next = _next_operations(known)

    def operation(self, operation: Operation) -> Schema:
        """Describe an operation of the contract."""
        described: Schema = {
            "operationId": operation.operation_id,
            "tags": [operation.tag],
            "summary": operation.summary,
            "description": _prose(operation),
            "parameters": [
                *(self._parameter(shape, "path") for shape in operation.path_fields),
                *(self._parameter(shape, "query") for shape in operation.query_fields),
                *(_header_parameter(rule) for rule in operation.headers),
            ],
        }
        if operation.answers_304:
            described["parameters"].append(_IF_NONE_MATCH)
        if operation.takes_body:
            described["requestBody"] = {
                "required": operation.body_required,
                "content": {"application/json": {"schema": self._body(operation)}},
            }
        described["responses"] = self._success(operation) | self.refusals(operation.reasons())
        if operation.is_public:
            described["security"] = [{"bearer": []}, {}]
        return described

    def composed(self, described: Schema) -> Schema:
        """Complete what FastAPI says of a route that is written by hand."""
        answers: Schema = described.get("responses", {})
        answers.pop("422", None)
        declared: Iterable[str] = described.pop("x-reasons", ())
        for answer in answers.values():
            answer.setdefault("headers", {}).update(_rate_headers())
        described["responses"] = answers | self.refusals((*EVERYWHERE, *declared))
        return described

    def refusals(self, reasons: Iterable[str]) -> Schema:
        """Describe the problem documents of an operation, by HTTP status."""
        by_status: dict[int, list[str]] = {}
        for reason in sorted(set(reasons)):
            by_status.setdefault(contract().error(reason).http_status, []).append(reason)
        return {str(status): self._refusal(names) for status, names in sorted(by_status.items())}

    def _refusal(self, reasons: list[str]) -> Schema:
        name = ".".join(reasons)
        if name not in self.responses:
            for reason in reasons:
                self.examples[reason] = {
                    "summary": problem_words.title(
                        reason, contract().error(reason).http_status, "en"
                    ),
                    "value": _example(reason),
                }
            headers = _rate_headers()
            if any(contract().error(reason).http_status in (429, 503) for reason in reasons):
                headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
            lines = [f"- `{reason}`: {contract().error(reason).comment}" for reason in reasons]
            self.responses[name] = {
                "description": "\n".join(lines),
                "headers": headers,
                "content": {
                    problems.MEDIA_TYPE: {
                        "schema": {"$ref": "#/components/schemas/Problem"},
                        "examples": {
                            reason: {"$ref": f"#/components/examples/{reason}"}
                            for reason in reasons
                        },
                    }
                },
            }
        return {"$ref": f"#/components/responses/{name}"}

    def _success(self, operation: Operation) -> Schema:
        headers = _rate_headers()
        if operation.gives_etag:
            name = "WeakETag" if operation.etag_is_weak else "ETag"
            headers["ETag"] = {"$ref": f"#/components/headers/{name}"}
        answers: Schema = {}
        if operation.answers_304:
            answers["304"] = {
                "description": "It is still as `If-None-Match` says.",
                "headers": dict(headers),
            }
        if operation.creates:
            headers["Location"] = {"$ref": "#/components/headers/Location"}
        answer: Schema = {"description": _SUCCESS[operation.status], "headers": headers}
        if operation.status != 204:
            schema = self.schemas.message(operation.rpc.descriptor.output_type, Variant.OUT)
            answer["content"] = {"application/json": {"schema": schema}}
        if links := self._links(operation):
            answer["links"] = links
        return {str(operation.status): answer} | answers

    def _links(self, operation: Operation) -> Schema:
        """What can be done next with the resource that an operation answers with."""
        resource = operation.rpc.descriptor.output_type.full_name
        following = self._next.get(resource, ()) if operation.gives_etag else ()
        for item in following:
            self.links[item.operation_id] = _link(item)
        return {
            item.operation_id: {"$ref": f"#/components/links/{item.operation_id}"}
            for item in following
        }

    def _body(self, operation: Operation) -> Schema:
        if operation.body_field is not None:
            return self.schemas.message(operation.body_field.message, operation.variant)
        request = operation.rpc.descriptor.input_type
        return self.schemas.selection(
            request.name, request, operation.variant, operation.body_members
        )

    def _parameter(self, shape: FieldShape, place: str) -> Schema:
        described: Schema = {
            "name": shape.name,
            "in": place,
            "description": shape.comment,
            "schema": self.schemas.parameter(shape),
        }
        if place == "path" or shape.required:
            described["required"] = True
        return described


_SUCCESS = {200: "Done; the answer.", 201: "Recorded.", 204: "Done; there is nothing to say."}


def _prose(operation: Operation) -> str:
    roles = operation.rpc.role_names
    allowed = "everyone" if operation.is_public else ", ".join(f"`{role}`" for role in roles)
    return f"{operation.rpc.comment}\n\nOpen to: {allowed}."


def _header_parameter(rule: HeaderRule) -> Schema:
    is_etag = rule.name == "If-Match"
    schema = {
        "type": "string",
        "minLength": 1,
        # The quotes, and the mark of a weak tag, come on top of the tag itself.
        "maxLength": rule.shape.max_length + (4 if is_etag else 0),
        "pattern": if_match_pattern(rule.shape.max_length) if is_etag else HEADER_TEXT_PATTERN,
        "examples": ['"1"' if is_etag else "7f9c2b1e-first-try"],
    }
    return {
        "name": rule.name,
        "in": "header",
        "required": rule.missing is not None,
        "description": rule.shape.comment,
        "schema": schema,
    }


def _next_operations(known: Sequence[Operation]) -> dict[str, list[Operation]]:
    """Operations on one resource, by the full name of its message."""
    found: dict[str, list[Operation]] = {}
    for creating in known:
        if creating.creates:
            # `/centers/{center_id}`, its verbs and what lies below; but no further ids.
            below = re.compile(re.escape(creating.path) + r"/\{\w+\}(?![^:/])[^{]*\Z")
            resource = creating.rpc.descriptor.output_type.full_name
            found[resource] = [item for item in known if below.match(item.path)]
    return found


def _link(operation: Operation) -> Schema:
    *outer, own = (shape.name for shape in operation.path_fields)
    parameters = {f"path.{name}": f"$request.path.{name}" for name in outer}
    parameters[f"path.{own}"] = "$response.body#/id"
    if any(rule.name == "If-Match" for rule in operation.headers):
        parameters["header.If-Match"] = "$response.header.ETag"
    return {
        "operationId": operation.operation_id,
        "description": operation.summary,
        "parameters": parameters,
    }


def _tags(known: Sequence[Operation]) -> list[Schema]:
    services = {op.tag: op.rpc.descriptor.containing_service.full_name for op in known}
    return [
        {"name": name, "description": contract().comment(full_name) or f"{name}."}
        for name, full_name in services.items()
    ]


def _rate_headers() -> Schema:
    names = (*_ANSWERS_WITH_RATE, "X-Trace-Id", "Access-Control-Allow-Origin")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _example(reason: str) -> Schema:
    broken = ()
    if reason == "INVALID_ARGUMENT":
        broken = (problems.BrokenRule(problems.Place(pointer="/names/fa"), "REQUIRED"),)
    allowed = ("resume", "close") if reason == "ILLEGAL_TRANSITION" else None
    _, members = problems.document(ProblemError(reason, broken=broken, allowed=allowed), "en")
    return members | {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}


def _header(description: str, schema: Schema) -> Schema:
    return {"description": description, "schema": schema}


_HEADERS: dict[str, Schema] = {
    "Access-Control-Allow-Origin": _header(
        "Given when the request comes from a web application that may call.",
        text("An origin.", max_length=300),
    ),
    "ETag": _header(
        "Version tag of the resource, to be sent back as `If-Match`.",
        text("A version tag.", pattern='^"[^"]*"$', max_length=102),
    ),
    "Location": _header(
        "Address of the new resource.",
        text("An address.", max_length=2000) | {"format": "uri-reference"},
    ),
    "RateLimit": _header(
        "How many calls are left, `r`, and in how many seconds the quota is whole again, `t`.",
        text("As in the IETF draft RateLimit header fields.", max_length=200),
    ),
    "RateLimit-Policy": _header(
        "The quota, `q` calls in `w` seconds.",
        text("As in the IETF draft RateLimit header fields.", max_length=200),
    ),
    "Retry-After": _header(
        "Seconds to wait.",
        {"type": "integer", "format": "int32", "minimum": 0, "maximum": 86400},
    ),
    "WeakETag": _header(
        "Version tag of the answer; it stays while only times of asking and of hearing change.",
        text("A weak version tag.", pattern='^W/"[^"]*"$', max_length=104),
    ),
    "X-Trace-Id": _header(
        "Trace id of the request (W3C Trace Context).",
        text("32 hexadecimal digits.", pattern="^[0-9a-f]{32}$", max_length=32),
    ),
}

_IF_NONE_MATCH: Schema = {
    "name": IF_NONE_MATCH,
    "in": "header",
    "description": "The `ETag` that was read; the answer is 304 while it still holds.",
    "schema": {
        "type": "string",
        "maxLength": MAX_IF_NONE_MATCH,
        "pattern": PRINTABLE_PATTERN,
        "examples": ['"1"'],
    },
}

_BROKEN_RULE: Schema = {
    "type": "object",
    "description": "A rule that one value of the request breaks.",
    "properties": {
        "pointer": text("JSON pointer (RFC 6901) into the body.", max_length=4000),
        "parameter": text("Name of a path or query parameter.", max_length=1000),
        "header": text("Name of a header.", max_length=100),
        "field": text("Path of the field within its row of a file.", max_length=1000),
        "line": {
            "type": "integer",
            "format": "int32",
            "minimum": 1,
            "maximum": 2**31 - 1,
            "description": "Line of a file, from 1.",
        },
        "rule": text("The rule; stable.", pattern="^[A-Z][A-Z0-9_]*$", max_length=64),
        "detail": text("The rule in words."),
    },
    "required": ["rule", "detail"],
    "additionalProperties": False,
}
_PROBLEM: Schema = {
    "type": "object",
    "description": "What went wrong (RFC 9457), in the language of `Accept-Language`.",
    "properties": {
        "type": text("Address of a page about the reason.", max_length=200)
        | {"format": "uri-reference"},
        "title": text("The reason in short.", max_length=200),
        "status": {
            "type": "integer",
            "format": "int32",
            "minimum": 400,
            "maximum": 599,
            "description": "The HTTP status.",
        },
        "detail": text("What went wrong this time, and what helps."),
        "reason": text("The reason; stable.", pattern="^[A-Z][A-Z0-9_]*$", max_length=64),
        "errors": {
            "type": "array",
            "maxItems": 1000,
            "items": {"$ref": "#/components/schemas/BrokenRule"},
            "description": "Each value that breaks a rule.",
        },
        "allowed": {
            "type": "array",
            "maxItems": 100,
            "items": text("A step or a method.", max_length=100),
            "description": "What is possible instead.",
        },
        "trace_id": text("Tell us this to have it looked at.", max_length=32)
        | {"type": ["string", "null"]},
    },
    "required": ["type", "title", "status", "detail", "reason", "trace_id"],
    "additionalProperties": False,
}


def to_text(described: dict[str, Any]) -> str:
    """Write the document as it is committed: readable, stable, one line break at the end."""
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"
