"""A store that speaks S3, as a process of its own: the server of moto."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncGenerator

import httpx

from peyvandctl.state import free_port
from servicekit.object_store import ObjectSettings
from tests.support.http import PATIENCE_SECONDS
from tests.support.messaging import eventually

BUCKET = "peyvand"


class S3Server:
    """The process, and how services are told of it."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @property
    def environment(self) -> dict[str, str]:
        """Settings of a service that keeps its files here."""
        return {
            "PEYVAND_OBJECTS_URL": f"s3://{BUCKET}/evidence",
            "PEYVAND_OBJECTS_ENDPOINT": self.address,
            "PEYVAND_OBJECTS_KEY_ID": "key",
            "PEYVAND_OBJECTS_SECRET": "secret",
        }

    @property
    def settings(self) -> ObjectSettings:
        """The same, as a service reads them."""
        return ObjectSettings.model_validate(
            {
                name.removeprefix("PEYVAND_").lower(): value
                for name, value in self.environment.items()
            }
        )

    async def keys(self) -> str:
        """What the bucket lists, as XML."""
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
            return (await http.get(f"{self.address}/{BUCKET}?list-type=2")).text

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait(10)


@contextlib.asynccontextmanager
async def s3_server() -> AsyncGenerator[S3Server]:
    """Run one with an empty bucket until the block ends."""
    server = S3Server(free_port())
    try:
        async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:

            async def bucket_is_made() -> bool:
                with contextlib.suppress(httpx.TransportError):
                    return (await http.put(f"{server.address}/{BUCKET}")).status_code == 200
                await asyncio.sleep(0.2)
                return False

            await eventually(bucket_is_made, within=60)
        yield server
    finally:
        server.stop()
