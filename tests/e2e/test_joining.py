"""Centers join as their people do it: on the page, by the command line, with a bundle."""

import asyncio
import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.async_api import Browser, Page, expect

from node_agent.home import Home
from peyvandctl import first_node
from peyvandctl.cluster import Cluster
from tests.support import ga4gh
from tests.support.http import client, headquarters
from tests.support.pages import CONTRAST, reader, sign_in


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Path]:
    """A folder for nodes whose agents are ended at last."""
    yield tmp_path
    for note in tmp_path.rglob("agent.json"):
        with contextlib.suppress(psutil.NoSuchProcess):
            end(psutil.Process(json.loads(note.read_text())["pid"]))


def end(process: psutil.Process) -> None:
    process.kill()
    process.wait(60)


async def peyvand(cluster: Cluster, *arguments: str, code: int = 0) -> str:
    """Type a command on the hub's machine."""
    environment = os.environ | {"PEYVAND_HOME": str(cluster.home.root), "LANG": "C"}
    for name in ("PEYVAND_URL", "PEYVAND_TOKEN", "PEYVAND_LANG"):
        environment.pop(name, None)
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "peyvandctl", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


async def peyvand_json(cluster: Cluster, *arguments: str) -> Any:
    return json.loads(await peyvand(cluster, *arguments, "--json"))


