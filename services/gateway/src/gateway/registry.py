"""GA4GH service-info 1.0.0 and service-registry 1.0.0: what runs in this network.

Listed are the hub, the services behind it and the nodes that are active. A node takes
no connection from outside, so the hub answers for it: its `url` is an address here, and
``{url}/service-info`` gives what the registry says of it.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import orjson
import structlog
from fastapi import APIRouter
from fastapi import Path as PathParameter
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from starlette.requests import Request
from starlette.responses import Response

from gateway.auth import ANYONE
from gateway.openapi import TITLE
from gateway.openapi import VERSION as API_VERSION
from gateway.schemas import Schema, text
from gateway.settings import GatewaySettings
from gateway.transcoding import JSON, Backend, require_acceptable
from peyvand.centers.v1 import nodes_pb2
from peyvand.observatory.v1 import events_pb2, network_pb2
from servicekit.contract import contract
from servicekit.errors import Fault
from servicekit.rpc_client import CallContext

log = structlog.get_logger()

_Answer = TypeVar("_Answer", bound=Message)

REGISTRY_TYPE = {"group": "org.ga4gh", "artifact": "service-registry", "version": "1.0.0"}
NODE_PROTOCOL = "1"
_PACKAGE = "peyvand-gateway"
# How long one look at the network serves everyone who asks.
_FRESH_SECONDS = 2.0
_MAX_ID = 200
_ID = rf"^[A-Za-z0-9][A-Za-z0-9._-]{{0,{_MAX_ID - 1}}}$"
_URL = r"^(https?://|mailto:)[!-~]{1,500}$"
_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"
_Id = Annotated[str, PathParameter(max_length=_MAX_ID, pattern=_ID, description="The id.")]


def router(settings: GatewaySettings, backend: Backend, names: Iterable[str]) -> APIRouter:
    """Routes of both standards; `names` are the services that this gateway knows."""
    routes = APIRouter(tags=["discovery"])
    registry = Registry(settings, backend, names)

    @routes.get("/service-info", **_described("service_info", "Describes the hub.", _SERVICE))
    async def service_info(request: Request) -> Response:
        require_acceptable(request, JSON)
        return _answer(await registry.hub(_base(request)))

    @routes.get(
        "/services",
        **_described(
            "list_services",
            "Lists the hub, its services and the active nodes.",
            {"type": "array", "maxItems": 10_000, "items": _EXTERNAL},
            "UNAVAILABLE",
        ),
    )
    async def services(request: Request) -> Response:
        require_acceptable(request, JSON)
        return _answer(list((await registry.all(_base(request))).values()))

    @routes.get(
        "/services/types",
        **_described(
            "list_service_types",
            "Lists the kinds of services that are listed.",
            {"type": "array", "maxItems": 1000, "items": _TYPE},
            "UNAVAILABLE",
        ),
    )
    async def types(request: Request) -> Response:
        require_acceptable(request, JSON)
        listed = await registry.all(_base(request))
        kinds = {tuple(sorted(service["type"].items())) for service in listed.values()}
        return _answer([dict(kind) for kind in sorted(kinds)])

    @routes.get(
        "/services/{service_id}",
        **_described(
            "get_service", "Gives one of the services.", _EXTERNAL, "NOT_FOUND", "UNAVAILABLE"
        ),
    )
    async def one(request: Request, service_id: _Id) -> Response:
        require_acceptable(request, JSON)
        return _answer(await registry.one(_base(request), service_id))

    @routes.get(
        "/services/{service_id}/service-info",
        **_described(
            "get_service_info",
            "Answers for a service that cannot be reached itself.",
            _SERVICE,
            "NOT_FOUND",
            "UNAVAILABLE",
        ),
    )
    async def info_of_one(request: Request, service_id: _Id) -> Response:
        require_acceptable(request, JSON)
        found = await registry.one(_base(request), service_id)
        return _answer({name: value for name, value in found.items() if name != "url"})

    del service_info, services, types, one, info_of_one
    return routes


class Registry:
    """What is listed, from what everyone may see of the network."""

    def __init__(self, settings: GatewaySettings, backend: Backend, names: Iterable[str]) -> None:
        self._settings = settings
        self._backend = backend
        self._names = sorted(names)
        self._domain = reverse_domain(settings.site)
        self._release = _Release.installed()
        self._began: str | None = None
        self._status: network_pb2.NetworkStatus | None = None
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()

    async def hub(self, base: str) -> dict[str, Any]:
        """The hub itself, which is a service registry."""
        return {
            "id": f"{self._domain}.hub",
            "name": TITLE,
            "type": REGISTRY_TYPE,
            "description": "Hub of the national network of stem cell and regenerative medicine"
            " centers: its HTTP API, its pages and the registry of its services.",
            **self._common(base),
            **await self._dates(),
            "version": self._release.version,
        }

    async def all(self, base: str) -> dict[str, dict[str, Any]]:
        """Everything that is listed, by id. Raises `Fault` ``UNAVAILABLE``."""
        found = [await self.hub(base) | {"url": base}]
        dates = await self._dates()
        found += [self._service(base, name, dates) for name in self._names]
        for center in (await self._network()).centers:
            for node in center.nodes:
                if node.state == nodes_pb2.NODE_STATE_ACTIVE and not (node.sample or center.sample):
                    found.append(self._node(base, center, node))
        return {service["id"]: service for service in found}

    async def one(self, base: str, service_id: str) -> dict[str, Any]:
        """One of them. Raises `Fault` ``NOT_FOUND`` and ``UNAVAILABLE``."""
        found = (await self.all(base)).get(service_id)
        if found is None:
            raise Fault("NOT_FOUND", {"resource": "service", "id": service_id})
        return found

    def _common(self, base: str) -> dict[str, Any]:
        return {
            "organization": {"name": self._settings.organization, "url": self._settings.site},
            "contactUrl": f"mailto:{self._settings.contact}",
            "documentationUrl": f"{base}/docs",
            "environment": self._settings.environment_name,
        }

    def _service(self, base: str, name: str, dates: Mapping[str, str]) -> dict[str, Any]:
        return {
            "id": f"{self._domain}.{name}",
            "name": f"{TITLE} {name}",
            "type": {"group": self._domain, "artifact": name, "version": API_VERSION},
            "description": _prose(name),
            **self._common(base),
            **dates,
            "version": self._release.version,
            # Its operations are relative to the gateway, which is their only door.
            "url": base,
        }

    def _node(
        self, base: str, center: network_pb2.CenterStatus, node: network_pb2.NodeStatus
    ) -> dict[str, Any]:
        service_id = f"{self._domain}.node.{node.node_id}"
        url = f"{base}/services/{service_id}"
        found: dict[str, Any] = {
            "id": service_id,
            # What its center calls it is not for everyone.
            "name": f"{TITLE} node of {center.code}",
            "type": {"group": self._domain, "artifact": "node", "version": NODE_PROTOCOL},
            "description": f"Node of {center.names.en or center.names.fa or center.code}."
            " It takes no connection from outside; the hub answers for it.",
            **self._common(base),
            "organization": {
                "name": center.names.en or center.names.fa or center.code,
                "url": f"{base}/v1/centers/{center.center_id}",
            },
            "version": node.software_version or "unknown",
            "url": url,
        }
        for name, field in (("createdAt", "joined_at"), ("updatedAt", "updated_at")):
            if node.HasField(field):
                found[name] = rfc3339(getattr(node, field))
        return found

    async def _dates(self) -> dict[str, str]:
        """When the network was first there, and when this release of it was installed."""
        if self._began is None:
            self._began = await self._first_event()
        known = [moment for moment in (self._began, self._release.installed_at) if moment]
        # A network that began with a release that was there already is as old as itself.
        dates = {"updatedAt": max(known, key=datetime.fromisoformat)} if known else {}
        return ({"createdAt": self._began} if self._began else {}) | dates

    async def _first_event(self) -> str | None:
        request = events_pb2.ListEventsRequest(page_size=1)
        try:
            page = await self._ask("ListEvents", events_pb2.ListEventsResponse, request)
        except Fault as fault:
            # A hub that is asked who it is answers, whoever else is away.
            log.info("the registry does not know since when", reason=fault.reason)
            return None
        return rfc3339(page.events[0].time) if page.events else None

    async def _network(self) -> network_pb2.NetworkStatus:
        clock = asyncio.get_running_loop().time
        async with self._looking:
            if self._status is None or clock() - self._looked_at > _FRESH_SECONDS:
                self._status = await self._ask(
                    "GetNetworkStatus",
                    network_pb2.NetworkStatus,
                    network_pb2.GetNetworkStatusRequest(),
                )
                self._looked_at = clock()
            return self._status

    async def _ask(self, name: str, kind: type[_Answer], request: Message) -> _Answer:
        rpc = contract().rpcs[f"/peyvand.observatory.v1.Observatory/{name}"]
        context = CallContext(ANYONE.token, timeout=self._settings.call_timeout)
        answer = await self._backend.call(rpc, request, context)
        assert isinstance(answer, kind)
        return answer


class _Release:
    """The software that runs here: its version, and when it was installed."""

    def __init__(self, version: str, installed_at: str) -> None:
        self.version = version
        self.installed_at = installed_at

    @classmethod
    def installed(cls) -> "_Release":
        found = metadata.distribution(_PACKAGE)
        described = next(
            (Path(str(found.locate_file(file))) for file in found.files or () if _is_notes(file)),
            None,
        )
        if described is None or not described.exists():
            return cls(found.version, "")
        made = datetime.fromtimestamp(int(described.stat().st_mtime), UTC)
        return cls(found.version, made.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _is_notes(file: metadata.PackagePath) -> bool:
    return file.name == "METADATA" and file.parent.suffix == ".dist-info"


def reverse_domain(site: str) -> str:
    """The host of an address from its end: ``https://hub.example`` → ``example.hub``."""
    host = urlsplit(site).hostname or "localhost"
    return ".".join(reversed(host.split(".")))


