"""Problem documents (RFC 9457): the one form in which anything that went wrong is told.

A reason and its sentences stand in the contract; here they meet the caller's
language and the place in the request that they speak of.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Scope

from gateway import problem_words
from gateway.codec import unescape
from gateway.languages import Language, choose
from servicekit import tracing
from servicekit.contract import contract
from servicekit.errors import Fault, Violation

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = "2"
"""When to ask again after an outage: probes and callers notice its end within that time."""

_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Place:
    """Where in a request a value stands: one of body (JSON pointer), parameter and header.

    In a file of rows also its line and the path of its field within the row.
    """

    pointer: str | None = None
    parameter: str | None = None
    header: str | None = None
    line: int | None = None
    field: str | None = None


Locate = Callable[[str], Place]


@dataclass(frozen=True)
class BrokenRule:
    """A rule that a value of the request breaks, and where the value stands."""

    place: Place
    rule: str
    params: Mapping[str, str] = field(default_factory=dict)


class ProblemError(Exception):
    """A fault that knows the places in the HTTP request that it speaks of."""

    def __init__(
        self,
        reason: str,
        params: Mapping[str, str] | None = None,
        *,
        broken: Sequence[BrokenRule] = (),
        allowed: Sequence[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.params = dict(params or {})
        self.broken = tuple(broken)
        self.allowed = None if allowed is None else tuple(allowed)
        self.headers = dict(headers or {})

    @classmethod
    def of(cls, fault: Fault, locate: Locate | None = None) -> "ProblemError":
        """Give a fault its places; `locate` knows them by the path of the request field."""
        find = locate or (lambda path: Place(pointer=pointer(path)))
        return cls(
            fault.reason,
            fault.params,
            broken=[
                BrokenRule(find(item.field), item.reason, item.params) for item in fault.violations
            ],
            allowed=fault.allowed,
        )

    @classmethod
    def invalid(cls, violations: Sequence[Violation], locate: Locate) -> "ProblemError":
        """Make the problem for values that break rules."""
        return cls.of(Fault.invalid(*violations), locate)


def pointer(path: str) -> str:
    """JSON pointer (RFC 6901) of a field path: ``rows[3].names.fa`` → ``/rows/3/names/fa``."""
    if not path:
        return ""
    parts = path.replace("[", ".").replace("]", "").split(".")
    return "".join("/" + unescape(part).replace("~", "~0").replace("/", "~1") for part in parts)


def document(problem: ProblemError, language: Language) -> tuple[int, dict[str, Any]]:
    """Give the HTTP status and the members of a problem document."""
    known = contract().errors
    reason = problem.reason if problem.reason in known else "INTERNAL"
    spec = known[reason]
    members: dict[str, Any] = {
        "type": f"/problems/{reason}",
        "title": problem_words.title(reason, spec.http_status, language),
        "status": spec.http_status,
        "detail": sentence(reason, problem.params, language),
        "reason": reason,
    }
    if problem.broken:
        members["errors"] = [_error(item, language) for item in problem.broken]
    if problem.allowed is not None:
        members["allowed"] = list(problem.allowed)
    members["trace_id"] = tracing.current_trace_id() or None
    return spec.http_status, members


def sentence(reason: str, params: Mapping[str, str], language: Language) -> str:
    """Sentence for a reason, filled; what is not known of it shows as an ellipsis."""
    spec = contract().errors.get(reason)
    if spec is None:
        return reason

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        return problem_words.word(name, _printable(params.get(name, "…")), language)

    return _PARAMETER.sub(fill, spec.fa if language == "fa" else spec.en)


def response(problem: ProblemError, scope: Scope) -> Response:
    """Answer with a problem document in the language that the caller reads."""
    language = choose(Headers(scope=scope).get("accept-language", ""))
    status, members = document(problem, language)
    headers = {
        "Content-Language": language,
        "Vary": "Accept-Language",
        "Cache-Control": "no-store",
        **problem.headers,
    }
    if status == 503:
        headers.setdefault("Retry-After", RETRY_SECONDS)
    if status == 401:
        headers["WWW-Authenticate"] = _challenge(problem)
    return Response(
        orjson.dumps(members), status_code=status, media_type=MEDIA_TYPE, headers=headers
    )


def connection_language(connection: HTTPConnection) -> Language:
    """Language that a caller reads."""
    return choose(connection.headers.get("accept-language", ""))


def _challenge(problem: ProblemError) -> str:
    # RFC 6750, section 3: no error code when no token came at all.
    if problem.reason == "UNAUTHENTICATED":
        return 'Bearer realm="peyvand"'
    return 'Bearer realm="peyvand", error="invalid_token"'


def _error(item: BrokenRule, language: Language) -> dict[str, Any]:
    place = {
        "pointer": item.place.pointer,
        "parameter": item.place.parameter,
        "header": item.place.header,
        "field": item.place.field,
    }
    line = {} if item.place.line is None else {"line": item.place.line}
    return {
        **{name: _printable(value) for name, value in place.items() if value is not None},
        **line,
        "rule": item.rule,
        "detail": sentence(item.rule, item.params, language),
    }


def _printable(text: str) -> str:
    # What a caller sent comes back in the answer, which keeps the rules of texts itself.
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")