async def join(token: str, home: Path, code: int = 0) -> str:
    """What the person at the center types; the machine of the center knows nothing else."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "peyvandctl", "node", "join", token, "--home", str(home)],
        env={"PATH": os.environ["PATH"], "HOME": str(home.parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    told = done.stdout + done.stderr
    assert done.returncode == code, told
    return told


async def hand_in_capacity(home: Path) -> None:
    """What a system of the center does: it tells the node, on loopback."""
    report = {
        "observed_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "items": [{"kind": "gmp_suite", "total": 4, "used": 3}],
    }
    url = json.loads((home / "agent.json").read_text())["url"]
    async with client(url) as http:
        headers = {"Idempotency-Key": "capacity-1"}
        answer = await http.post("/reports/capacity", json=report, headers=headers)
    assert answer.status_code == 202, answer.text


@contextlib.asynccontextmanager
async def signed_in(chromium: Browser, cluster: Cluster) -> AsyncGenerator[Page]:
    """The headquarters with a browser."""
    async with reader(chromium, cluster, reduced_motion="reduce") as page:
        await sign_in(page)
        yield page


async def test_the_first_node_is_seen_to_come_online_and_the_registry_lists_it(
    chromium: Browser, cluster: Cluster, tmp_path: Path
) -> None:
    async with signed_in(chromium, cluster) as page:
        await page.evaluate("window.notReloaded = true")
        razavi = page.locator("table.centers tbody tr").filter(has_text="RKH")
        await expect(razavi.locator(".liveness-unknown")).to_have_count(1)
        await first_node.start(cluster, lambda _: None)
        await expect(razavi.locator(".liveness-online")).to_have_count(1)
        await expect(razavi).to_have_attribute("data-state", "establishing")
        await expect(razavi.locator(".nodes li")).to_contain_text("برخط از")
        # Of the 90 days one is known, and the others are not shown as good ones.
        await expect(razavi.locator(".days .day")).to_have_count(90)
        await expect(razavi.locator(".days .day-unknown")).to_have_count(89)
        row = page.locator(".nodes-table tbody tr")
        await expect(row).to_have_attribute("data-state", "active")
        await expect(row.locator(".vitals")).to_contain_text("ساعت")
        await hand_in_capacity(first_node.folder_of(cluster.home))
        capacity = razavi.locator(".capacity")
        await expect(capacity).to_contain_text("۳ از ۴ در استفاده، ۱ آزاد")
        await expect(capacity.locator(".bar .used")).to_have_attribute("width", "75")
        fresh = razavi.locator("td[data-label=ظرفیت] .liveness-online")
        await expect(fresh).to_have_count(1)
        assert await page.evaluate("window.notReloaded")
        assert await page.evaluate(CONTRAST) == []
        await page.screenshot(path=tmp_path / "joined-1280.png", full_page=True)
        await page.set_viewport_size({"width": 375, "height": 800})
        assert await page.evaluate("document.documentElement.scrollWidth") <= 375
        await page.screenshot(path=tmp_path / "joined-375.png", full_page=True)
    async with client(cluster.gateway_url) as http:
        services = (await http.get("/services")).json()
        assert ga4gh.faults(services, ga4gh.SERVICES) == []
        assert ga4gh.faults((await http.get("/service-info")).json(), ga4gh.SERVICE) == []
        types = (await http.get("/services/types")).json()
        assert ga4gh.faults(types, ga4gh.SERVICE_TYPES) == []
        (node,) = [item for item in services if item["type"]["artifact"] == "node"]
        assert node["version"] == "0.1.0"
        assert {"createdAt", "updatedAt", "environment"} <= set(node)
        info = (await http.get(f"{node['url']}/service-info")).json()
        assert ga4gh.faults(info, ga4gh.SERVICE) == []


async def test_a_center_joins_by_the_page_and_its_silence_is_an_alert_that_is_acknowledged(
    chromium: Browser, cluster: Cluster, nodes: Path
) -> None:
    async with headquarters(cluster) as http:
        listed = (await http.get("/v1/centers")).json()["centers"]
        (tabriz,) = [center for center in listed if center["code"] == "TBZ"]
        # So that silence is an alert within the time of a test.
        answer = await http.patch(
            f"/v1/centers/{tabriz['id']}",
            json={
                "expectations": {
                    "late_seconds": 12,
                    "stale_seconds": 13,
                    "offline_seconds": 14,
                    "capacity_hours": 24,
                    "report_days": 45,
                }
            },
            headers={"If-Match": f'"{tabriz["etag"]}"'},
        )
        answer.raise_for_status()
    async with signed_in(chromium, cluster) as page:
        await page.select_option("#joining select", value=tabriz["id"])
        await page.fill("#joining input[name=name]", "آزمایشگاه")
        await page.locator("#joining button").click()
        row = page.locator(".nodes-table tbody tr").filter(has_text="آزمایشگاه")
        await expect(row).to_have_attribute("data-state", "applied")
        await row.get_by_role("button", name="تأیید").click()
        await expect(row).to_have_attribute("data-state", "approved")
        await row.get_by_role("button", name="ساخت توکن پیوستن").click()
        command = await page.locator("pre.command").inner_text()
        token = command.split()[-1]
        assert command == f"peyvand-node join {token}"
        fingerprint = await page.locator("pre.fingerprint").inner_text()
        assert re.fullmatch(r"([0-9a-f]{4} ){15}[0-9a-f]{4}", fingerprint)
        async with page.expect_navigation():
            await page.get_by_role("link", name="بازگشت به شبکه").click()
        assert token not in await page.content()
        await page.evaluate("window.notReloaded = true")

        home = nodes / "tabriz"
        assert "online" in await join(token, home)
        await expect(row).to_have_attribute("data-state", "active")
        await expect(row).to_have_attribute("data-liveness", "online")

        end(psutil.Process(json.loads((home / "agent.json").read_text())["pid"]))
        alert = page.locator(".matter-alert").filter(has_text="گره خاموش")
        await expect(alert).to_have_count(1)
        await expect(row).to_have_attribute("data-liveness", "offline")
        await expect(page.locator(".matter").first).to_have_class(re.compile("matter-alert"))
        assert await page.evaluate("window.notReloaded")
        told = json.loads(await peyvand(cluster, "alerts", "--json"))
        assert [item["kind"] for item in told if item["center_id"] == tabriz["id"]] == [
            "node_silent"
        ]
        comment = alert.locator("input[name=comment]")
        await comment.fill("به مرکز زنگ زدیم")
        # What a person types outlives that the page is fetched anew beneath it.
        async with page.expect_response("**/pages/network*"):
            await page.evaluate(
                "document.getElementById('live').dispatchEvent(new CustomEvent('look'))"
            )
        await expect(comment).to_have_value("به مرکز زنگ زدیم")
        await alert.get_by_role("button", name="دیدم").click()
        seen = page.locator(".matter-seen").filter(has_text="گره خاموش")
        await expect(seen).to_contain_text("به مرکز زنگ زدیم")
        await expect(seen.get_by_role("button")).to_have_count(0)


async def test_a_token_that_was_stolen_and_used_again_lets_nobody_in_and_is_an_alert(
    chromium: Browser, cluster: Cluster, nodes: Path
) -> None:
    made = await peyvand_json(cluster, "node", "apply", "--center", "TEH", "--name", "Lab")
    await peyvand(cluster, "node", "approve", made["id"])
    token = (await peyvand_json(cluster, "node", "token", made["id"]))["token"]
    async with signed_in(chromium, cluster) as page:
        await page.evaluate("window.notReloaded = true")
        alert = page.locator(".matter-alert").filter(has_text="توکن پیوستن دو بار به‌کار رفته")
        assert "online" in await join(token, nodes / "tehran")
        await expect(alert).to_have_count(0)
        thief = nodes / "thief"
        assert "used already" in await join(token, thief, code=1)
        assert not (thief / "node.json").exists()
        await expect(alert).to_have_count(1)
        await expect(alert).to_contain_text("تهران")
        assert await page.evaluate("window.notReloaded")
    async with headquarters(cluster) as http:
        listed = await http.get("/v1/alerts", params={"center_id": made["center_id"]})
        told = [(one["kind"], one["node_id"]) for one in listed.raise_for_status().json()["alerts"]]
        assert told == [("token_reused", made["id"])]
        # Who has joined stays in, with the key that it had.
        node = (await http.get(f"/v1/nodes/{made['id']}")).json()
        assert node["state"] == "active"
        steps = (await http.get(f"/v1/nodes/{made['id']}/steps")).json()["steps"]
    assert [step["action"] for step in steps][-3:] == ["joined", "activated", "token_reused"]


async def test_the_command_line_leads_a_node_through_its_life(
    cluster: Cluster, nodes: Path
) -> None:
    made = await peyvand_json(
        cluster, *("node", "apply", "--center", "shz", "--name", "Lab", "--external-key", "shz-1")
    )
    assert made["state"] == "applied"
    assert "shz-1" not in await peyvand(cluster, "node", "list", "--state", "active")
    refused = await peyvand(cluster, "node", "token", "shz-1", code=2)
    assert refused == ""
    assert (await peyvand_json(cluster, "node", "approve", "shz-1"))["state"] == "approved"
    token = await peyvand_json(cluster, "node", "token", "shz-1", "--valid", "600")
    told = json.loads(await peyvand(cluster, "node", "list", "--center", "SHZ", "--json"))
    assert [node["id"] for node in told] == [made["id"]]
    home = nodes / "shiraz"
    assert "online" in await join(token["token"], home)
    shown = await peyvand_json(cluster, "node", "show", "shz-1")
    assert shown["state"] == "active"
    assert shown["health"]["feeds"][0]["feed"] == "heartbeat"
    status = json.loads(await peyvand(cluster, "node", "status", "--home", str(home), "--json"))
    assert status["running"] is True
    for verb, state in (("suspend", "suspended"), ("resume", "active"), ("revoke", "revoked")):
        step = await peyvand_json(cluster, "node", verb, "shz-1", "--reason", "Tried")
        assert step["state"] == state, verb
    await peyvand(cluster, "node", "resume", "shz-1", code=2)
    await peyvand(cluster, "node", "show", "nobody", code=1)


def unpack(bundle: Path, folder: Path) -> Path:
    """Unpack with the program that the guide names."""
    folder.mkdir()
    subprocess.run(["/usr/bin/env", "tar", "-xzf", bundle, "-C", folder], check=True)
    (unpacked,) = folder.iterdir()
    return unpacked


def install(unpacked: Path, target: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installer where there is nothing: no index, no environment, an empty home."""
    home = target / "nobody"
    home.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        ["/bin/sh", str(unpacked / "install.sh"), *arguments],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PYTHON": str(Path(sys.base_prefix, "bin", "python{}.{}".format(*sys.version_info))),
            "PEYVAND_NODE_DIR": str(target / "node"),
            # Whoever asks an index in spite of all finds none.
            "PIP_INDEX_URL": "http://127.0.0.1:1/",
            "http_proxy": "http://127.0.0.1:1/",
            "https_proxy": "http://127.0.0.1:1/",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.mark.timeout(900)
