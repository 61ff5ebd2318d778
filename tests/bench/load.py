"""A load generator that costs little beside what it measures.

``python -m tests.bench.load`` reads one `Load` as JSON from its input, keeps that many
connections busy for that long, and writes one `Result` as JSON. It runs as a process of
its own, so that its work does not hold up that of the servers' supervisor. Each
connection sends its next request when the answer to the last one is there.
"""

import asyncio
import json
import sys
import time
from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import uvloop

REPOSITORY = Path(__file__).parents[2]
_STATUS = slice(9, 12)


@dataclass(frozen=True)
class Load:
    """What to send to `url`, over `connections`, for `seconds`.

    With `paths` these are read in turn. With `path` and `body` the body is posted
    there, each time with a `code` of its own that begins with `prefix` (capital
    letters), and an `Idempotency-Key` of its own.
    """

    url: str
    headers: Mapping[str, str]
    seconds: float
    connections: int = 16
    paths: list[str] = field(default_factory=list[str])
    path: str = ""
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    prefix: str = ""


@dataclass(frozen=True)
class Result:
    """What came back: how many answers of which status, and how long they took (ms)."""

    seconds: float
    statuses: dict[str, int]
    p50: float
    p99: float

    @property
    def answered(self) -> int:
        """Number of answers."""
        return sum(self.statuses.values())

    @property
    def good(self) -> int:
        """Number of answers with a status below 300."""
        return sum(count for status, count in self.statuses.items() if status < "300")

    @property
    def rate(self) -> float:
        """Good answers in a second."""
        return self.good / self.seconds


async def run(load: Load) -> Result:
    """Run a load in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench.load",
        cwd=REPOSITORY,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(json.dumps(asdict(load)).encode())
    if process.returncode:
        raise RuntimeError("the load generator failed; its error is above")
    return Result(**json.loads(output))


class _Connection(asyncio.Protocol):
    """Sends requests one after the other and reads answers that state their length."""

    def __init__(self, next_request: Callable[[], bytes | None], answered: "_Answers") -> None:
        self.ended = asyncio.get_running_loop().create_future()
        self._next_request = next_request
        self._answers = answered
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are of no class of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        fields = self._buffer[:head].lower()
        begin = fields.index(b"content-length:") + 15
        end = fields.find(b"\r\n", begin)
        length = int(fields[begin : end if end > 0 else head])
        if len(self._buffer) < head + 4 + length:
            return
        self._answers.note(self._buffer[_STATUS].decode(), time.perf_counter() - self._sent)
        self._buffer = b""
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_exception(exc or ConnectionError("the server closed the connection"))

    def _send(self) -> None:
        assert self._transport is not None
        request = self._next_request()
        if request is None:
            self.ended.set_result(None)
            self._transport.close()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)


class _Answers:
    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.times = array("d")

    def note(self, status: str, seconds: float) -> None:
        self.statuses[status] += 1
        self.times.append(seconds)


def _requests(load: Load, host: str) -> Callable[[], bytes | None]:
    """Give the next request, or nothing once the time that began with the first one is over."""
    fixed = "".join(f"{name}: {value}\r\n" for name, value in load.headers.items())
    number = -1
    until = float("inf")

    def is_over() -> bool:
        nonlocal until
        now = time.perf_counter()
        until = min(until, now + load.seconds)
        return now >= until

    def read() -> bytes | None:
        nonlocal number
        if is_over():
            return None
        number += 1
        path = load.paths[number % len(load.paths)]
        return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{fixed}\r\n".encode()

    before, after = json.dumps({**load.body, "code": "@"}).split('"@"')

    def write() -> bytes | None:
        nonlocal number
        if is_over():
            return None
        number += 1
        code = f"{load.prefix}-{number}"
        body = f'{before}"{code}"{after}'.encode()
        head = (
            f"POST {load.path} HTTP/1.1\r\nHost: {host}\r\n{fixed}Idempotency-Key: {code}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    return read if load.paths else write


async def _generate(load: Load) -> Result:
    address = urlsplit(load.url)
    answers = _Answers()
    began = time.perf_counter()
    next_request = _requests(load, address.netloc)
    loop = asyncio.get_running_loop()
    connections = [
        (
            await loop.create_connection(
                lambda: _Connection(next_request, answers),
                address.hostname or "127.0.0.1",
                address.port or 80,
            )
        )[1]
        for _ in range(load.connections)
    ]
    await asyncio.gather(*(connection.ended for connection in connections))
    seconds = time.perf_counter() - began
    times = sorted(answers.times)
    p50, p99 = (times[int(share * (len(times) - 1))] * 1000 for share in (0.5, 0.99))
    return Result(seconds, dict(answers.statuses), p50, p99)


if __name__ == "__main__":
    measured = uvloop.run(_generate(Load(**json.load(sys.stdin))))
    sys.stdout.write(json.dumps(asdict(measured)))
