"""``POST /v1/files`` and ``GET /v1/evidence/{evidence_id}/file``."""

import base64
import re
from collections.abc import AsyncIterator
from typing import Any, cast
from urllib.parse import quote

import orjson
import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gateway import transcoding
from gateway.auth import Caller, caller
from gateway.codec import to_object
from gateway.operations import EVERYWHERE
from gateway.problems import BrokenRule, Place, ProblemError, connection_language
from gateway.schemas import Schema, Schemas, text
from gateway.shapes import Variant
from peyvand.projects.v1 import evidence_pb2
from servicekit.contract import Rpc, contract
from servicekit.errors import Fault
from servicekit.ids import id_pattern, is_id
from servicekit.object_store import DamagedError, ObjectStore, spool
from servicekit.policy import authorize
from servicekit.rpc_client import CallContext

log = structlog.get_logger()

PATH = "/v1/files"
_JSON = "application/json"
_ANY = "application/octet-stream"
_DIGEST = "Repr-Digest"
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*")
_MAX_MEDIA_TYPE = 127
# A digest of RFC 9530: a dictionary of algorithms, of which this one is asked for.
_SHA_256 = re.compile(r"(?:^|,)[ \t]*sha-256=([^,]*)")
_BYTES = re.compile(r":([A-Za-z0-9+/]{43}=):[ \t]*")
_CRITERIA = "/peyvand.projects.v1.Criteria"


def router(
    objects: ObjectStore | None, backend: transcoding.Backend, *, limit: int, timeout: float
) -> APIRouter:
    """The routes of files. `limit` of a file in bytes, `timeout` of a call in seconds."""
    routes = APIRouter(tags=["files"])

    @routes.post(
        PATH,
        operation_id="store_file",
        summary="Keeps a file, for evidence to name",
        description=_DESCRIPTION.format(limit=limit),
        status_code=201,
        response_class=Response,
        responses={201: _stored_response()},
        openapi_extra={
            "parameters": [_DIGEST_PARAMETER],
            "requestBody": {
                "required": True,
                "description": "The file itself, of any media type; not a form.",
                "content": {_ANY: {"schema": _file_schema(limit)}},
            },
            "x-reasons": [*EVERYWHERE, *_ROLES_ASKED, *_REASONS_OF_POST],
        },
    )
    async def store_file(request: Request) -> Response:
        who, _ = _admitted(request, "CreateEvidence")
        transcoding.require_acceptable(request, _JSON)
        media_type = _media_type(request)
        expected = _expected_digest(request)
        if objects is None:
            raise Fault("FILES_NOT_SET_UP")
        body = transcoding.stream_body(request, limit)
        stored = await _store(objects, body, expected, who.principal.subject)
        stored.media_type = media_type
        return Response(
            orjson.dumps(to_object(stored)),
            status_code=201,
            media_type=_JSON,
            headers={"Cache-Control": "no-store"},
        )

    @routes.get(
        "/v1/evidence/{evidence_id}/file",
        operation_id="get_evidence_file",
        summary="Gives the file that a piece of evidence is",
        description=_DESCRIPTION_OF_GET,
        response_class=Response,
        responses={200: _file_response(limit)},
        openapi_extra={
            "parameters": [_ID_PARAMETER],
            "x-reasons": [*EVERYWHERE, *_ROLES_ASKED, *_REASONS_OF_GET],
        },
    )
    async def get_evidence_file(request: Request) -> Response:
        who, rpc = _admitted(request, "GetEvidence")
        evidence_id: str = request.path_params["evidence_id"]
        if not is_id(evidence_id, "evd"):
            expected = {"expected": "evd_…"}
            broken = BrokenRule(Place(parameter="evidence_id"), "WRONG_ID_KIND", expected)
            raise ProblemError("INVALID_ARGUMENT", broken=[broken])
        # The projects service says whether this caller sees the evidence.
        context = CallContext(who.token, connection_language(request), timeout)
        asked = evidence_pb2.GetEvidenceRequest(evidence_id=evidence_id)
        answer = await backend.call(rpc, asked, context)
        evidence = cast("evidence_pb2.Evidence", answer)
        if not evidence.HasField("file"):
            raise Fault("EVIDENCE_HAS_NO_FILE", {"uri": evidence.reference.uri})
        if objects is None:
            raise Fault("FILES_NOT_SET_UP")
        return await _give(objects, evidence)

    del store_file, get_evidence_file
    return routes


def _admitted(request: Request, name: str) -> tuple[Caller, Rpc]:
    """Who calls, if the contract lets them do what the file is for. Raises `Fault`."""
    who = caller(request)
    rpc = contract().rpcs[f"{_CRITERIA}/{name}"]
    authorize(rpc, who.principal)
    if request.query_params:
        unknown = Place(parameter=next(iter(request.query_params))[:100])
        raise ProblemError("INVALID_ARGUMENT", broken=[BrokenRule(unknown, "UNKNOWN_FIELD")])
    return who, rpc


def _media_type(request: Request) -> str:
    """The media type of the file, without parameters."""
    media_type = request.headers.get("content-type", _ANY).partition(";")[0].strip().lower()
    plain = request.headers.get("content-encoding", "identity").lower() == "identity"
    # A form would be kept with its boundaries, and not be the file that was meant.
    is_form = media_type in ("multipart/form-data", "application/x-www-form-urlencoded")
    fits = _MEDIA_TYPE.fullmatch(media_type) and len(media_type) <= _MAX_MEDIA_TYPE
    if is_form or not plain or not fits:
        raise ProblemError("UNSUPPORTED_MEDIA_TYPE", {"accepted": _ANY})
    return media_type