async def test_a_bundle_joins_where_there_is_no_index_and_refuses_to_be_tampered_with(
    cluster: Cluster, nodes: Path
) -> None:
    made = await peyvand_json(cluster, "node", "apply", "--center", "KRM", "--name", "Lab")
    await peyvand(cluster, "node", "approve", made["id"])
    file = nodes / "bundle.tar.gz"
    told = await peyvand_json(cluster, "node", "bundle", made["id"], "-o", str(file))
    assert told["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert file.stat().st_mode & 0o077 == 0
    unpacked = unpack(file, nodes / "unpacked")

    nothing = nodes / "nothing"
    for path in sorted(unpacked.rglob("*")):
        # The first of all wheels stands for the others: each is only a file of the list.
        if path.is_dir() or (path.suffix == ".whl" and not path.name.startswith("peyvand_node")):
            continue
        if path.name == "verify.py":
            continue  # tried below: it is what checks
        whole = path.read_bytes()
        path.write_bytes(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:])
        if path.name == "install.sh":
            path.write_bytes(whole + b"\n# changed\n")
        refused = install(unpacked, nothing, told["fingerprint"])
        assert refused.returncode != 0, path.name
        assert "This bundle is not used" in refused.stderr, (path.name, refused.stderr)
        path.write_bytes(whole)
    verify = unpacked / "verify.py"
    whole = verify.read_bytes()
    verify.write_bytes(whole + b"\n# changed\n")
    refused = install(unpacked, nothing, told["fingerprint"])
    assert "verify.py was changed" in refused.stderr
    verify.write_bytes(whole)
    (unpacked / "wheels" / "more.whl").write_bytes(b"")
    assert "does not belong" in install(unpacked, nothing, told["fingerprint"]).stderr
    (unpacked / "wheels" / "more.whl").unlink()
    assert "another fingerprint" in install(unpacked, nothing, "ab" * 32).stderr
    # Nobody has compared, and nobody can be asked.
    assert "by phone" in install(unpacked, nothing).stderr
    assert not (nothing / "node" / "software").exists()
    async with headquarters(cluster) as http:
        node = (await http.get(f"/v1/nodes/{made['id']}")).json()
    assert node["state"] == "approved", "a refused bundle has let nobody join"

    done = await asyncio.to_thread(install, unpacked, nodes / "center", told["fingerprint"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "online" in done.stdout
    async with headquarters(cluster) as http:
        node = (await http.get(f"/v1/nodes/{made['id']}")).json()
    assert node["state"] == "active"
    software = nodes / "center" / "node" / "software"
    installed = {path.name for path in software.glob("lib/python3*/site-packages/*")}
    assert not installed & {"servicekit", "sqlalchemy", "grpc", "peyvandctl"}
    # Where it has joined, the software is updated in place, and the node stays as it is.
    home = Home(nodes / "center" / "node" / "home")
    identity, first, version = home.identity_file.read_bytes(), home.running(), software.resolve()
    again = await asyncio.to_thread(install, unpacked, nodes / "center", told["fingerprint"])
    assert again.returncode == 0, again.stdout + again.stderr
    assert "Updated" in again.stdout
    assert home.identity_file.read_bytes() == identity
    second = home.running()
    assert first is not None
    assert second is not None
    assert second.pid != first.pid
    assert software.resolve() != version
    assert not version.exists()
    shutil.rmtree(software.parent.parent / "nobody", ignore_errors=True)
