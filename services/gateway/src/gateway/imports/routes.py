"""``POST /v1/imports`` and ``GET /v1/imports/{import_id}``."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gateway import transcoding
from gateway.auth import caller
from gateway.closing import Closing
from gateway.codec import MAX_VIOLATIONS, to_object
from gateway.imports.checking import Backend
from gateway.imports.rows import MAX_ROWS
from gateway.imports.sections import sections
from gateway.imports.service import (
    CSV,
    JSON,
    MEDIA_TYPES,
    TABLE_KINDS,
    YAML,
    Imports,
    Upload,
)
from gateway.imports.store import ImportStore
from gateway.languages import Language
from gateway.operations import EVERYWHERE
from gateway.parameters import HEADER_TEXT_PATTERN, header_rule, read_header
from gateway.problems import BrokenRule, Place, ProblemError, connection_language, sentence
from gateway.schemas import Schema, Schemas, text
from gateway.shapes import Variant, fields_by_name
from peyvand.api.v1 import imports_pb2 as pb
from peyvand.centers.v1 import centers_pb2
from servicekit.contract import contract
from servicekit.errors import Violation
from servicekit.ids import id_pattern
from servicekit.policy import authorize

BODY_LIMIT = 4 * 1024 * 1024
PATH = "/v1/imports"

# The header is the same wherever it is taken; the contract says what it may be.
_KEY = header_rule(fields_by_name(centers_pb2.CreateCenterRequest.DESCRIPTOR)["idempotency_key"])
_BOOLEANS = {"true": True, "false": False}


def router(store: ImportStore, backend: Backend, closing: Closing, *, wait: float) -> APIRouter:
    """The routes of imports. What has begun has the time that `closing` leaves it.

    `wait` is for how many seconds whoever sends a file waits for its check.
    """
    imports = Imports(store, backend, closing, wait)

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncGenerator[None]:
        yield
        await imports.close()

    routes = APIRouter(tags=["imports"], lifespan=lifespan)

    @routes.post(
        PATH,
        operation_id="import_file",
        summary="Brings the network to what a file says",
        description=_DESCRIPTION,
        status_code=202,
        response_class=Response,
        responses=_responses(),
        openapi_extra={
            "parameters": _PARAMETERS,
            "requestBody": {"required": True, "content": _contents()},
            "x-reasons": [*EVERYWHERE, *_REASONS, *_REASONS_OF_POST],
        },
    )
    async def import_file(request: Request) -> Response:
        who = _admitted(request)
        language = connection_language(request)
        dry_run, kind, key = _parameters(request)
        transcoding.require_media_type(request, *MEDIA_TYPES)
        media_type = request.headers["content-type"].partition(";")[0].strip().lower()
        _require_fitting_kind(media_type, kind)
        raw = await transcoding.read_body(request, BODY_LIMIT)
        upload = Upload(raw, media_type, kind)
        progress = await imports.begin(upload, who, key, language, dry_run=dry_run)
        if not progress.id:
            return _answer(progress, language, 200)
        headers = {"Location": f"{PATH}/{progress.id}"}
        return _answer(progress, language, 202, headers)

    @routes.get(
        PATH + "/{import_id}",
        operation_id="get_import",
        summary="Gives an import: how far it is, and what became of the rows",
        description=_DESCRIPTION_OF_GET,
        response_class=Response,
        responses={200: _response("The import.")},
        openapi_extra={
            "parameters": [_ID_PARAMETER],
            "x-reasons": [*EVERYWHERE, *_REASONS, "NOT_FOUND", "ROUTE_NOT_FOUND"],
        },
    )
    async def get_import(request: Request) -> Response:
        _admitted(request)
        _refuse_unknown(request, frozenset())
        found = await imports.find(request.path_params["import_id"])
        return _answer(found.progress, connection_language(request), 200)

    del import_file, get_import
    return routes


def _admitted(request: Request) -> Any:
    """Who calls, if the contract lets them import. Raises `Fault`."""
    who = caller(request)
    for rpc in {section.rpc.path: section.rpc for section in sections().values()}.values():
        authorize(rpc, who.principal)
    transcoding.require_acceptable(request, JSON)
    return who


def _parameters(request: Request) -> tuple[bool, str, str]:
    """Read the parameters outside the body: dry run, kind, idempotency key."""
    broken = _refuse_unknown(request, frozenset({"dry_run", "kind"}), raise_=False)
    dry_run = request.query_params.get("dry_run", "false")
    if dry_run not in _BOOLEANS:
        expected = {"expected": "true or false"}
        broken.append(BrokenRule(Place(parameter="dry_run"), "WRONG_TYPE", expected))
    kind = request.query_params.get("kind", "")
    if "kind" in request.query_params and kind not in TABLE_KINDS:
        allowed = {"allowed": ", ".join(TABLE_KINDS)}
        broken.append(BrokenRule(Place(parameter="kind"), "UNKNOWN_VALUE", allowed))
    target = centers_pb2.CreateCenterRequest()
    found: list[Violation] = []
    missing = read_header(_KEY, request.headers, target, found)
    broken += [BrokenRule(Place(header=_KEY.name), v.reason, v.params) for v in found]
    if broken:
        raise ProblemError("INVALID_ARGUMENT", broken=broken)
    if missing:
        raise ProblemError(missing)
    return _BOOLEANS[dry_run], kind, target.idempotency_key


def _refuse_unknown(
    request: Request, known: frozenset[str], *, raise_: bool = True
) -> list[BrokenRule]:
    broken: list[BrokenRule] = []
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            broken.append(BrokenRule(Place(parameter=name[:100]), "UNKNOWN_FIELD"))
        elif name in seen:
            broken.append(BrokenRule(Place(parameter=name), "DUPLICATE", {"value": name}))
        seen.add(name)
    broken = broken[:MAX_VIOLATIONS]
    if broken and raise_:
        raise ProblemError("INVALID_ARGUMENT", broken=broken)
    return broken


def _require_fitting_kind(media_type: str, kind: str) -> None:
    rule = None
    if media_type == CSV and not kind:
        rule = "REQUIRED"
    elif media_type != CSV and kind:
        rule = "UNKNOWN_FIELD"
    if rule:
        raise ProblemError("INVALID_ARGUMENT", broken=[BrokenRule(Place(parameter="kind"), rule)])


def _answer(
    progress: pb.Import, language: Language, status: int, headers: dict[str, str] | None = None
) -> Response:
    members = to_object(progress)
    for refusal in members["refusals"]:
        refusal["detail"] = sentence(refusal["rule"], refusal["params"], language)
    return Response(
        orjson.dumps(members, option=orjson.OPT_UTC_Z),
        status_code=status,
        media_type=JSON,
        headers={
            "Cache-Control": "no-store",
            "Content-Language": language,
            "Vary": "Accept-Language",
            **(headers or {}),
        },
    )


def _inlined(schema: Any, components: dict[str, Schema]) -> Any:
    """A schema without references, for a document that does not hold them yet."""
    if isinstance(schema, list):
        return [_inlined(item, components) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(components[schema["$ref"].rpartition("/")[2]], components)
    return {name: _inlined(value, components) for name, value in schema.items()}


def _import_schema() -> Schema:
    schemas = Schemas()
    full_name = pb.Import.DESCRIPTOR.full_name
    (message,) = (m for m in contract().messages() if m.full_name == full_name)
    reference = schemas.message(message, Variant.OUT)
    return _inlined(reference, schemas.components)


def _response(description: str) -> dict[str, Any]:
    return {"description": description, "content": {JSON: {"schema": _import_schema()}}}


def _responses() -> dict[int | str, dict[str, Any]]:
    begun = _response("Begun; its address is in `Location`.")
    begun["headers"] = {"Location": {"$ref": "#/components/headers/Location"}}
    return {200: _response("A dry run: every row could be applied."), 202: begun}


def _contents() -> dict[str, Any]:
    names = ", ".join(f"`{name}`" for name in sections())
    rows = {"type": "array", "maxItems": MAX_ROWS, "items": {"type": "object"}}
    members = {name: {**rows, "description": f"Rows of {name}."} for name in sections()}
    document = {
        "type": "object",
        "description": f"Lists of rows by kind: {names}.",
        "properties": members,
        "additionalProperties": False,
    }
    file = text("The file.", max_length=BODY_LIMIT)
    return {
        YAML: {"schema": file},
        JSON: {"schema": document},
        CSV: {"schema": file | {"description": "A table with a header."}},
    }


_DESCRIPTION = """\
Takes rows as YAML or JSON (lists by kind), or as a CSV table of one `kind`. A row is a resource \
as it should end up: it is found again by its `external_key`, made or changed, and walked to the \
`state` that it gives. Where a field holds an id, the external key of the other resource can stand.

