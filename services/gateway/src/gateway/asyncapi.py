"""The AsyncAPI 3 document of the event stream, made from the contract like OpenAPI is."""

from collections.abc import Iterator

import orjson
from fastapi import APIRouter
from google.protobuf.descriptor import Descriptor
from starlette.responses import Response

from gateway.openapi import TITLE, VERSION
from gateway.schemas import Schema, Schemas
from gateway.settings import GatewaySettings
from gateway.shapes import Variant
from peyvand.observatory.v1 import events_pb2
from servicekit.contract import contract, descriptor_of, event_spec

_DESCRIPTION = """\
Everything that happens in the network, as CloudEvents 1.0 in JSON over server-sent events.

Each message's `id` is the cursor after it: connect again with it as `Last-Event-ID` and nothing is
missed or sent twice, however long the line was down. An event carries the resource as it is after
the change (`data.<resource>`) and what changed it (`data.change`). A caller gets the events that
it may see. The same events can be read by pages from `GET /v1/events`.
"""


def document(settings: GatewaySettings) -> Schema:
    """Make the document."""
    schemas = Schemas()
    envelope = schemas.message(descriptor_of(events_pb2.Event), Variant.OUT)
    messages: Schema = {}
    for kind, message in _events():
        data = schemas.message(message, Variant.OUT)
        messages[kind] = {
            "name": kind,
            "title": kind.rsplit(".", 2)[-2] + " " + kind.rsplit(".", 1)[-1],
            "summary": contract().comment(message.full_name),
            "contentType": "application/cloudevents+json",
            "payload": {
                "allOf": [
                    envelope,
                    {"properties": {"type": {"const": kind}, "data": data}},
                ]
            },
        }
    return {
        "asyncapi": "3.1.0",
        "id": f"{settings.site}/events",
        "defaultContentType": "application/cloudevents+json",
        "info": {
            "title": f"{TITLE} events",
            "version": VERSION,
            "description": _DESCRIPTION,
            "contact": {"name": TITLE, "url": settings.site, "email": settings.contact},
            "license": {"name": "Terms of the network", "url": f"{settings.site}/terms"},
            "tags": [{"name": "events", "description": "What happens in the network."}],
        },
        "servers": {
            "gateway": {
                "host": settings.site.partition("://")[2],
                "protocol": "https",
                "description": "The gateway of the network.",
                "security": [{"$ref": "#/components/securitySchemes/bearer"}],
            }
        },
        "channels": {
            "events": {
                "address": "/v1/events:stream",
                "description": "The timeline, live and from any cursor on.",
                "messages": {kind: {"$ref": f"#/components/messages/{kind}"} for kind in messages},
                "servers": [{"$ref": "#/servers/gateway"}],
            }
        },
        "operations": {
            "sendEvents": {
                "action": "send",
                "title": "Send events",
                "summary": "Sends each event that the caller may see, as it happens.",
                "description": "A plain HTTP GET whose answer does not end.",
                "channel": {"$ref": "#/channels/events"},
                "messages": [{"$ref": f"#/channels/events/messages/{kind}"} for kind in messages],
            }
        },
        "components": {
            "messages": messages,
            "schemas": dict(sorted(schemas.components.items())),
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Without a token the events that are public are sent.",
                }
            },
        },
    }


def router(settings: GatewaySettings) -> APIRouter:
    """The route of the document."""
    routes = APIRouter(include_in_schema=False)
    published = orjson.dumps(document(settings))

    @routes.get("/v1/asyncapi.json")
    async def asyncapi() -> Response:
        return Response(published, media_type="application/json")

    del asyncapi
    return routes


def _events() -> Iterator[tuple[str, Descriptor]]:
    """Type of each event of the contract, with the message that its data is."""
    for message in contract().messages():
        spec = event_spec(message)
        if spec is not None:
            for name in spec.names:
                yield f"{message.file.package}.{spec.aggregate}.{name}", message
