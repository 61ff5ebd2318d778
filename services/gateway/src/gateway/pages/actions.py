"""What people do on the page: acknowledge an alert, let a node join, set times of a center.

A form is sent with the page's own session and changes something, so it is taken from the
page itself only, as signing in is: what another site makes a browser send finds nothing
here. Who may do it is decided by the services, as for any other caller.
"""

import secrets
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qs

from google.protobuf.message import Message
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.auth import caller, is_cross_site
from gateway.languages import Language
from gateway.pages.thresholds import asked_thresholds
from gateway.pages.wording import wording
from gateway.problems import ProblemError
from gateway.transcoding import Backend, read_body
from peyvand.centers.v1 import centers_pb2, nodes_pb2
from peyvand.observatory.v1 import alerts_pb2
from servicekit.contract import contract
from servicekit.errors import Fault
from servicekit.policy import authorize
from servicekit.rpc_client import CallContext

_Answer = TypeVar("_Answer", bound=Message)

_FORM = "application/x-www-form-urlencoded"
_BODY_LIMIT = 16 * 1024
_MAX_FIELDS = 20


class Actions:
    """Takes the forms of the page. All of its calls raise `Fault` and `ProblemError`."""

    def __init__(self, backend: Backend, timeout: float) -> None:
        self._backend = backend
        self._timeout = timeout

    async def acknowledge(self, request: Request, alert_id: str, language: Language) -> Response:
        """Say that a person has seen an alert."""
        form = await read_form(request)
        await self._call(
            request,
            language,
            "observatory.v1.Observatory/AcknowledgeAlert",
            alerts_pb2.Alert,
            alerts_pb2.AcknowledgeAlertRequest(
                alert_id=alert_id, comment=form.get("comment", ""), idempotency_key=_key()
            ),
        )
        return _back("matters")

    async def apply(self, request: Request, language: Language) -> Response:
        """Ask for a node of a center."""
        form = await read_form(request)
        await self._call(
            request,
            language,
            "centers.v1.Nodes/CreateNode",
            nodes_pb2.Node,
            nodes_pb2.CreateNodeRequest(
                node=nodes_pb2.Node(
                    center_id=form.get("center_id", ""), name=form.get("name", "").strip()
                ),
                # Pressed twice, the form asks for one node.
                idempotency_key=form.get("key", "") or _key(),
            ),
        )
        return _back("nodes")

    async def approve(self, request: Request, node_id: str, language: Language) -> Response:
        """Agree that a node may join, as it was when the page showed it."""
        form = await read_form(request)
        await self._call(
            request,
            language,
            "centers.v1.Nodes/ApproveNode",
            nodes_pb2.Node,
            nodes_pb2.NodeStepRequest(
                node_id=node_id, etag=form.get("etag", ""), idempotency_key=_key()
            ),
        )
        return _back("nodes")

    async def token(
        self, request: Request, node_id: str, language: Language
    ) -> nodes_pb2.JoinToken:
        """Make a token for a node; it is in the answer this once and kept nowhere."""
        await read_form(request)
        return await self._call(
            request,
            language,
            "centers.v1.Nodes/CreateJoinToken",
            nodes_pb2.JoinToken,
            nodes_pb2.CreateJoinTokenRequest(node_id=node_id, idempotency_key=_key()),
        )

    async def set_thresholds(
        self, request: Request, center_id: str, language: Language
    ) -> Response:
        """Set after how long a silence of a center counts."""
        form = await read_form(request)
        await self._call(
            request,
            language,
            "centers.v1.Centers/UpdateCenter",
            centers_pb2.Center,
            asked_thresholds(center_id, form, wording(language)),
        )
        return back_to(f"/centers/{center_id}")

    async def _call(
        self,
        request: Request,
        language: Language,
        name: str,
        kind: type[_Answer],
        message: Message,
    ) -> _Answer:
        who = caller(request)
        rpc = contract().rpcs[f"/peyvand.{name}"]
        authorize(rpc, who.principal)
        context = CallContext(who.token, language, self._timeout)
        answer = await self._backend.call(rpc, message, context)
        assert isinstance(answer, kind)
        return answer


async def read_form(
    request: Request, limit: int = _BODY_LIMIT, max_fields: int = _MAX_FIELDS
) -> Mapping[str, str]:
    """The fields of a form that the page itself has sent. Raises `Fault` for any other.

    `limit` is that of the body, in bytes.
    """
    # As with signing in: for who comes from elsewhere there is no such address.
    if is_cross_site(request):
        raise Fault("ROUTE_NOT_FOUND")
    raw = await read_body(request, limit)
    if not raw:
        return {}
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _FORM:
        raise ProblemError("UNSUPPORTED_MEDIA_TYPE", {"accepted": _FORM})
    try:
        fields = parse_qs(
            raw.decode(), keep_blank_values=True, errors="strict", max_num_fields=max_fields
        )
    except ValueError:
        raise ProblemError("UNSUPPORTED_MEDIA_TYPE", {"accepted": _FORM}) from None
    return {name: values[-1] for name, values in fields.items()}


def _key() -> str:
    return secrets.token_hex(16)


def back_to(address: str) -> Response:
    """Send the browser on with GET, so that a reload does not send the form again."""
    return RedirectResponse(address, status_code=303, headers={"Cache-Control": "no-store"})


def _back(place: str) -> Response:
    return back_to(f"/#{place}")
