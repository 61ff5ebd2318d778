"""Who asks for a port while others do the same gets one that nobody else gets."""

import asyncio
import random
import sys

import pytest

from peyvandctl.state import LOOPBACK, free_port

_ASKS_AND_WAITS = """
from peyvandctl.state import free_port
print(free_port(), flush=True)
input()
"""


async def test_a_port_is_promised_to_one_process_until_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pipe = asyncio.subprocess.PIPE
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _ASKS_AND_WAITS), stdin=pipe, stdout=pipe
    )
    try:
        assert other.stdout
        theirs = int(await other.stdout.readline())
        with monkeypatch.context() as patch:
            draws_first(patch, theirs)
            assert free_port() != theirs
        # What it is promised, it can have.
        server = await asyncio.start_server(lambda _, writer: writer.close(), LOOPBACK, theirs)
        server.close()
        await server.wait_closed()
    finally:
        other.kill()
        await other.wait()
    draws_first(monkeypatch, theirs)
    assert free_port() == theirs
    draws_first(monkeypatch, theirs)
    assert free_port() != theirs


@pytest.mark.parametrize("first_lent", [16_000, 32_768])
def test_a_port_that_the_kernel_may_lend_is_given_to_nobody(
    monkeypatch: pytest.MonkeyPatch, first_lent: int
) -> None:
    monkeypatch.setattr("peyvandctl.state._first_ephemeral_port", lambda: first_lent)
    assert all(free_port() < first_lent for _ in range(5))


def draws_first(patch: pytest.MonkeyPatch, port: int) -> None:
    """Have the first port that is drawn be this one."""
    dice = random.SystemRandom()
    first = [port]

    def draw(_: random.SystemRandom, low: int, high: int) -> int:
        return first.pop() if first else dice.randrange(low, high)

    patch.setattr(random.SystemRandom, "randint", draw)
    # Where there is room below what the kernel lends, as there mostly is.
    patch.setattr("peyvandctl.state._first_ephemeral_port", lambda: 32_768)