The whole file is checked first, by all services together. If any row breaks a rule the answer is \
a problem whose `errors` name line, field and rule of each, and nothing is written. With \
`dry_run=true` it ends there and says what would be done.

A check that takes longer than some seconds goes on in the background: the answer is then 202 \
with an import that is `checking`, and `Location` is where to see how far it is. It ends as \
`checked` if it was a dry run, and as `rejected` if rows break rules, which `refusals` then name \
as `errors` would have done. A dry run has idempotency keys of its own: the same key can then be \
used to apply.

Otherwise the rows are applied in the background, each in a transaction of its own. The same file \
again changes nothing; an import that broke off is finished by sending its file again.

In a table a column is named by the path of its field (`code`, `names.fa`, `position.latitude`); \
cells are separated by commas, semicolons or tabs, items of a list by `|`. Persian digits and \
Jalali dates with their day are converted.

Open to: `hq_admin`."""

_DESCRIPTION_OF_GET = """\
Imports are kept for seven days, by the broker. If its store is lost, so is the report of an \
import, and not what it has done: the same file, sent again, finds its rows applied.

Open to: `hq_admin`."""

_REASONS = ("UNAUTHENTICATED", "PERMISSION_DENIED")
_REASONS_OF_POST = (
    "MALFORMED_FILE",
    "NOT_UTF_8",
    "BODY_TOO_LARGE",
    "UNSUPPORTED_MEDIA_TYPE",
    "IDEMPOTENCY_KEY_REQUIRED",
    "IDEMPOTENCY_KEY_REUSED",
)
_PARAMETERS = [
    {
        "name": "dry_run",
        "in": "query",
        "description": "Only check, and say what would be done.",
        "schema": {"type": "boolean"},
    },
    {
        "name": "kind",
        "in": "query",
        "description": "What the rows of a CSV table are; for a table only.",
        "schema": {"type": "string", "enum": list(TABLE_KINDS)},
    },
    {
        "name": _KEY.name,
        "in": "header",
        "required": True,
        "description": "Unique text of the caller's choice; the same key gives the same import.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": _KEY.shape.max_length,
            "pattern": HEADER_TEXT_PATTERN,
            "examples": ["7f9c2b1e-first-try"],
        },
    },
]
_ID_PARAMETER = {
    "name": "import_id",
    "in": "path",
    "required": True,
    "description": "Id of the import.",
    "schema": {"type": "string", "pattern": id_pattern("imp"), "maxLength": 30},
}
