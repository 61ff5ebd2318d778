"""The dossier as a document: what it says, that nothing in it is markup, and who waits for it."""

import asyncio
import io
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pypdfium2
import pytest
from babel.messages.extract import extract

import gateway.dossier
from gateway.codec import to_json
from gateway.dossier.press import AT_ONCE, MAX_BYTES, WAITING, Press
from gateway.dossier.typeset import MEMORY, typeset
from gateway.dossier.view import document
from gateway.dossier.words import FA, STEPS
from gateway.languages import Language
from peyvand.projects.v1 import dossier_pb2
from peyvandctl import dossier_check
from servicekit.contract import contract, event_spec
from servicekit.errors import Fault
from servicekit.ids import new_id
from tests.support.dossier import HOSTILE, example, text
from tests.support.gateway import FakeClients
from tests.support.messaging import eventually

ROOM = Path(gateway.dossier.__file__).parent
LANGUAGES: tuple[Language, ...] = ("fa", "en")
PERSIAN = re.compile("[\u0600-\u06ff]")


def read(made: bytes) -> tuple[str, dict[str, bytes]]:
    """The text of a document, and what is attached to it."""
    with pypdfium2.PdfDocument(made) as found:
        said = "\n".join(page.get_textpage().get_text_bounded() for page in found)
        attached = [found.get_attachment(place) for place in range(found.count_attachments())]
        return said, {item.get_name(): bytes(item.get_data()) for item in attached}


def holds(said: str, sha256: str) -> bool:
    """Whether a hash is there, in its groups."""
    return all(sha256[place : place + 8] in said for place in range(0, 64, 8))


def test_every_word_is_said_in_persian_and_no_other_is_kept() -> None:
    used: set[str] = set()
    for file in ROOM.glob("*.py"):
        for _, message, *_ in extract("python", io.BytesIO(file.read_bytes()), {"say": None}):
            assert isinstance(message, str)
            used.add(message)
    view = (ROOM / "view.py").read_text(encoding="utf-8")
    titles = re.findall(r'^        \("\w+", "([^"]+)", ', view, re.MULTILINE)
    assert len(titles) == 12
    assert set(FA) == used | set(titles)
    assert all(PERSIAN.search(said) for said in FA.values())


