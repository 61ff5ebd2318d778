"""Answers HTTP requests with calls to the services, by the HTTP rules of the contract."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterable
from typing import Any, Protocol

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway import json_body
from gateway.auth import caller
from gateway.codec import Reader, to_json, unescape
from gateway.operations import Operation
from gateway.parameters import (
    IF_NONE_MATCH,
    ParameterReader,
    check_if_none_match,
    is_known,
    read_header,
)
from gateway.problems import Place, ProblemError, connection_language, pointer
from gateway.shapes import Variant
from servicekit.contract import Rpc
from servicekit.errors import Fault, Violation
from servicekit.policy import authorize
from servicekit.rpc_client import CallContext

JSON = "application/json"
# What is shown depends on who asks, and only the service knows whether it is fresh.
_READ_HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
# How much of a body that is too large is taken off the line before it is refused.
_DRAINED = 32 * 1024 * 1024  # bytes
_DRAIN_SECONDS = 10.0


class Backend(Protocol):
    """Where calls go; `servicekit.rpc_client.RpcClients` is the real one."""

    async def call(self, rpc: Rpc, request: Message, context: CallContext) -> Message:
        """Make one call and return the answer. Raises `Fault`."""
        ...


class _Segment(Convertor[str]):
    """A part of an address that ends before a custom verb: ``ctr_1`` of ``ctr_1:open``."""

    regex = "[^/:]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("segment", _Segment())


def routes(
    known: Iterable[Operation], backend: Backend, *, body_limit: int, timeout: float
) -> list[Route]:
    """One route for each operation. `body_limit` in bytes, `timeout` of a call in seconds."""
    return [
        Route(
            re.sub(r"\{(\w+)\}", r"{\1:segment}", operation.path),
            Transcoder(operation, backend, body_limit, timeout).answer,
            methods=[operation.method],
            name=operation.operation_id,
            include_in_schema=False,
        )
        for operation in known
    ]


class Transcoder:
    """Answers the requests of one operation."""

    def __init__(
        self, operation: Operation, backend: Backend, body_limit: int, timeout: float
    ) -> None:
        self._operation = operation
        self._backend = backend
        self._body_limit = body_limit
        self._timeout = timeout
        self._parameters = ParameterReader(operation.path_fields, operation.query_fields)
        self._parameter_names = {
            shape.name for shape in (*operation.path_fields, *operation.query_fields)
        }
        self._header_names = {rule.shape.name: rule.name for rule in operation.headers}
        self._body_path = operation.body_field.name if operation.body_field else ""
        self._reader = self._body_reader()

    async def answer(self, request: Request) -> Response:
        """Answer one request. Raises `Fault` and `ProblemError`."""
        operation = self._operation
        request.scope["path_template"] = operation.path
        who = caller(request)
        authorize(operation.rpc, who.principal)
        require_acceptable(request, JSON)
        message = await self._read_request(request)
        context = CallContext(who.token, connection_language(request), self._timeout)
        try:
            result = await self._backend.call(operation.rpc, message, context)
        except Fault as fault:
            raise ProblemError.of(fault, self._locate) from None
        return self._respond(request, result)

    def _body_reader(self) -> Reader | None:
        operation = self._operation
        if operation.body_field is not None:
            return Reader(operation.body_field.message, operation.variant)
        if operation.body_is_request:
            request = operation.rpc.descriptor.input_type
            return Reader(request, operation.variant, operation.outside_body)
        return None

    async def _read_request(self, request: Request) -> Message:
        message: Any = self._operation.rpc.request_class()
        outside: list[Violation] = []
        inside: list[Violation] = []
        query: bytes = request.scope["query_string"]
        self._parameters.read(request.path_params, query, message, outside)
        missing = None
        if self._operation.answers_304:
            check_if_none_match(request.headers, outside)
        for rule in self._operation.headers:
            missing = read_header(rule, request.headers, message, outside) or missing
        if self._reader is not None:
            self._read_body(self._reader, await self._body(request), message, inside)
        if outside or inside:
            broken = ProblemError.invalid(outside, self._locate_outside).broken
            broken += ProblemError.invalid(inside, self._locate).broken
            raise ProblemError("INVALID_ARGUMENT", broken=broken)
        if missing:
            raise ProblemError(missing)
        return message

    async def _body(self, request: Request) -> Any:
        raw = await read_body(request, self._body_limit)
        if not raw and not self._operation.body_required:
            return {}
        require_media_type(request, JSON)
        return json_body.parse(raw)

    def _read_body(self, reader: Reader, value: Any, message: Any, found: list[Violation]) -> None:
        field = self._operation.body_field
        target = message
        if field is not None:
            target = getattr(message, field.name)
            target.SetInParent()
        reader.read(value, target, self._body_path, found)
        if self._operation.variant is Variant.CHANGE and not found:
            # An empty mask means "all fields" to some; nobody means that by "{}".
            if not value:
                found.append(Violation(self._body_path, "TOO_FEW_ITEMS", {"min": "1"}))
            mask = FieldMask(paths=list(value))
            for shape in message.DESCRIPTOR.fields:
                if shape.message_type is FieldMask.DESCRIPTOR:
                    getattr(message, shape.name).CopyFrom(mask)

    def _locate_outside(self, path: str) -> Place:
        header = IF_NONE_MATCH if path == IF_NONE_MATCH else self._header_names.get(path)
        return Place(header=header) if header else Place(parameter=unescape(path))

    def _locate(self, path: str) -> Place:
        head = re.split(r"[.\[]", path, maxsplit=1)[0]
        if head in self._header_names or head in self._parameter_names:
            return self._locate_outside(path)
        if self._body_path and head == self._body_path:
            return Place(pointer=pointer(path.removeprefix(head).removeprefix(".")))
        return Place(pointer=pointer(path))

    def _respond(self, request: Request, result: Any) -> Response:
        operation = self._operation
        headers = dict(_READ_HEADERS) if operation.method == "GET" else {}
        if operation.gives_etag:
            etag = f'"{result.etag}"'
            headers["ETag"] = f"W/{etag}" if operation.etag_is_weak else etag
            if operation.answers_304 and is_known(request.headers, etag):
                return Response(status_code=304, headers=headers)
        if operation.creates:
            headers["Location"] = f"{request.url.path}/{result.id}"
        if operation.status == 204:
            return Response(status_code=204, headers=headers)
        return Response(
            to_json(result), status_code=operation.status, media_type=JSON, headers=headers
        )


async def read_body(request: Request, limit: int) -> bytes:
    """Read a body of at most `limit` bytes. Raises `ProblemError` ``BODY_TOO_LARGE``."""
    return b"".join([chunk async for chunk in stream_body(request, limit)])


async def stream_body(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Give a body of at most `limit` bytes piece by piece.

    Raises `ProblemError` ``BODY_TOO_LARGE`` when it turns out to have more.
    """
    declared = request.headers.get("content-length", "")
    too_large = declared.isdigit() and int(declared) > limit
    if too_large and request.headers.get("expect", "").lower() == "100-continue":
        # Nothing of it has been sent, and nothing will be.
        raise _too_large(limit)
    chunks = request.stream()
    size = 0
    if not too_large:
        async for chunk in chunks:
            size += len(chunk)
            if size > limit:
                break
            yield chunk
        else:
            return
    await _drain(chunks, size)
    raise _too_large(limit)


