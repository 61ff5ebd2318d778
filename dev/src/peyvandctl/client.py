"""Talks to the public API on behalf of the command line."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import httpx

from peyvandctl.errors import ClusterError
from peyvandctl.issuer import LocalIssuer
from peyvandctl.paths import Home
from peyvandctl.state import LOOPBACK, State

_DEFAULT_PORT = "8080"
_TIMEOUT = 30.0
# Each POST has an idempotency key.
_REPEATABLE = ("GET", "POST")
_PAUSE = 0.5  # seconds
# Seconds in which nothing of a long answer comes.
_DOWNLOAD_SILENCE = 120.0


class ApiError(ClusterError):
    """The gateway refused a call.

    Attributes:
        problem: the problem document (RFC 9457), or empty when there was none.
        status: the HTTP status; 0 when nobody answered.
    """

    def __init__(
        self,
        message: str,
        mend: str = "",
        *,
        problem: Mapping[str, Any] | None = None,
        status: int = 0,
    ) -> None:
        super().__init__(message, mend)
        self.problem = dict(problem or {})
        self.status = status

    @property
    def exit_code(self) -> int:
        """2: the call was refused as it is; 3: nobody answers; 4: not allowed; 1: a fault."""
        if self.status == 0:
            return 3
        if self.status in (401, 403):
            return 4
        return 1 if self.status >= 500 else 2

    @property
    def passes(self) -> bool:
        """Whether the same call may well succeed in a moment."""
        return self.status in (503, 504) or self.problem.get("reason") == "IDEMPOTENCY_KEY_IN_USE"


@dataclass(frozen=True)
class Access:
    """Where the network is and who asks.

    Attributes:
        url: base address of the gateway, without a slash at the end.
        token: sent with each call; none for what is public.
        language: of the sentences in answers, ``en`` or ``fa``.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    language: str = "en"

    @classmethod
    def locate(cls, url: str | None, token: str | None, language: str) -> Access:
        """Take what is given, else the environment, else the network of the home.

        A token of the local issuer is only ever sent to the network that it is for.

        Raises:
            ClusterError: the state of the home cannot be read.
        """
        home = Home.locate()
        own = _own_url(home)
        chosen = (url or os.environ.get("PEYVAND_URL") or own).rstrip("/")
        token = token or os.environ.get("PEYVAND_TOKEN") or None
        if token is None and chosen == own:
            token = _own_token(home)
        return cls(chosen, token, language)


def _own_url(home: Home) -> str:
    recorded = State(home).gateway_url
    return recorded or f"http://{LOOPBACK}:{os.environ.get('PEYVAND_PORT') or _DEFAULT_PORT}"


def _own_token(home: Home) -> str | None:
    try:
        return LocalIssuer(home, State(home).cluster_id).mint("hq_admin", ttl=3600)
    except ClusterError:
        # Not on this machine, or not this user's: what is public can still be read.
        return None


