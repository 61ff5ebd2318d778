"""Dossiers and exports at a terminal, against a gateway that is only pretended."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.codec import to_json
from peyvandctl import dossier_check
from tests.support.dossier import example
from tests.unit.cli.conftest import Gateway, Json, run


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written goes into a folder of its own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def given(gateway: Gateway) -> Json:
    """A dossier that the gateway gives, and that stands in a file."""
    dossier = example()
    text = to_json(dossier)
    gateway.gives(f"GET /v1/projects/{dossier.project.id}/dossier", text)
    Path("dossier.json").write_bytes(text)
    return json.loads(text)


def test_a_dossier_is_written_as_it_was_given(gateway: Gateway, given: Json) -> None:
    id, text = given["project"]["id"], Path("dossier.json").read_bytes()
    assert run("dossier", id).encode() == text + b"\n"
    run("dossier", id, "--output", "other.json", "--lang", "fa")
    assert Path("other.json").read_bytes() == text
    assert gateway.asked[-1].headers["accept-language"] == "fa"


def test_a_document_has_a_name_of_its_own(gateway: Gateway) -> None:
    gateway.gives("GET /v1/projects/prj_1/dossier.pdf", b"%PDF")
    assert "dossier-prj_1.pdf" in run("dossier", "prj_1", "--pdf")
    assert Path("dossier-prj_1.pdf").read_bytes() == b"%PDF"


def test_what_the_network_refuses_is_told_and_nothing_is_written(gateway: Gateway) -> None:
    problem = {"detail": "There is none.", "reason": "NOT_FOUND"}
    gateway.says("GET /v1/projects/prj_1/dossier", problem, status=404)
    run("dossier", "prj_1", "--output", "dossier.json", code=2)
    assert not Path("dossier.json").exists()
    run("dossier", code=1)


def test_one_that_is_as_it_was_made_is_told_with_its_hash(given: Json) -> None:
    sha256 = given["manifest"]["sha256"]
    assert sha256 in run("dossier", "--verify", "dossier.json")
    assert sha256 in run("dossier", "--verify", "dossier.json", "--expect", sha256.upper())
    answer = json.loads(run("dossier", "--verify", "dossier.json", "--json"))
    assert answer == {"intact": True, "sha256": sha256, "findings": []}
    assert "همان است" in run("dossier", "--verify", "dossier.json", "--lang", "fa")
    other = run("dossier", "--verify", "dossier.json", "--expect", "0" * 64, code=1)
    assert f"its SHA-256 is {sha256}" in other


def test_one_that_was_changed_is_told_with_the_place(given: Json) -> None:
    given["decisions"][1]["reason"] = "Another."
    Path("dossier.json").write_text(json.dumps(given), encoding="utf-8")
    shown = run("dossier", "--verify", "dossier.json", code=1)
    assert "decisions: it does not have the SHA-256 that the manifest says" in shown
    assert f"decision {given['decisions'][1]['id']}: it was changed" in shown


def test_a_hash_that_was_written_down_at_a_gate_is_looked_for(given: Json) -> None:
    """Each vouches for what was decided before it, whatever was added since."""
    for decision in given["decisions"]:
        sha256 = decision["record_hash"]
        run("dossier", "--verify", "dossier.json", "--expect-decision", sha256.upper())
    shown = run("dossier", "--verify", "dossier.json", "--expect-decision", "0" * 64, code=1)
    assert f"decisions: none of them has the digest {'0' * 64}" in shown


def test_what_was_made_anew_does_not_fit_what_the_other_parts_say(given: Json) -> None:
    """Stages and gates are bound to the decisions, whoever makes all digests anew."""
    first, second, third = (decision["id"] for decision in given["decisions"])
    gate = given["gates"][0]["gate"]
    stages = [visit["stage"] for visit in given["project"]["stage_visits"]]

    def found(change: Callable[[Json], None]) -> list[str]:
        changed = copy.deepcopy(given)
        change(changed)
        return [str(item) for item in dossier_check.check(made_anew(changed))]

    assert found(lambda dossier: dossier["project"].update(sample=False)) == []

    def later(dossier: Json) -> None:
        dossier["project"]["stage"] = "STAGE_S7"
        dossier["project"]["stage_visits"][-1]["stage"] = "STAGE_S7"

    assert found(later) == [
        f"project.stage_visits, 4: decision {third} leads elsewhere",
        "project.stage: it is not that to which the last decision leads",
    ]
    assert found(lambda dossier: dossier["project"].update(stage=stages[0])) == [
        "project.stage: it is not that of the last visit",
        "project.stage: it is not that to which the last decision leads",
    ]
    assert found(lambda dossier: dossier["project"]["stage_visits"].pop(1)) == [
        f"decision {first}: no visit begins with it"
    ]
    assert found(lambda dossier: dossier["gates"][0]["gate"].update(decision_id=second)) == [
        f"gate {gate['id']}: it did not end with decision {second}"
    ]
    decided = given["decisions"][1]["gate_id"]
    assert found(lambda dossier: dossier["gates"][0]["gate"].update(id=decided)) == [
        f"decision {second}: it was not made at gate {decided}"
    ]
    assert (
        found(lambda dossier: dossier["gates"][0]["gate"].update(id=decided, decision_id=second))
        == []
    )


def made_anew(dossier: Json) -> Json:
    """A changed dossier, with all digests of its parts as they now should be."""
    manifest = dossier["manifest"]
    for part in manifest["parts"]:
        part["sha256"] = dossier_check.digest(dossier[part["name"]])
    own = {name: value for name, value in manifest.items() if name != "sha256"}
    return dossier | {"manifest": own | {"sha256": dossier_check.digest(own)}}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is no JSON"),
        ("[" * 200_000, "is no JSON"),
        ('{"manifest": {}, "manifest": {}}', "stands twice"),
    ],
)
def test_what_is_no_dossier_is_refused(gateway: Gateway, text: str, told: str) -> None:
    Path("file.json").write_text(text, encoding="utf-8")
    assert told in run("dossier", "--verify", "file.json", code=2)
    assert "cannot be read" in run("dossier", "--verify", "nowhere.json", code=2)


@pytest.mark.parametrize("value", [None, [], "text", {}, {"manifest": []}, {"manifest": {}}])
def test_what_is_built_otherwise_is_found(value: Any) -> None:
    assert dossier_check.check(value)


def test_a_manifest_that_fits_itself_and_nothing_else_is_found() -> None:
    manifest = {"format": dossier_check.FORMAT, "parts": 7, "withheld": None}
    manifest["sha256"] = dossier_check.digest(manifest)
    (found,) = dossier_check.check({"manifest": manifest})
    assert "it is not built as a dossier is" in str(found)


def test_files_of_evidence_are_compared_by_what_is_in_them(given: Json, tmp_path: Path) -> None:
    folder = tmp_path / "evidence" / "deep"
    folder.mkdir(parents=True)
    # The example has files that say "report <number>".
    for number in range(len(given["evidence"])):
        (folder / f"renamed {number}").write_text(f"report {number}", encoding="utf-8")
    assert dossier_check.check_files(given, folder.parent) == []
    run("dossier", "--verify", "dossier.json", "--evidence-folder", str(folder.parent))
    (folder / "renamed 1").rename(folder / "report-1.pdf")
    (folder / "report-1.pdf").write_text("changed", encoding="utf-8")
    (folder / "renamed 2").unlink()
    shown = run(
        "dossier", "--verify", "dossier.json", "--evidence-folder", str(folder.parent), code=1
    )
    assert "report-1.pdf has another SHA-256" in shown
    assert "report-2.pdf is not in the folder" in shown
    run("dossier", "--verify", "dossier.json", "--evidence-folder", "nowhere", code=2)


def test_evidence_that_others_keep_is_no_file_to_look_for(given: Json, tmp_path: Path) -> None:
    changed = copy.deepcopy(given)
    for item in changed["evidence"]:
        item["evidence"]["file"] = None
    assert dossier_check.check_files(changed, tmp_path) == []


def test_an_export_is_written_whole_or_not_at_all(gateway: Gateway) -> None:
    gateway.gives("GET /v1/exports/cerif", b"<OAI-PMH/>")
    assert run("export", "cerif") == "<OAI-PMH/>"
    run("export", "cerif", "--output", "cerif.xml", "--sample")
    assert Path("cerif.xml").read_bytes() == b"<OAI-PMH/>"
    assert gateway.asked[-1].url.params["sample"] == "true"
    gateway.answers["GET /v1/exports/cerif"] = [httpx.Response(200, stream=_BreaksOff())]
    run("export", "cerif", "--output", "cerif.xml", code=3)
    assert Path("cerif.xml").read_bytes() == b"<OAI-PMH/>"
    assert not Path("cerif.xml.part").exists()


class _BreaksOff(httpx.SyncByteStream):
    def __iter__(self) -> Any:
        yield b"<OAI-PMH>"
        raise httpx.ReadError("the line was cut")
