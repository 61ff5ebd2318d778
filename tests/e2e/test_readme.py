"""The calls that README.md prints work as they are printed."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import httpx

from peyvandctl.cluster import Cluster
from tests.support.http import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
ADDRESS = "http://localhost:8080"
SECTION = re.compile(r"^## Five calls$(.*?)^## ", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STATUS = re.compile(r"^< HTTP/1\.1 (\d{3})", re.MULTILINE)


def blocks() -> list[str]:
    """The commands under the heading, block by block."""
    section = SECTION.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert section is not None
    return BLOCK.findall(section[1])


def noting_curl(notes: Path) -> str:
    """A script that is called as curl is, and also notes each answer's status."""
    real = shutil.which("curl")
    note = f"{shlex.quote(str(notes))}.$$"
    if real is None:
        stand_in = shlex.join([sys.executable, str(ROOT / "tests" / "support" / "curl.py")])
        return f'#!/bin/sh\nexec {stand_in} {note} "$@"\n'
    return f'#!/bin/sh\nexec {shlex.quote(real)} --verbose --stderr {note} "$@"\n'


def run(seeded: Cluster, folder: Path, script: str) -> list[int]:
    """Run a block as a reader would; give the HTTP status of each of its calls."""
    curl = folder / "curl"
    curl.write_text(noting_curl(folder / "statuses"), encoding="utf-8")
    curl.chmod(0o755)
    for old in folder.glob("statuses.*"):
        old.unlink()
    environment = os.environ | {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "PEYVAND_HOME": str(seeded.home.root),
    }
    for name in ("PEYVAND_URL", "PEYVAND_TOKEN", "PEYVAND_PORT", "http_proxy"):
        environment.pop(name, None)
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", script.replace(ADDRESS, seeded.gateway_url)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = sorted(folder.glob("statuses.*"), key=lambda path: path.stat().st_mtime_ns)
    return [int(status) for path in told for status in _STATUS.findall(path.read_text())]


def test_there_are_five_calls_and_a_refused_one() -> None:
    found = blocks()
    assert [block.splitlines()[0][:4] for block in found[:5]] == [f"# {n}." for n in range(1, 6)]
    assert len(found) == 6
    assert all(ADDRESS in block for block in found)


def test_the_calls_work_as_printed_and_again(seeded: Cluster, tmp_path: Path) -> None:
    *calls, refused = blocks()
    for _ in range(2):
        for script in calls:
            statuses = run(seeded, tmp_path, script)
            assert statuses, script
            assert all(200 <= status < 300 for status in statuses), (statuses, script)
        assert run(seeded, tmp_path, refused) == [422]
    with httpx.Client(base_url=seeded.gateway_url, timeout=PATIENCE_SECONDS) as http:
        page = http.get("/v1/centers", params={"external_key": "readme-trial"}).json()
    (center,) = page["centers"]
    assert center["state"] == "establishing"
    assert center["sample"] is True


def test_the_second_call_gives_the_center_with_its_citations(seeded: Cluster) -> None:
    with httpx.Client(base_url=seeded.gateway_url, timeout=PATIENCE_SECONDS) as http:
        page = http.get("/v1/centers", params={"province": "IR-09"}).json()
    assert any(center["citations"] for center in page["centers"])
