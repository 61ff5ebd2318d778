"""The health check of a container says what the process says of itself."""

import asyncio

import pytest

from servicekit import healthy
from servicekit.probes import ProbeServer
from tests.support.cluster import free_port
from tests.support.http import PATIENCE_SECONDS


@pytest.mark.parametrize(
    ("ready", "probe", "status"),
    [(True, "livez", 0), (True, "readyz", 0), (False, "livez", 0), (False, "readyz", 1)],
)
async def test_it_exits_as_the_probe_answers(
    monkeypatch: pytest.MonkeyPatch, ready: bool, probe: str, status: int
) -> None:
    async def readiness() -> dict[str, bool]:
        return {"database": ready}

    port = free_port()
    monkeypatch.setenv("PEYVAND_METRICS_LISTEN", f"0.0.0.0:{port}")
    monkeypatch.setattr(healthy, "_ANSWER_WITHIN", PATIENCE_SECONDS)
    server = ProbeServer(f"127.0.0.1:{port}", readiness)
    await server.start()
    try:
        assert await asyncio.to_thread(healthy.main, [probe]) == status
    finally:
        await server.stop()
    assert await asyncio.to_thread(healthy.main, [probe]) == 1


@pytest.mark.parametrize("listen", ["", "nowhere", "127.0.0.1:none"])
def test_an_address_that_is_none_is_no_health(monkeypatch: pytest.MonkeyPatch, listen: str) -> None:
    monkeypatch.setenv("PEYVAND_METRICS_LISTEN", listen)
    assert healthy.main([]) == 1


def test_another_probe_is_refused() -> None:
    assert healthy.main(["metrics"]) == 2
