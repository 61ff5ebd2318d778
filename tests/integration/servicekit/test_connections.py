"""A caller connects anew from time to time, and no call is lost by it."""

import asyncio
import contextlib
from typing import Any

from grpc_health.v1 import health_pb2, health_pb2_grpc

from servicekit.identity import TokenVerifier
from servicekit.rpc_client import RpcClient
from servicekit.rpc_server import Dispatcher, RpcServer


async def test_a_caller_connects_anew_and_loses_no_call() -> None:
    verifier = TokenVerifier(issuer="i", audience="a", jwks="none", roles_claim="roles")
    server = RpcServer(Dispatcher(verifier), "127.0.0.1:0", connection_age=0.5)
    await server.start()
    await server.set_serving(True)
    connections = 0

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        there, back = await asyncio.open_connection("127.0.0.1", server.port)
        await asyncio.gather(copy(reader, back), copy(there, writer))

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    proxy = await asyncio.start_server(carry, "127.0.0.1", 0)
    client = RpcClient(f"127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
    stub: Any = health_pb2_grpc.HealthStub(client._channel)
    calls = 0
    async with asyncio.timeout(60):
        while connections < 3 or calls <= 10:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=60)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
            calls += 1
    await client.close()
    await server.stop(1)
    proxy.close()