def rfc3339(value: Timestamp) -> str:
    """A point in time to the second, in UTC."""
    return datetime.fromtimestamp(value.seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _prose(service: str) -> str:
    """What the contract says that a service is for."""
    owners = sorted({rpc.descriptor.containing_service.full_name for rpc in _rpcs(service)})
    return " ".join(contract().comment(name) for name in owners)


def _rpcs(service: str) -> Iterable[Any]:
    return (rpc for rpc in contract().rpcs.values() if rpc.service == service)


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _answer(document: object) -> Response:
    # Addresses in it are those by which it was asked.
    headers = {"Cache-Control": "no-cache", "Vary": "Host"}
    return Response(orjson.dumps(document), media_type=JSON, headers=headers)


def _described(name: str, summary: str, schema: Schema, *reasons: str) -> dict[str, Any]:
    return {
        "operation_id": name,
        "summary": summary,
        "description": f"{summary} As GA4GH service-info and service-registry 1.0.0 say; public.",
        "response_class": Response,
        "responses": {
            200: {"description": "The answer.", "content": {JSON: {"schema": schema}}},
        },
        "openapi_extra": {
            "security": [{"bearer": []}, {}],
            "x-reasons": ["NOT_ACCEPTABLE", *reasons],
        },
    }


def _object(
    prose: str, required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None
) -> Schema:
    return {
        "type": "object",
        "description": prose,
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


_TYPE = _object(
    "Kind of a service.",
    {
        "group": text("Namespace, as a domain from its end.", max_length=200),
        "artifact": text("Name of the API or specification.", max_length=100),
        "version": text("Version of the API or specification.", max_length=50),
    },
)
_REQUIRED: dict[str, Schema] = {
    "id": text("Id, as a domain from its end.", max_length=_MAX_ID, pattern=_ID),
    "name": text("What people call it.", max_length=500),
    "type": _TYPE,
    "organization": _object(
        "Who provides it.",
        {
            "name": text("Name.", max_length=500),
            "url": text("Address.", max_length=510, pattern=_URL),
        },
    ),
    "version": text("Version of the software.", max_length=50),
}
_OPTIONAL: dict[str, Schema] = {
    "description": text("What it is for.", max_length=5000),
    "contactUrl": text("Whom to ask.", max_length=510, pattern=_URL),
    "documentationUrl": text("How to use it.", max_length=510, pattern=_URL),
    "environment": text("`prod`, `test`, `staging` or `dev`.", max_length=20),
    "createdAt": text("When it was first there, RFC 3339.", max_length=30, pattern=_TIME),
    "updatedAt": text("When it was last changed, RFC 3339.", max_length=30, pattern=_TIME),
}
_SERVICE = _object("A service.", _REQUIRED, _OPTIONAL)
_EXTERNAL = _object(
    "A service, and where it answers.",
    _REQUIRED | {"url": text("Its base address.", max_length=510, pattern=_URL)},
    _OPTIONAL,
)