async def _drain(chunks: AsyncIterator[bytes], size: int) -> None:
    """Read what is too large for a while, and throw it away.

    Most clients read no answer before they have sent all, and the connection would be cut
    under them.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for chunk in chunks:
                size += len(chunk)
                if size > _DRAINED:
                    break


def require_media_type(request: Request, *accepted: str) -> None:
    """Raise `ProblemError` ``UNSUPPORTED_MEDIA_TYPE`` unless the body is of an accepted type."""
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    _, _, charset = parameters.lower().partition("charset=")
    plain = request.headers.get("content-encoding", "identity").lower() == "identity"
    if (
        media_type.strip().lower() in accepted
        and charset.strip(' "') in ("", "utf-8", "utf8")
        and plain
    ):
        return
    raise ProblemError("UNSUPPORTED_MEDIA_TYPE", {"accepted": ", ".join(accepted)})


def require_acceptable(request: Request, offered: str) -> None:
    """Raise `ProblemError` ``NOT_ACCEPTABLE`` unless the caller takes the offered media type."""
    accept = request.headers.get("accept")
    if not accept or accept == "*/*":
        return
    main = offered.split("/", maxsplit=1)[0]
    for item in accept.split(","):
        media_range, _, parameters = item.partition(";")
        refused = re.search(r"q=0(\.0*)?\s*(;|$)", parameters.strip().lower())
        if media_range.strip().lower() in ("*/*", f"{main}/*", offered) and not refused:
            return
    raise ProblemError("NOT_ACCEPTABLE", {"offered": offered})


def _too_large(limit: int) -> ProblemError:
    return ProblemError("BODY_TOO_LARGE", {"limit": str(limit)}, headers={"Connection": "close"})
