"""Runs the gateway, or prints what it would serve.

``python -m gateway``             serve on ``PEYVAND_LISTEN``
``python -m gateway openapi``     print the published OpenAPI document
``python -m gateway openapi F``   write it to the file F
``python -m gateway routes``      print where each route comes from
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import structlog
import uvicorn
import uvloop

from gateway import openapi
from gateway.app import Edge, create_app, published, routes_by_hand
from gateway.http_protocol import BoundedProtocol
from gateway.live import LiveFeed
from gateway.routes_table import table
from gateway.server import Server, listen
from gateway.settings import GatewaySettings
from servicekit import telemetry, tracing
from servicekit.contract import contract
from servicekit.identity import TokenVerifier
from servicekit.probes import ProbeServer
from servicekit.rpc_client import RpcClients

log = structlog.get_logger()

# Callers and proxies let go of a connection that nobody used for 5 to 60 seconds. If they were
# not the first to, a request could be on its way when the connection is closed, and be lost.
_KEEP_ALIVE_SECONDS = 75


def main(arguments: list[str]) -> int:
    """Do what the arguments say. Returns the exit status."""
    match arguments:
        case []:
            uvloop.run(_serve(GatewaySettings()))
        case ["openapi"]:
            sys.stdout.write(openapi.to_text(published(_unconnected())))
        case ["openapi", file]:
            Path(file).write_text(openapi.to_text(published(_unconnected())), encoding="utf-8")
        case ["routes"]:
            sys.stdout.write(table(routes_by_hand(_unconnected())) + "\n")
        case _:
            sys.stderr.write(__doc__ or "")
            return 2
    return 0


async def _serve(settings: GatewaySettings) -> None:
    telemetry.configure("gateway", settings)
    edge = _edge(settings, settings.targets(_service_names()))
    config = configuration(edge)
    log.info("gateway starts", listen=settings.listen)
    # Before anything else: whose port is taken ends at once, having said so.
    listener = listen(settings.listen)
    server = Server(config, edge, settings.linger_seconds)
    probes = ProbeServer(settings.metrics_listen, server.accepting)
    await probes.start()
    try:
        await server.serve([listener])
    finally:
        await probes.stop()
        tracing.shutdown()


def configuration(edge: Edge) -> uvicorn.Config:
    """How the server runs."""
    settings = edge.settings
    return uvicorn.Config(
        create_app(edge),
        http=BoundedProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(settings.drain_seconds)),
    )


def _edge(settings: GatewaySettings, targets: dict[str, str]) -> Edge:
    verifier = TokenVerifier(
        issuer=settings.issuer,
        audience=settings.audience,
        jwks=settings.jwks,
        roles_claim=settings.roles_claim,
        keys_kept=settings.key_set_seconds,
    )
    clients = RpcClients(targets)
    feed = LiveFeed(clients, settings.broker, settings.call_timeout)
    return Edge(settings, clients, verifier, feed)


def _unconnected() -> Edge:
    return _edge(GatewaySettings(), {})


def _service_names() -> Iterable[str]:
    return sorted({rpc.service for rpc in contract().rpcs.values()})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
