"""A service that starts before its database waits for it."""

import asyncio
import os
import sys
from pathlib import Path

from peyvandctl.cluster import Cluster
from peyvandctl.processes import http_status
from tests.support.cluster import free_port


async def test_a_service_waits_for_a_database_that_is_not_there_yet(tmp_path: Path) -> None:
    async with Cluster(tmp_path, services=["centers"], port=0) as cluster:
        centers, postgres = cluster.process("centers"), cluster.process("postgres")
        environment = cluster.service_environment(cluster.services[0])
        await centers.stop()
        await postgres.kill()
        port = free_port()
        environment |= {"PEYVAND_METRICS_LISTEN": f"127.0.0.1:{port}"}
        started = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "centers"), env=os.environ | environment, cwd=tmp_path
        )
        try:
            await asyncio.sleep(4)
            assert started.returncode is None, "it gave up"
            assert await http_status("127.0.0.1", port, "/readyz") != 200
            await postgres.start()
            for _ in range(600):
                if await http_status("127.0.0.1", port, "/readyz") == 200:
                    break
                await asyncio.sleep(0.2)
            else:
                raise AssertionError("it never became ready")
        finally:
            started.terminate()
            await started.wait()
        assert started.returncode == 0