class Api:
    """Calls the gateway; what it refuses becomes `ApiError`.

    `patience` is for how many seconds a call is made again that a service was away for, or
    too slow, where it can do nothing twice: as while a network starts.
    """

    def __init__(
        self,
        access: Access,
        transport: httpx.BaseTransport | None = None,
        *,
        patience: float = 0.0,
    ) -> None:
        self.access = access
        self._patience = patience
        headers = {"Accept-Language": access.language, "User-Agent": "peyvand-cli"}
        if access.token:
            headers["Authorization"] = f"Bearer {access.token}"
        self._client = httpx.Client(
            base_url=access.url, headers=headers, timeout=_TIMEOUT, transport=transport
        )

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **query: str | int | None) -> dict[str, Any]:
        """Read one thing. Query values that are None are left out."""
        given = {name: value for name, value in query.items() if value is not None}
        return _members(self._send("GET", path, params=given))

    def post(
        self,
        path: str,
        *,
        content: bytes = b"{}",
        media_type: str = "application/json",
        key: str | None = None,
        etag: str | None = None,
        query: Mapping[str, str] | None = None,
        timeout: float = _TIMEOUT,
    ) -> dict[str, Any]:
        """Send something, under a new idempotency key when none is given.

        `etag` is the version tag of what was read, where a step is taken from there.
        """
        headers = {"Content-Type": media_type, "Idempotency-Key": key or secrets.token_hex(16)}
        if etag is not None:
            headers["If-Match"] = f'"{etag}"'
        return _members(
            self._send(
                "POST", path, content=content, headers=headers, params=query, timeout=timeout
            )
        )

    def patch(self, path: str, content: bytes, *, etag: str) -> dict[str, Any]:
        """Change some fields of what was read as `etag`."""
        return self._change("PATCH", path, content, etag)

    def put(self, path: str, content: bytes, *, etag: str) -> dict[str, Any]:
        """Replace what was read as `etag`."""
        return self._change("PUT", path, content, etag)

    def _change(self, method: str, path: str, content: bytes, etag: str) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "If-Match": f'"{etag}"'}
        return _members(self._send(method, path, content=content, headers=headers))

    def pages(
        self, path: str, collection: str, limit: int | None = None, **query: str | int | None
    ) -> list[dict[str, Any]]:
        """Read a list from its first page to its last, or until there are `limit` items."""
        found: list[dict[str, Any]] = []
        token: str | None = None
        while True:
            size = 200 if limit is None else min(200, limit - len(found))
            page = self.get(path, page_size=size, page_token=token, **query)
            found += cast("list[dict[str, Any]]", page[collection])
            token = page.get("next_page_token")
            if not token or (limit is not None and len(found) >= limit):
                return found

    @contextmanager
    def stream(self, path: str, **query: str) -> Generator[Iterator[str]]:
        """Read the lines of an answer that goes on, with a limit on silence alone."""
        timeout = httpx.Timeout(_TIMEOUT, read=60.0)
        headers = {"Accept": "text/event-stream"}
        try:
            with self._client.stream(
                "GET", path, params=query, headers=headers, timeout=timeout
            ) as answer:
                if answer.status_code >= 400:
                    answer.read()
                    raise _refusal(answer)
                yield answer.iter_lines()
        except httpx.HTTPError as error:
            raise self._out_of_reach(error) from error

    @contextmanager
    def download(self, path: str, **query: str) -> Generator[Iterator[bytes]]:
        """Read an answer that is no JSON, piece by piece."""
        timeout = httpx.Timeout(_TIMEOUT, read=_DOWNLOAD_SILENCE)
        try:
            with self._client.stream("GET", path, params=query, timeout=timeout) as answer:
                if answer.status_code >= 400:
                    answer.read()
                    raise _refusal(answer)
                yield answer.iter_bytes()
        except httpx.HTTPError as error:
            raise self._out_of_reach(error) from error

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        until = time.monotonic() + self._patience
        while True:
            try:
                answer = self._client.request(method, path, **options)
            except httpx.HTTPError as error:
                raise self._out_of_reach(error) from error
            if answer.status_code < 400:
                return answer
            refusal = _refusal(answer)
            if method not in _REPEATABLE or not refusal.passes or time.monotonic() > until:
                raise refusal
            time.sleep(_PAUSE)

    def _out_of_reach(self, error: Exception) -> ApiError:
        return ApiError(
            f"Nobody answers at {self.access.url}: {error}.",
            "Start the network (make run), or say where it is: --url or PEYVAND_URL. "
            "peyvand doctor looks for the cause.",
        )


def _members(answer: httpx.Response) -> dict[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ApiError(
            f"{answer.url} did not answer with JSON: is this a Peyvand gateway?",
            "Say where the network is: --url or PEYVAND_URL.",
            status=502,
        )
    return cast("dict[str, Any]", document)


_MENDS = {
    "UNAUTHENTICATED": "Send a token by --token or PEYVAND_TOKEN; see: peyvand token --help",
    "TOKEN_REJECTED": "Get a new token: peyvand token --role hq_admin, or from your issuer.",
    "PERMISSION_DENIED": "Use a token with one of these roles.",
    "UNAVAILABLE": "Try again; peyvand doctor says what is away.",
    "DEADLINE_EXCEEDED": "Try again; peyvand doctor says what is slow.",
    "RATE_LIMITED": "Wait, then try again.",
}


def _refusal(answer: httpx.Response) -> ApiError:
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict) or "detail" not in document:
        return ApiError(
            f"{answer.url} answered with HTTP {answer.status_code}.",
            "Is this a Peyvand gateway? Say where it is: --url or PEYVAND_URL.",
            status=answer.status_code,
        )
    problem = cast("dict[str, Any]", document)
    mend = _MENDS.get(str(problem.get("reason")), "")
    if not mend and answer.status_code >= 500:
        mend = f"Its trace is {problem.get('trace_id')}; look for it in the logs."
    return ApiError(str(problem["detail"]), mend, problem=problem, status=answer.status_code)
