"""Turns whatever is raised while a request is answered into a problem document."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from gateway.problems import BrokenRule, Place, ProblemError, response
from servicekit.errors import Fault

# What Pydantic finds, in the words of the contract; parameters by their name there.
_RULES: dict[str, tuple[str, dict[str, str]]] = {
    "missing": ("REQUIRED", {}),
    "extra_forbidden": ("UNKNOWN_FIELD", {}),
    "string_too_short": ("TOO_SHORT", {"min": "min_length"}),
    "string_too_long": ("TOO_LONG", {"max": "max_length"}),
    "string_pattern_mismatch": ("WRONG_FORMAT", {"expected": "pattern"}),
    "too_short": ("TOO_FEW_ITEMS", {"min": "min_length"}),
    "too_long": ("TOO_MANY_ITEMS", {"max": "max_length"}),
    "greater_than_equal": ("OUT_OF_RANGE", {"expected": "ge"}),
    "greater_than": ("OUT_OF_RANGE", {"expected": "gt"}),
    "less_than_equal": ("OUT_OF_RANGE", {"expected": "le"}),
    "less_than": ("OUT_OF_RANGE", {"expected": "lt"}),
    "enum": ("UNKNOWN_VALUE", {"allowed": "expected"}),
    "literal_error": ("UNKNOWN_VALUE", {"allowed": "expected"}),
}
_BOUND_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
_BY_STATUS = {
    404: "ROUTE_NOT_FOUND",
    406: "NOT_ACCEPTABLE",
    413: "BODY_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMITED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def install(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Register the handlers; `routes` are all routes of the application.

    Unexpected exceptions are caught further out, see `edge`.
    """

    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)
        return response(error, request.scope)

    async def on_fault(request: Request, error: Exception) -> Response:
        assert isinstance(error, Fault)
        return response(ProblemError.of(error), request.scope)

    async def on_validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return response(_from_pydantic(error), request.scope)

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return response(_from_http(routes, request, error), request.scope)

    app.add_exception_handler(ProblemError, on_problem)
    app.add_exception_handler(Fault, on_fault)
    app.add_exception_handler(RequestValidationError, on_validation)
    app.add_exception_handler(HTTPException, on_http)


def _from_http(routes: Sequence[BaseRoute], request: Request, error: HTTPException) -> ProblemError:
    headers = dict(error.headers or {})
    if error.status_code == 405:
        # Starlette names the methods of the first route at the address only.
        methods = allowed_methods(routes, request)
        headers["Allow"] = ", ".join(methods)
        params = {"method": request.method, "allowed": ", ".join(methods)}
        return ProblemError("METHOD_NOT_ALLOWED", params, allowed=methods, headers=headers)
    if error.status_code in _BY_STATUS:
        return ProblemError(_BY_STATUS[error.status_code], headers=headers)
    if error.status_code < 500:
        return ProblemError("MALFORMED_BODY", {"detail": str(error.detail)}, headers=headers)
    return ProblemError("INTERNAL", headers=headers)


def allowed_methods(routes: Sequence[BaseRoute], request: Request) -> list[str]:
    """Methods that the request's address takes."""
    methods: set[str] = set()
    for route in routes:
        match, _ = route.matches(request.scope)
        if match is not Match.NONE:
            methods |= set(getattr(route, "methods", None) or ())
    return sorted(methods)


def _from_pydantic(error: RequestValidationError) -> ProblemError:
    found: list[dict[str, Any]] = list(error.errors())
    for item in found:
        if item["type"] == "json_invalid":
            detail = str(item.get("ctx", {}).get("error", "it cannot be parsed"))
            return ProblemError("MALFORMED_BODY", {"detail": detail})
    return ProblemError("INVALID_ARGUMENT", broken=[_broken(item) for item in found])


def _broken(item: dict[str, Any]) -> BrokenRule:
    source, *rest = item["loc"]
    name = ".".join(map(str, rest))
    if source == "header":
        place = Place(header="-".join(part.capitalize() for part in name.split("-")))
    elif source == "body":
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in rest)
        place = Place(pointer="".join(f"/{step}" for step in steps))
    else:
        place = Place(parameter=name)
    context = item.get("ctx", {})
    kind = str(item["type"])
    if kind in _RULES:
        rule, names = _RULES[kind]
        params = {
            param: f"{_BOUND_SIGNS[key]} {context[key]}" if key in _BOUND_SIGNS else context[key]
            for param, key in names.items()
            if key in context
        }
        return BrokenRule(place, rule, {key: str(value) for key, value in params.items()})
    if kind.endswith(("_type", "_parsing")):
        return BrokenRule(place, "WRONG_TYPE", {"expected": kind.rpartition("_")[0]})
    return BrokenRule(place, "WRONG_FORMAT", {"expected": str(item.get("msg", kind))})
