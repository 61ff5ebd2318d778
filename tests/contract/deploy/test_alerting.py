"""Whoever is to be told of an alert is told, by what the configuration of Alertmanager says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from tests.contract.deploy import rules
from tests.support import watch_tools
from tests.support.cluster import free_port
from tests.support.compose_file import mounts, networks, services
from tests.support.manifests import ROOT, Manifests, built, is_isolated, render
from tests.support.metrics import OBSERVABILITY, alerts
from tests.support.watch_tools import promtool, tool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

FOLDER = OBSERVABILITY / "alertmanager"
RECEIVERS = ("webhook.yml", "email.yml")
SECRETS = "/run/alerting"
PLACE = "/etc/alertmanager/alertmanager.yml"
BOUND = 60  # seconds: more than anything here takes


def run(*command: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=600, cwd=cwd
    )


def read(name: str) -> dict[str, Any]:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", RECEIVERS)
def test_alertmanager_takes_the_configuration(name: str, tmp_path: Path) -> None:
    checked = run(tool("amtool"), "check-config", FOLDER / name)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    broken = tmp_path / name
    text = (FOLDER / name).read_text(encoding="utf-8")
    broken.write_text(text.replace("receiver: pages", "receiver: nobody"), encoding="utf-8")
    assert run(tool("amtool"), "check-config", broken).returncode != 0


@pytest.mark.timeout(600)
def test_prometheus_takes_its_configuration() -> None:
    checked = run(promtool(), "check", "config", OBSERVABILITY / "prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", RECEIVERS)
def test_every_alert_has_the_receiver_of_its_urgency(name: str) -> None:
    for alert in alerts():
        labels = {"alertname": alert["alert"], **alert["labels"]}
        told = run(
            *(tool("amtool"), "config", "routes", "test", f"--config.file={FOLDER / name}"),
            *(f"{key}={value}" for key, value in labels.items()),
        )
        assert told.stdout.strip() == f"{labels['severity']}s", labels


@pytest.mark.parametrize("name", RECEIVERS)
def test_both_ways_tell_alike_and_hold_no_secret(name: str) -> None:
    known, first = read(name), read(RECEIVERS[0])
    assert (known["route"], known["inhibit_rules"]) == (first["route"], first["inhibit_rules"])
    text = (FOLDER / name).read_text(encoding="utf-8")
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if any(word in key for word in ("password", "credentials", "token", "secret", "bearer")):
            assert key.strip().endswith("_file"), line
            assert value.strip().startswith(f"{SECRETS}/"), line
    assert "_file:" in text


def test_prometheus_and_alertmanager_of_the_compose_file_find_one_another() -> None:
    prometheus = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text(encoding="utf-8"))
    (told,) = prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    scraped = {job["job_name"]: job for job in prometheus["scrape_configs"]}["alertmanager"]
    assert scraped["static_configs"][0]["targets"] == [told] == ["alertmanager:9093"]
    service = services()["alertmanager"]
    assert service["profiles"] == services()["prometheus"]["profiles"]
    assert networks(service) & networks(services()["prometheus"])
    assert f"--config.file={PLACE}" in service["command"]
    assert mounts(service)[PLACE] == (f"./{FOLDER.relative_to(ROOT)}/webhook.yml", False)
    own = services(PEYVAND_ALERT_CONFIG="./mine.yml", PEYVAND_ALERT_SECRETS="/srv/alerting")
    assert mounts(own["alertmanager"])[PLACE] == ("./mine.yml", False)
    assert mounts(own["alertmanager"])[SECRETS] == ("/srv/alerting", False)


@pytest.fixture
def handed_over() -> Manifests:
    """What the cluster gets, with the rules of the namespace that it is held to."""
    return Manifests([*built(FOLDER).documents, *render("production").of("Namespace")])


def test_what_the_cluster_gets_keeps_the_rules_of_the_hub(handed_over: Manifests) -> None:
    assert list(rules.is_valid(handed_over)) == []
    assert list(rules.is_restricted(handed_over)) == []
    workload = handed_over.workload("alertmanager")
    for direction in ("Ingress", "Egress"):
        assert is_isolated(handed_over, workload, direction)
    _, _, tag = workload.process["image"].rpartition(":")
    assert tag.startswith("v0.")
    assert services()["alertmanager"]["image"].endswith(tag)


def test_the_servers_in_a_cluster_read_the_same_file_and_know_one_another(
    handed_over: Manifests,
) -> None:
    workload = handed_over.workload("alertmanager")
    (configured,) = handed_over.of("ConfigMap")
    assert yaml.safe_load(configured["data"]["alertmanager.yml"]) == read("webhook.yml")
    volumes = {it["name"]: it for it in workload.pod["volumes"]}
    assert volumes["configuration"]["configMap"]["name"] == configured["metadata"]["name"]
    assert volumes["alerting"]["secret"]["secretName"] == "alerting"
    places = {it["name"]: it["mountPath"] for it in workload.process["volumeMounts"]}
    assert (places["configuration"], places["alerting"]) == (PLACE.rpartition("/")[0], SECRETS)
    servers = handed_over.one("StatefulSet", "alertmanager")["spec"]
    assert f"--config.file={PLACE}" in workload.process["args"]
    for number in range(servers["replicas"]):
        peer = f"--cluster.peer=alertmanager-{number}.{servers['serviceName']}:9094"
        assert peer in workload.process["args"]


class Receiver:
    """Takes webhooks, and notes who said what."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, list[str]]] = []
        self.both = asyncio.Event()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request, *lines = head.split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines if line)
        }
        body = json.loads(await reader.readexactly(int(headers["content-length"])))
        names = [alert["labels"]["alertname"] for alert in body["alerts"]]
        self.heard.append((request.split()[1], headers.get("authorization", ""), names))
        if len(self.heard) > 1:
            self.both.set()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def alertmanager(folder: Path, receiver: int) -> AsyncGenerator[str]:
    """The real one, with the configuration as it is but for addresses and patience."""
    text = (FOLDER / "webhook.yml").read_text(encoding="utf-8")
    for there, here in (
        ("https://alerts.peyvand.example", f"http://127.0.0.1:{receiver}"),
        (SECRETS, str(folder)),
        ("group_wait: 30s", "group_wait: 2s"),
        ("group_wait: 10s", "group_wait: 1s"),
    ):
        assert there in text
        text = text.replace(there, here)
    (folder / "alertmanager.yml").write_text(text, encoding="utf-8")
    (folder / "webhook-token").write_text("shared with the receiver")
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *watch_tools.alertmanager(),
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(BOUND), httpx.AsyncClient() as http:
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if (await http.get(f"{url}/-/ready")).status_code == 200:
                        break
                await asyncio.sleep(0.1)
        yield url
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@pytest.mark.timeout(600)
async def test_a_page_is_told_and_the_ticket_of_the_same_is_not(tmp_path: Path) -> None:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    given = [("EventsLate", "page"), ("EventsLate", "ticket"), ("DeadLetters", "ticket")]
    http = httpx.AsyncClient(timeout=BOUND)
    async with server, alertmanager(tmp_path, port) as url, http:
        fires = [{"labels": {"alertname": name, "severity": level}} for name, level in given]
        (await http.post(f"{url}/api/v2/alerts", json=fires)).raise_for_status()
        await asyncio.wait_for(receiver.both.wait(), BOUND)
        shown = (await http.get(f"{url}/api/v2/alerts")).json()
    token = "Bearer shared with the receiver"
    assert sorted(receiver.heard) == [
        ("/pages", token, ["EventsLate"]),
        ("/tickets", token, ["DeadLetters"]),
    ]
    held_back = [it["labels"]["severity"] for it in shown if it["status"]["inhibitedBy"]]
    assert held_back == ["ticket"]
