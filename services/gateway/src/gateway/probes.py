"""Whether the gateway lives and can do its work, for who runs it."""

import asyncio
from collections.abc import Awaitable, Callable

from fastapi import APIRouter
from starlette.responses import JSONResponse

Readiness = Callable[[], Awaitable[dict[str, bool]]]


def router(readiness: Readiness, leaving: asyncio.Event) -> APIRouter:
    """Routes of the probes; `readiness` names each service with whether it serves.

    What stands in front of several gateways asks `/livez` of this port: whether one is away of
    the services behind them is the same for all. Once `leaving` is set both say no, so that
    this one is passed by while it still answers. Who would restart the process asks at the
    port of the metrics, where it is alive to its end.
    """
    probes = APIRouter(include_in_schema=False)

    @probes.get("/livez")
    async def live() -> JSONResponse:
        stays = not leaving.is_set()
        return JSONResponse(
            {"status": "alive" if stays else "leaving"},
            status_code=200 if stays else 503,
            headers={"Cache-Control": "no-store"},
        )

    @probes.get("/readyz")
    async def ready() -> JSONResponse:
        services = await readiness()
        status = "ready" if all(services.values()) else "not ready"
        if leaving.is_set():
            status = "leaving"
        return JSONResponse(
            {"status": status, "services": services},
            status_code=200 if status == "ready" else 503,
            headers={"Cache-Control": "no-store"},
        )

    del live, ready
    return probes