def test_every_step_that_can_be_told_has_a_name_in_both_languages() -> None:
    told = {
        name
        for message in contract().messages()
        if (spec := event_spec(message)) and message.file.package == "peyvand.projects.v1"
        if spec.aggregate != "company"
        for name in spec.names
    }
    assert set(STEPS) == told
    assert all(PERSIAN.search(fa) and not PERSIAN.search(en) for en, fa in STEPS.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_document_holds_the_dossier_and_says_the_same(language: Language) -> None:
    dossier = example()
    made = typeset(dossier, language)
    said, attached = read(made)
    assert attached == {"dossier.json": to_json(dossier)}
    assert dossier_check.check(json.loads(attached["dossier.json"])) == []
    # The hash of the whole, of each decision and of each file, for who compares them.
    shown = [dossier.manifest.sha256, dossier.manifest.chain_head]
    shown += [decision.record_hash for decision in dossier.decisions]
    shown += [item.evidence.file.sha256 for item in dossier.evidence]
    # What reads a line from right to left gives the digits of a hash in another order.
    place = said if language == "en" else json.dumps(document(dossier, language))
    assert all(holds(place, sha256) for sha256 in shown)
    for name in ("dana", "mina", "omid", "leila"):
        assert name in said
    assert dossier.project.id in place
    if language == "en":
        assert "Cartilage patch of mesenchymal cells" in said
        assert "page 2 of" in said
        assert "17 August 2024" in said
        assert "25,000,000,000" in said
    else:
        # In visual or logical order, as the reader of the file has it: digits stay digits.
        assert "۱۴۰۳" in said or "۳۰۴۱" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_opened_a_gate_proposed_its_terms_or_withdrew_it_is_told(language: Language) -> None:
    dossier = example()
    sections = {item["title"]: item["blocks"] for item in document(dossier, language)["sections"]}
    say = {word: word if language == "en" else FA[word] for word in FA}
    gates, terms, withdrawn = sections[say["Gates"]]
    assert [("niloufar" in str(row), "parisa" in str(row)) for row in gates["rows"]] == [
        (True, False),
        (False, True),
    ]
    (row,) = terms["rows"]
    assert "bahar" in row[-1]
    assert "2026" in row[2] if language == "en" else "۱۴۰۵" in row[2]
    assert withdrawn["title"] == say["Gates that were withdrawn"]
    (row,) = withdrawn["rows"]
    assert ("niloufar" in row[1], "arash" in row[2]) == (True, True)
    assert "another panel is called" in row[3]
    first, second, _ = sections[say["Decisions"]]
    told = {label: str(value) for label, value in (*first["facts"], *second["facts"])}
    assert "parisa" in told[say["Gate opened by"]]
    assert "bahar" in told[say["Terms proposed by"]]
    titles = [item["title"] for item in first["tables"]]
    assert say["Gates over this visit that were withdrawn before"] in titles
    assert say["Terms that were voted for"] in dict(first["hashes"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_dossier_is_the_same_document(language: Language) -> None:
    dossier = example()
    first = typeset(dossier, language)
    again = dossier_pb2.ProjectDossier.FromString(dossier.SerializeToString())
    assert typeset(again, language) == first
    assert typeset(example(), language) != first


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_people_wrote_is_never_markup(language: Language) -> None:
    dossier = example(titles=text(HOSTILE, HOSTILE))
    project, evidence = dossier.project, dossier.evidence[0].evidence
    for text_field in (project.summary, evidence.title, dossier.criteria[0].text):
        text_field.CopyFrom(text(HOSTILE, HOSTILE))
    project.state_reason = HOSTILE
    evidence.submitted_by = '#read("/etc/passwd")'
    dossier.decisions[0].reason = HOSTILE * 40
    dossier.steps[0].reason = '#include "/etc/passwd"\n= Heading\n- item'
    said, _ = read(typeset(dossier, language))
    if language == "en":
        assert '#panic("no") $x$ *bold* @ref <label>' in " ".join(said.split())
    assert said.count("panic") > 10
    assert "root:" not in said
    assert "include" in said
    shown = json.dumps(document(dossier, language), ensure_ascii=False)
    assert "\u202e" not in shown


def test_a_dossier_in_which_there_is_nothing_is_set_too() -> None:
    dossier = dossier_pb2.ProjectDossier()
    dossier.project.id = new_id("prj")
    dossier.manifest.withheld.extend(["evidence", "awards"])
    said, _ = read(typeset(dossier, "en"))
    assert said.count("Withheld.") == 2
    assert "There is none." in said
    assert "No decision yet" in said


def test_a_long_history_is_set_whole() -> None:
    dossier = example(pieces=400)
    said, _ = read(typeset(dossier, "en"))
    assert all(holds(said, item.evidence.file.sha256) for item in dossier.evidence)


async def test_the_press_sets_in_a_process_of_its_own() -> None:
    dossier = example()
    assert await Press().set(dossier, "fa") == typeset(dossier, "fa")


def script(tmp_path: Path, body: str) -> tuple[str, ...]:
    """A press that runs a program of ours."""
    file = tmp_path / "press.py"
    file.write_text(f"import os, sys, time, pathlib\n{body}\n")
    return (sys.executable, str(file))


def test_a_document_takes_no_more_memory_than_it_may() -> None:
    little = (
        "from gateway.dossier import typeset\n"
        "typeset.MEMORY = int(__import__('sys').argv.pop())\n"
        "typeset.main()"
    )
    made = [
        subprocess.run(
            [sys.executable, "-c", little, str(most)],
            input=example(pieces=200).SerializeToString(),
            capture_output=True,
            check=False,
        )
        for most in (32 * 1024**2, MEMORY)
    ]
    assert made[0].returncode != 0
    assert made[1].returncode == 0
    assert made[1].stdout.startswith(b"%PDF")


async def test_what_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, begun = asyncio.create_subprocess_exec, list[asyncio.subprocess.Process]()

    async def beginning(*command: str, **given: Any) -> asyncio.subprocess.Process:
        begun.append(await begin(*command, **given))
        return begun[-1]

    # On a busy machine the time may be over before the program itself could say anything.
    monkeypatch.setattr("gateway.dossier.press.asyncio.create_subprocess_exec", beginning)
    press = Press(script(tmp_path, "time.sleep(600)"), seconds=2)
    with pytest.raises(Fault) as refused:
        await press.set(example(), "en")
    assert (refused.value.reason, refused.value.params) == ("DOSSIER_NOT_SET", {"seconds": "2"})
    (process,) = begun
    assert process.returncode == -signal.SIGKILL
    assert not Path(f"/proc/{process.pid}").exists()


async def test_what_nobody_waits_for_any_more_is_ended(tmp_path: Path) -> None:
    seen = tmp_path / "pid"
    body = f"pathlib.Path({str(seen)!r}).write_text(str(os.getpid()))\ntime.sleep(600)"
    press = Press(script(tmp_path, body))
    asked = asyncio.create_task(press.set(example(), "en"))

    async def begun() -> bool:
        return seen.exists() and bool(seen.read_text())

    await eventually(begun)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not Path(f"/proc/{seen.read_text()}").exists()


async def test_so_many_are_set_at_once_and_so_many_wait(tmp_path: Path) -> None:
    room, go_on = tmp_path / "room", tmp_path / "go-on"
    room.mkdir()
    body = (
        f"room, go_on = pathlib.Path({str(room)!r}), pathlib.Path({str(go_on)!r})\n"
        "(room / str(os.getpid())).touch()\n"
        "while not go_on.exists(): time.sleep(0.01)\n"
        "sys.stdout.write(sys.argv[1])"
    )
    press = Press(script(tmp_path, body))
    asked = [asyncio.create_task(press.set(example(), "fa")) for _ in range(AT_ONCE + WAITING)]

    async def full() -> bool:
        return len(list(room.iterdir())) == AT_ONCE

    await eventually(full)
    with pytest.raises(Fault) as refused:
        await press.set(example(), "fa")
    assert refused.value.reason == "UNAVAILABLE"
    assert len(list(room.iterdir())) == AT_ONCE
    go_on.touch()
    assert await asyncio.gather(*asked) == [b"fa"] * (AT_ONCE + WAITING)
    assert await press.set(example(), "en") == b"en"


async def test_what_is_too_long_for_a_document_is_refused_before_it_is_begun(
    tmp_path: Path,
) -> None:
    press = Press(script(tmp_path, "sys.exit('it was begun')"))
    many, long = example(pieces=2000), example()
    long.project.state_reason = "x" * MAX_BYTES
    for dossier in (many, long):
        with pytest.raises(Fault) as refused:
            await press.set(dossier, "en")
        assert refused.value.reason == "DOSSIER_TOO_LARGE"
        assert refused.value.params == {"items": "6000", "mebibytes": "8"}


async def test_a_press_that_breaks_is_a_fault_of_ours(tmp_path: Path) -> None:
    press = Press(script(tmp_path, "sys.exit('no such font')"))
    with pytest.raises(Fault) as refused:
        await press.set(example(), "en")
    assert refused.value.reason == "INTERNAL"


def signed_in(role: str = "hq_admin", **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {role}", **headers}


async def test_the_document_is_given_in_the_language_that_is_read(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    dossier = clients.answers["GetProjectDossier"] = example()
    path = f"/v1/projects/{dossier.project.id}/dossier.pdf"
    fa = await http.get(path, headers=signed_in(**{"Accept-Language": "fa"}))
    assert (fa.status_code, fa.headers["content-type"]) == (200, "application/pdf")
    assert fa.headers["content-language"] == "fa"
    assert fa.content == typeset(dossier, "fa")
    name = f"dossier-{dossier.project.id}-{dossier.manifest.sha256[:8]}.pdf"
    assert fa.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"
    (_, asked, context), *_ = clients.calls
    assert (asked.project_id, context.token) == (dossier.project.id, "hq_admin")
    en = await http.get(path, params={"lang": "en"}, headers=signed_in())
    assert en.content == typeset(dossier, "en")
    assert en.headers["etag"] != fa.headers["etag"]
    known = await http.get(path, headers=signed_in(**{"If-None-Match": en.headers["etag"]}))
    assert (known.status_code, known.content) == (304, b"")


@pytest.mark.parametrize(
    ("path", "headers", "status", "told"),
    [
        ("prj_1/dossier.pdf", {}, 422, "project_id"),
        ("{id}/dossier.pdf?lang=de", {}, 422, "lang"),
        ("{id}/dossier.pdf?page=2", {}, 422, "page"),
        ("{id}/dossier.pdf", {"Accept": "text/html"}, 406, "NOT_ACCEPTABLE"),
        ("{id}/dossier.pdf", {"Authorization": "Bearer bad"}, 401, "TOKEN_REJECTED"),
        ("{id}/dossier.pdf", {"Authorization": "Bearer partner"}, 403, "PERMISSION_DENIED"),
    ],
)
async def test_what_cannot_be_given_is_refused_with_a_problem(
    http: httpx.AsyncClient, path: str, headers: dict[str, str], status: int, told: str
) -> None:
    address = f"/v1/projects/{path.format(id=new_id('prj'))}"
    answer = await http.get(address, headers=signed_in() | headers)
    assert answer.status_code == status, answer.text
    problem: dict[str, Any] = answer.json()
    named = [item.get("parameter") for item in problem.get("errors", ())]
    assert told in (*named, problem["reason"])


async def test_a_project_that_is_not_seen_has_no_document(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    clients.answers["GetProjectDossier"] = Fault("NOT_FOUND", {"resource": "project", "id": "x"})
    answer = await http.get(f"/v1/projects/{new_id('prj')}/dossier.pdf", headers=signed_in())
    assert (answer.status_code, answer.json()["reason"]) == (404, "NOT_FOUND")
