"""What comes before a request can be refused is bounded in size and in time."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from gateway import http_protocol
from gateway.http_protocol import MAX_FRAMING, BoundedProtocol

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo_length(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the length of the body."""
    assert scope["type"] == "http"
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    body = str(length).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port() -> AsyncGenerator[int]:
    config = uvicorn.Config(
        echo_length,
        port=0,
        http=BoundedProtocol,
        lifespan="off",
        log_config=None,
        timeout_keep_alive=600,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    for _ in range(1000):
        if server.started:
            break
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def connect(port: int) -> Streams:
    return await asyncio.open_connection("127.0.0.1", port)


async def pour(writer: asyncio.StreamWriter, part: bytes) -> None:
    """Send a hundred times what is allowed."""
    for _ in range(100 * MAX_FRAMING // len(part)):
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0)


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Status line and body of one answer."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
    (length,) = (int(line[15:]) for line in head.split(b"\r\n") if b"content-length" in line)
    return head.split(b"\r\n")[0], await reader.readexactly(length)


@pytest.mark.parametrize(
    "part", [b"x-one: " + b"a" * 1000 + b"\r\n", b"a" * 1000], ids=["many headers", "one header"]
)
async def test_headers_without_an_end_are_cut_off(port: int, part: bytes) -> None:
    _, writer = await connect(port)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nx-first: ")
    with pytest.raises(ConnectionError):
        await pour(writer, part)
    writer.close()


async def test_trailers_without_an_end_are_cut_off(port: int) -> None:
    _, writer = await connect(port)
    writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n")
    with pytest.raises(ConnectionError):
        await pour(writer, b"x-trailer: " + b"a" * 1000 + b"\r\n")
    writer.close()


async def test_a_body_is_none_of_it(port: int) -> None:
    reader, writer = await connect(port)
    body = b"b" * (5 * MAX_FRAMING)
    for _ in range(3):
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        status, length = await answer(reader)
        assert (status, int(length)) == (b"HTTP/1.1 200 OK", len(body))
    chunks = b"".join(b"3e8\r\n%s\r\n" % (b"b" * 1000) for _ in range(600))
    writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
    writer.write(chunks + b"0\r\n\r\n")
    assert await answer(reader) == (b"HTTP/1.1 200 OK", b"600000")
    writer.close()


async def test_many_requests_at_once_are_not_one_large_one(port: int) -> None:
    reader, writer = await connect(port)
    request = b"GET / HTTP/1.1\r\nhost: x\r\nx-long: " + b"a" * 40_000 + b"\r\n\r\n"
    writer.write(request * 8)
    for _ in range(8):
        assert await answer(reader) == (b"HTTP/1.1 200 OK", b"0")
    writer.close()


async def test_who_does_not_say_what_is_wanted_is_not_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough for a request that is sent at once to be read at once, also by a busy machine.
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 2.0)
    silent, half, slow_body = [await connect(port) for _ in range(3)]
    half[1].write(b"GET / HTTP/1.1\r\nho")
    slow_body[1].write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n")
    assert await asyncio.wait_for(silent[0].read(), 60) == b""
    assert await asyncio.wait_for(half[0].read(), 60) == b""
    await asyncio.sleep(0.5)
    slow_body[1].write(b"b")
    assert await answer(slow_body[0]) == (b"HTTP/1.1 200 OK", b"1")
    for _, writer in (silent, half, slow_body):
        writer.close()
