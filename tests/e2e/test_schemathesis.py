"""The published document against the real network: whatever is sent, the answer is one of
those that the document tells of, in the form that it tells, and never a fault of ours.

``make fuzz`` does the same for longer.
"""

import asyncio
import json
import re
import secrets
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from peyvandctl.cluster import Cluster
from tests.support.http import client

ROOT = Path(__file__).parents[2]
# A path parameter is an id that exists more often than not, so that requests reach
# the rules behind it.
_KNOWN_ID = 0.6
_COLLECTION = re.compile(r"(/v1/[a-z-]+)/\{(\w+_id)\}")


async def known_ids(http: httpx.AsyncClient) -> dict[str, list[str]]:
    """Some ids that exist, by the name of the path parameter that they are for."""
    document = (await http.get("/v1/openapi.json")).raise_for_status().json()
    found: dict[str, list[str]] = {}
    for path in document["paths"]:
        match = _COLLECTION.match(path)
        if match and "get" in document["paths"].get(match[1], {}) and match[2] not in found:
            answer = await http.get(match[1], params={"page_size": 5})
            (items,) = (value for value in answer.json().values() if isinstance(value, list))
            if ids := [item["id"] for item in items]:
                found[match[2]] = ids
    return found


def configuration(ids: dict[str, list[str]]) -> str:
    """The settings of the repository, with ids to try."""
    lines = [(ROOT / "schemathesis.toml").read_text(encoding="utf-8")]
    for name, values in ids.items():
        lines.append(f"[dictionaries.{name}]\nvalues = {json.dumps(values)}")
    lines.append("[parameters]")
    lines += [
        f'"path.{name}" = {{ dictionary = "{name}", probability = {_KNOWN_ID} }}' for name in ids
    ]
    return "\n".join(lines) + "\n"


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """What has requests be drawn as in every run, unless they shall differ."""
    return () if request.config.getoption("--at-random") else ("--seed", "1")


async def try_all(folder: Path, url: str, token: str | None, *options: str) -> None:
    """Run schemathesis; fails the test with its report if it finds anything.

    With one worker: in several threads of CPython 3.11 hypothesis now and then fails to
    parse its own source (python/cpython#106905).
    """
    report = folder / f"{secrets.token_hex(4)}.json"
    arguments = [
        *("-m", "schemathesis.cli", "--config-file", str(folder / "schemathesis.toml")),
        *("run", f"{url}/v1/openapi.json", "--no-color", "--workers", "1"),
        *("--continue-on-failure", "--request-timeout", "60", "--warnings", "off"),
        *("--suppress-health-check", "all", "--report-json-path", str(report)),
        *options,
    ]
    if token:
        arguments += ["--header", f"Authorization: Bearer {token}"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    said = output.decode(errors="replace")
    assert process.returncode == 0, "\n".join(line[:600] for line in said.splitlines())
    found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    assert found, said


@pytest.mark.timeout(3600)
async def test_every_answer_is_one_that_the_document_tells_of(
    seeded: Cluster, tmp_path: Path, fuzz_examples: int, dice: tuple[str, ...]
) -> None:
    token = seeded.token("hq_admin")
    async with client(seeded.gateway_url, token) as http:
        ids = await known_ids(http)
        assert {"center_id", "agreement_id", "indicator_id", "person_id"} <= ids.keys()
        (tmp_path / "schemathesis.toml").write_text(configuration(ids), encoding="utf-8")
        examples = ("--max-examples", str(fuzz_examples))
        async with asyncio.TaskGroup() as runs:
            for phases in ("coverage", "examples,fuzzing,stateful"):
                options = (*examples, *dice, "--phases", phases)
                runs.create_task(try_all(tmp_path, seeded.gateway_url, token, *options))
        # Whatever was tried, the network still stands.
        status = await http.get("/v1/network/status")
        assert status.status_code == 200
        assert (await http.get("/readyz")).status_code == 200


@pytest.mark.timeout(600)
async def test_the_same_holds_for_who_shows_no_token(
    seeded: Cluster, tmp_path: Path, fuzz_examples: int, dice: tuple[str, ...]
) -> None:
    (tmp_path / "schemathesis.toml").write_text(configuration({}), encoding="utf-8")
    options = ("--max-examples", str(fuzz_examples), "--phases", "examples,fuzzing")
    await try_all(tmp_path, seeded.gateway_url, None, *options, *dice)