def _expected_digest(request: Request) -> str | None:
    """The SHA-256 that the sender says the file has, in hexadecimal."""
    given = _SHA_256.search(request.headers.get(_DIGEST, ""))
    if given is None:
        return None
    encoded = _BYTES.fullmatch(given[1])
    if encoded is None:
        expected = {"expected": "sha-256=:<Base64 of 32 bytes>:"}
        broken = BrokenRule(Place(header=_DIGEST), "WRONG_FORMAT", expected)
        raise ProblemError("INVALID_ARGUMENT", broken=[broken])
    return base64.b64decode(encoded[1]).hex()


async def _store(
    objects: ObjectStore, pieces: AsyncIterator[bytes], expected: str | None, sender: str
) -> evidence_pb2.StoredFile:
    with spool() as arrived:
        async for piece in pieces:
            await arrived.write(piece)
        sha256 = await arrived.finish()
        if expected is not None and sha256 != expected:
            raise Fault("DIGEST_DIFFERS", {"sha256": sha256})
        if not arrived.size_bytes:
            raise ProblemError(
                "INVALID_ARGUMENT", broken=[BrokenRule(Place(pointer=""), "REQUIRED")]
            )
        await objects.put(arrived, sha256, sender=sender)
        return evidence_pb2.StoredFile(sha256=sha256, size_bytes=arrived.size_bytes)


async def _give(objects: ObjectStore, evidence: evidence_pb2.Evidence) -> Response:
    file = evidence.file
    pieces = await objects.read(file.sha256)
    if pieces is None:
        log.error("the file of evidence is gone", evidence=evidence.id, sha256=file.sha256)
        raise Fault("INTERNAL")
    try:
        # Before anything is answered: a small file that is damaged is told as a problem.
        first = await anext(pieces)
    except DamagedError as error:
        raise Fault("INTERNAL") from error
    digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
    return StreamingResponse(
        _all(first, pieces),
        media_type=file.media_type,
        headers={
            "Content-Length": str(file.size_bytes),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
            _DIGEST: f"sha-256=:{digest}:",
            "Cache-Control": "private, no-cache",
            "Vary": "Authorization, Cookie",
        },
    )


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _stored_response() -> dict[str, Any]:
    schemas = Schemas()
    full_name = evidence_pb2.StoredFile.DESCRIPTOR.full_name
    (message,) = (m for m in contract().messages() if m.full_name == full_name)
    reference = schemas.message(message, Variant.OUT)
    schema = schemas.components[reference["$ref"].rpartition("/")[2]]
    return {"description": "Kept.", "content": {_JSON: {"schema": schema}}}


def _file_schema(limit: int) -> Schema:
    return text("The bytes of the file.", max_length=limit) | {"format": "binary"}


def _file_response(limit: int) -> dict[str, Any]:
    return {
        "description": "The file, in the media type that it was sent in.",
        "content": {_ANY: {"schema": _file_schema(limit)}},
        "headers": {
            "Content-Disposition": {
                "description": "Its name; it is to be saved, not shown.",
                "schema": text("As in RFC 6266.", max_length=1000),
            },
            _DIGEST: {"description": "Its SHA-256 (RFC 9530).", "schema": _DIGEST_SCHEMA},
        },
    }


_DESCRIPTION = """\
Takes a file as the body of the request, of at most {limit} bytes, and keeps it under its SHA-256. \
The answer says which one it is; evidence then names the file by it. Only who has sent a file, or \
sees it as evidence already, can name it: to know its SHA-256 is not enough. With `Repr-Digest` \
(RFC 9530) what arrived is compared with what was sent, and nothing is kept that differs.

The same file again is the same file, so that a request whose answer was lost can be sent again \
without an `Idempotency-Key`. A file that no evidence names after 24 hours is forgotten.

**Nothing of patients.** A file must hold no names, ids, images, samples or records of patients or \
of anybody else: no case histories, no signed consent forms, no images of persons. What is needed \
of such documents is shown by a report on them, or by a reference to where they are kept lawfully.

Open to: `hq_admin`, `center_admin`, `center_operator`."""
_DESCRIPTION_OF_GET = """\
Gives the file to those who see the evidence. It comes as an attachment, to be saved; its last \
bytes are sent only once the whole is known to be what was stored.

Open to: `hq_admin`, `hq_analyst`, `center_admin`, `center_operator`."""
_ROLES_ASKED = ("UNAUTHENTICATED", "PERMISSION_DENIED", "FILES_NOT_SET_UP")
_REASONS_OF_POST = ("BODY_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "DIGEST_DIFFERS")
_REASONS_OF_GET = ("NOT_FOUND", "ROUTE_NOT_FOUND", "EVIDENCE_HAS_NO_FILE")
_DIGEST_SCHEMA: Schema = {
    "type": "string",
    "pattern": r"^[!-~ \t]*$",
    "maxLength": 1000,
    "examples": ["sha-256=:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=:"],
}
_DIGEST_PARAMETER = {
    "name": _DIGEST,
    "in": "header",
    "required": False,
    "description": "The SHA-256 of the file (RFC 9530), to be compared with what arrives.",
    "schema": _DIGEST_SCHEMA,
}
_ID_PARAMETER = {
    "name": "evidence_id",
    "in": "path",
    "required": True,
    "description": "Id of the evidence.",
    "schema": {"type": "string", "pattern": id_pattern("evd"), "maxLength": 30},
}
