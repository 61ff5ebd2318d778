"""How the process takes its port, and when it says that it is ready."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
import structlog
import uvicorn

from gateway.__main__ import configuration
from gateway.app import Edge, create_app
from gateway.live import LiveFeed
from gateway.server import Server, listen
from gateway.settings import GatewaySettings
from servicekit.broker_access import BrokerAccess
from tests.support.gateway import FakeClients, FakeVerifier
from tests.support.messaging import eventually


def server(clients: FakeClients) -> Server:
    feed = LiveFeed(clients, BrokerAccess("nats://127.0.0.1:1"), timeout=1)
    edge = Edge(GatewaySettings(), clients, FakeVerifier(), feed)
    return Server(uvicorn.Config(create_app(edge), log_config=None, lifespan="off"), edge, 0)


async def test_it_is_ready_once_it_serves_and_until_it_leaves(clients: FakeClients) -> None:
    made = server(clients)
    assert await made.accepting() == {**clients.serving, "listening": False, "staying": True}
    with listen("127.0.0.1:0") as listener:
        serving = asyncio.create_task(made.serve([listener]))

        async def serves() -> bool:
            return all((await made.accepting()).values())

        await eventually(serves)
        made.handle_exit(15, None)
        assert await made.accepting() == {**clients.serving, "listening": True, "staying": False}
        await serving


def test_an_idle_connection_is_let_go_by_who_calls_first(clients: FakeClients) -> None:
    feed = LiveFeed(clients, BrokerAccess("nats://127.0.0.1:1"), timeout=1)
    edge = Edge(GatewaySettings(), clients, FakeVerifier(), feed)
    # The ingress controller does so after a minute, HTTP libraries after seconds.
    assert configuration(edge).timeout_keep_alive > 60


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0", ":0", "localhost:0"])
def test_a_port_that_it_has_taken_is_no_other_s(address: str) -> None:
    with listen(address) as listener:
        port = listener.getsockname()[1]
        with socket.socket(listener.family) as other:
            # As servers do; two sockets that are only bound would both have it.
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with pytest.raises(OSError, match="in use"):
                other.bind(("::1" if other.family == socket.AF_INET6 else "127.0.0.1", port))


@pytest.fixture
def taken() -> Iterator[str]:
    """An address where somebody listens."""
    with listen("127.0.0.1:0") as other:
        yield f"127.0.0.1:{other.getsockname()[1]}"


@pytest.mark.parametrize("address", ["taken", "127.0.0.1:http", "127.0.0.1", "0.0.0.1:1", ":99999"])
def test_where_it_cannot_listen_it_ends_and_says_so(address: str, taken: str) -> None:
    address = address.replace("taken", taken)
    with structlog.testing.capture_logs() as told, pytest.raises(SystemExit) as ended:
        listen(address)
    assert ended.value.code == 1
    (word,) = told
    assert (word["log_level"], word["listen"]) == ("error", address)
    assert word["error"]
