"""The commands for gates as a person types them, against a gateway that is only pretended."""

import json
from typing import Any

import pytest

from peyvandctl.cli import app
from tests.unit.cli.conftest import Gateway, Json, run, runner

GATE: Json = {
    "id": "gat_1",
    "project_id": "prj_1",
    "stage": "s1",
    "visit": 2,
    "state": "open",
    "quorum": 2,
    "opened_by": "sara",
    "assessment_hash": "a" * 64,
    "etag": "v7",
    "created_at": "2026-11-22T12:00:00Z",
    "panel": [{"subject": "dana", "role": "chair"}, {"subject": "mina", "role": "science"}],
    "declarations": [{"subject": "dana", "conflict": "none", "note": ""}],
    "votes": [{"subject": "dana", "kind": "hold", "reason": "Too early."}],
    "proposals": [
        {
            "terms": {
                "kind": "conditional_go",
                "to_stage": None,
                "resume_date": "",
                "kill": None,
                "conditions": [
                    {
                        "text": {"fa": None, "en": "Repeat the assay"},
                        "owner": "Quality",
                        "due_date": "2026-12-20",
                        "criterion": "potency-assay-draft",
                    }
                ],
            },
            "proposed_by": "bahar",
        }
    ],
}
PLACE = "/v1/gates/gat_1"


def sent(gateway: Gateway) -> tuple[str, str, Any]:
    """What was sent last: where, from which version, and what."""
    last = gateway.asked[-1]
    return last.url.path, last.headers.get("if-match", ""), json.loads(last.content)


def test_gates_are_listed_for_who_sits_on_them(gateway: Gateway) -> None:
    gateway.says("GET /v1/gates", {"gates": [GATE], "next_page_token": None})
    said = run("gates", "--mine", "--project", "prj_1", "--state", "open")
    asked = gateway.asked[-1].url.params
    assert (asked["on_panel"], asked["project_id"], asked["state"]) == ("true", "prj_1", "open")
    for part in ("gat_1", "prj_1", "sara"):
        assert part in said
    assert json.loads(run("gates", "--json")) == [GATE]


def test_a_gate_is_shown_with_its_panel_its_terms_and_its_votes(gateway: Gateway) -> None:
    gateway.says(f"GET {PLACE}", GATE)
    said = run("gates", "show", "gat_1")
    for part in ("dana", "Too early.", "Repeat the assay", "bahar", "2026-12-20", "a" * 64):
        assert part in said
    persian = run("gates", "show", "gat_1", "--lang", "fa")
    for part in ("باز", "رئیس هیئت", "توقف موقت", "ادامهٔ مشروط", "حد نصاب"):
        assert part in persian
    assert json.loads(run("gates", "show", "gat_1", "--json")) == GATE


def test_a_gate_is_opened_with_its_panel(gateway: Gateway) -> None:
    gateway.says("POST /v1/gates", GATE)
    run("gates", "open", "prj_1", "--member", "dana:chair", "--member", "mina:science")
    assert sent(gateway) == ("/v1/gates", "", {"project_id": "prj_1", "panel": GATE["panel"]})
    run("gates", "open", "prj_1", "--member", "dana:chair", "--quorum", "2", "--corrects", "dec_1")
    _, _, body = sent(gateway)
    assert (body["quorum"], body["supersedes_id"]) == (2, "dec_1")


@pytest.mark.parametrize(
    ("arguments", "verb", "body"),
    [
        (["declare", "--conflict", "none"], "declare", {"conflict": "none"}),
        (
            ["propose", "hold", "--resume-date", "2026-12-20"],
            "propose",
            {"decision": "hold", "resume_date": "2026-12-20"},
        ),
        (
            ["propose", "recycle", "--to-stage", "s0"],
            "propose",
            {"decision": "recycle", "to_stage": "s0"},
        ),
        (
            ["propose", "kill", "--kill-code", "safety", "--narrative", "N", "--lessons", "L"],
            "propose",
            {"decision": "kill", "kill": {"code": "safety", "narrative": "N", "lessons": "L"}},
        ),
        (
            [
                "propose",
                "conditional_go",
                "--condition",
                "Repeat the assay | Quality | 2026-12-20 | potency-assay-draft",
                "--condition",
                "تکرار آزمون|کیفیت|2026-12-21",
            ],
            "propose",
            {
                "decision": "conditional_go",
                "conditions": [
                    {
                        "text": {"en": "Repeat the assay"},
                        "owner": "Quality",
                        "due_date": "2026-12-20",
                        "criterion": "potency-assay-draft",
                    },
                    {"text": {"fa": "تکرار آزمون"}, "owner": "کیفیت", "due_date": "2026-12-21"},
                ],
            },
        ),
        (
            ["vote", "hold", "--reason", "Too early.", "--reviewed", "a" * 64],
            "vote",
            {"decision": "hold", "reason": "Too early.", "assessment_hash": "a" * 64},
        ),
        (["withdraw", "--reason", "Another panel."], "withdraw", {"reason": "Another panel."}),
    ],
)
def test_a_step_is_taken_from_where_the_gate_is(
    gateway: Gateway, arguments: list[str], verb: str, body: Json
) -> None:
    gateway.says(f"GET {PLACE}", GATE)
    gateway.says(f"POST {PLACE}:{verb}", GATE)
    command, *others = arguments
    run("gates", command, "gat_1", *others)
    assert sent(gateway) == (f"{PLACE}:{verb}", '"v7"', body)


def test_a_decision_is_recorded_on_the_project_of_the_gate(gateway: Gateway) -> None:
    project = {
        "titles": {"fa": None, "en": "Cartilage patch"},
        "stage": "s2",
        "state": "active",
        "etag": "v9",
    }
    gateway.says(f"GET {PLACE}", GATE)
    gateway.says("GET /v1/projects/prj_1", project)
    gateway.says("POST /v1/projects/prj_1:decide", project)
    said = run("gates", "decide", "gat_1", "go", "--reason", "As voted.")
    assert "Cartilage patch: s2, active" in said
    assert sent(gateway) == (
        "/v1/projects/prj_1:decide",
        '"v9"',
        {"decision": "go", "reason": "As voted."},
    )


def test_what_is_refused_ends_with_its_reason(gateway: Gateway) -> None:
    problem = {"detail": "2 votes count; the quorum is 3.", "reason": "QUORUM_NOT_REACHED"}
    gateway.says(f"GET {PLACE}", GATE)
    gateway.says(f"POST {PLACE}:withdraw", problem, status=409)
    refused = runner.invoke(app, ["gates", "withdraw", "gat_1", "--reason", "x"])
    assert (refused.exit_code, "the quorum is 3" in refused.stderr) == (2, True)
    unread = runner.invoke(app, ["gates", "open", "prj_1", "--member", "dana"])
    assert (unread.exit_code, "SUBJECT:ROLE" in unread.stderr) == (1, True)
