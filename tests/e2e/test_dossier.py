"""A project goes through a gate; its dossier is checked by who was never in the network."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pypdfium2

from peyvandctl.cluster import Cluster
from tests.support.cerif_profile import faults, records
from tests.support.decided import PANEL, decided
from tests.support.people import Json, Person

ELSEWHERE = "ctr_06b0k4m3q9v7x2c5e8t1n4r6w0"
DOCS = Path(__file__).parents[2] / "docs"


def peyvand(network: Cluster, *arguments: str, token: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command as a person at a terminal does."""
    surroundings = {
        **os.environ,
        "PEYVAND_URL": network.gateway_url,
        "PEYVAND_TOKEN": token or network.token("hq_analyst", "ava"),
        "LANG": "C",
    }
    command = [sys.executable, "-m", "peyvandctl", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=surroundings, timeout=100
    )


async def test_a_dossier_is_checked_without_the_network(network: Cluster, tmp_path: Path) -> None:
    folder = tmp_path / "files of evidence"
    folder.mkdir()
    id, lead = await decided(network, folder)
    file = tmp_path / "dossier.json"
    written = peyvand(network, "dossier", id, "--output", str(file))
    assert written.returncode == 0, written.stderr
    dossier: Json = json.loads(file.read_bytes())
    (decision,) = dossier["decisions"]
    assert decision["kind"] == "go"
    assert sorted(item["subject"] for item in decision["votes"]) == sorted(PANEL)
    assert dossier["manifest"]["chain_head"] == decision["record_hash"]
    actions = [step["action"] for step in dossier["steps"]]
    assert actions == ["created", "gate_opened", "advanced"]

    # Nobody answers there: what is checked is checked by itself.
    network_away = ("--url", "http://127.0.0.1:9")
    checked = peyvand(
        network, "dossier", "--verify", str(file), "--evidence-folder", str(folder), *network_away
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    assert dossier["manifest"]["sha256"] in checked.stdout

    # A reason, a vote and a file that are not as they were.
    damaged = tmp_path / "damaged.json"
    for before, after in (
        ("As the panel voted.", "As I wished."),
        ('"subject":"dana"', '"subject":"sara"'),
        ('"verified"', '"submitted"'),
    ):
        text = file.read_text()
        assert before in text
        damaged.write_text(text.replace(before, after, 1))
        refused = peyvand(network, "dossier", "--verify", str(damaged), "--json")
        assert refused.returncode == 1, (before, refused.stdout)
        assert json.loads(refused.stdout)["findings"]
    damaged.write_text(file.read_text().replace("{", '{"manifest":{},', 1))
    twice = peyvand(network, "dossier", "--verify", str(damaged))
    assert (twice.returncode, "stands twice" in twice.stderr) == (2, True)
    other = peyvand(network, "dossier", "--verify", str(file), "--expect", "0" * 64)
    assert other.returncode == 1
    name = dossier["evidence"][0]["evidence"]["file"]["name"]
    (folder / name).write_bytes(b"another report")
    refused = peyvand(network, "dossier", "--verify", str(file), "--evidence-folder", str(folder))
    assert refused.returncode == 1
    assert f"{name} has another SHA-256" in refused.stdout

    _document(network, id, file, tmp_path)
    _script_of_the_docs(file, damaged, tmp_path)
    await _scope(network, id, lead)
    await _export(network, id, lead, tmp_path)


def _document(network: Cluster, id: str, file: Path, tmp_path: Path) -> None:
    place = tmp_path / "dossier.pdf"
    written = peyvand(network, "dossier", id, "--pdf", "--output", str(place), "--lang", "fa")
    assert written.returncode == 0, written.stderr
    with pypdfium2.PdfDocument(place.read_bytes()) as document:
        attached = document.get_attachment(0)
        assert attached.get_name() == "dossier.json"
        assert bytes(attached.get_data()) == file.read_bytes()
        assert len(document) >= 4


def _script_of_the_docs(file: Path, damaged: Path, tmp_path: Path) -> None:
    """What docs/dossier.md gives to who has nothing but Python."""
    (source,) = re.findall(r"```python\n(.*?)```", (DOCS / "dossier.md").read_text(), re.DOTALL)
    assert len([line for line in source.splitlines() if line.strip()]) <= 30
    script = tmp_path / "check.py"
    script.write_text(source)
    command = [sys.executable, "-I", str(script)]
    right = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
    assert (right.returncode, right.stdout) == (0, "intact\n"), right.stderr
    text = file.read_text()
    for before, after in (("As the panel voted.", "As I wished."), ('"s1"', '"s2"')):
        damaged.write_text(text.replace(before, after, 1))
        wrong = subprocess.run(
            [*command, str(damaged)], capture_output=True, text=True, check=False
        )
        assert wrong.returncode == 1
        assert "intact" not in wrong.stdout


async def _scope(network: Cluster, id: str, lead: str) -> None:
    """The team is given the same; who is of another center is told that there is none."""
    team = Person(network, "center_admin", "nima", [lead])
    stranger = Person(network, "center_admin", "fereydun", [ELSEWHERE])
    analyst = Person(network, "hq_analyst", "ava")
    path = f"/v1/projects/{id}/dossier"
    answers = [await who.http.get(path) for who in (team, analyst)]
    assert answers[0].content == answers[1].content
    for address in (path, f"{path}.pdf"):
        await stranger.get(address, status=404)
    page = await analyst.http.get(f"/projects/{id}", params={"lang": "fa"})
    assert f'href="{path}.pdf?lang=fa"' in page.text
    assert f'href="{path}"' in page.text
    for person in (team, stranger, analyst):
        await person.http.aclose()


async def _export(network: Cluster, id: str, lead: str, tmp_path: Path) -> None:
    place = tmp_path / "cerif.xml"
    written = peyvand(network, "export", "cerif", "--sample", "--output", str(place))
    assert written.returncode == 0, written.stderr
    document = place.read_bytes()
    assert faults(document) == []
    given = {item.element.get("id") for item in records(document)}
    assert {f"Projects/{id}", f"OrgUnits/{lead}", "Services/peyvand"} <= given
    stranger = network.token("center_admin", "fereydun", center_ids=[ELSEWHERE])
    printed = peyvand(network, "export", "cerif", token=stranger)
    shown = {item.element.get("id") for item in records(printed.stdout.encode())}
    assert f"OrgUnits/{lead}" in shown
    assert f"Projects/{id}" not in shown
