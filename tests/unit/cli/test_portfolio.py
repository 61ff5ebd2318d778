"""``peyvand portfolio`` and ``peyvand projects``, against a gateway that is only pretended."""

import json
import re

from tests.unit.cli.conftest import CENTER, Gateway, Json, run

NUMBERS = {"active": 6, "on_hold": 1, "completed": 2, "killed": 3}
COVERAGE = {"known": 9, "of": 10, "as_of": "2026-11-22T08:30:00Z"}
NOTHING = {"count": 0, "median": None}
PORTFOLIO: Json = {
    "as_of": "2026-11-22T08:30:00Z",
    "sample": False,
    "counts": {
        "coverage": COVERAGE,
        "total": NUMBERS,
        "cells": [
            {"stage": "s2", "pathway": "device", "province": "IR-03", "projects": NUMBERS},
            {"stage": "s2", "pathway": "device", "province": None, "projects": NUMBERS},
        ],
        "left_out": 4,
    },
    "cycle_times": [
        {
            "stage": "s2",
            "decided": {"count": 8, "median": 81.4},
            "waiting": {"count": 2, "median": 20.0},
            "expected_median": None,
        },
        {"stage": "s3", "decided": NOTHING, "waiting": NOTHING, "expected_median": None},
    ],
    "kills": [
        {"stage": "s2", "ended": 8, "killed": 2, "reasons": [{"code": "safety", "projects": 2}]},
        {"stage": "s3", "ended": 0, "killed": 0, "reasons": []},
    ],
    "money": [
        {
            "currency": "IRR",
            "awarded": "12345678901234567.25",
            "released": "2",
            "committed": "1",
            "committed_to_killed": "0.5",
            "lapsed": "0",
        }
    ],
    "stuck": {
        "coverage": COVERAGE,
        "total": 5,
        "projects": [
            {
                "project_id": "prj_1",
                "titles": {"fa": "وصله", "en": "Patch"},
                "stage": "s2",
                "since": None,
                "causes": [{"reason": "on_hold"}, {"reason": "flagged"}, {"reason": "flagged"}],
            }
        ],
    },
}


def test_the_portfolio_is_told_in_tables_with_what_it_rests_on(gateway: Gateway) -> None:
    gateway.says("GET /v1/portfolio", PORTFOLIO)
    shown = run("portfolio", "--province", "IR-03", "--sample", "--stuck", "3")
    given = gateway.asked[-1].url.params
    assert dict(given) == {"province": "IR-03", "sample": "true", "stuck_limit": "3"}
    for row in (
        r"device\s+14\s+0\s+12\s+2\s+4\s+6",
        r"s2\s+8\s+81 days\s+2\s+unknown",
        r"s2\s+2\s+8\s+safety 2",
        r"IRR\s+12345678901234567.25\s+2\s+1\s+0.5\s+0",
        r"Patch\s+s2\s+on_hold, flagged\s+unknown",
        r"stuck: 5 of 7",
        r"Province: 9 of 10",
        r"\(\+4\): sample data",
    ):
        assert re.search(row, shown), row
    assert "s3 " not in shown.split("Times")[1], "of a stage without a visit nothing is told"
    persian = run("portfolio", "--lang", "fa")
    assert "معطل‌مانده: 5 از 7" in persian
    assert "تجهیزات پزشکی" in persian
    assert json.loads(run("portfolio", "--json")) == PORTFOLIO


def test_a_project_says_what_it_needs_for_its_next_gate(gateway: Gateway) -> None:
    standing: Json = {
        "stage": "s2",
        "next_stage": "s3",
        "satisfied": False,
        "criteria": [
            {
                "criterion": {"text": {"fa": "سنجش", "en": "Potency assay"}},
                "state": "missing",
                "next_step": {"fa": "شاهد ارائه دهید", "en": "Submit evidence"},
            },
            {"criterion": {"text": {"en": "Bank"}}, "state": "verified", "next_step": None},
        ],
        "flags": [{"kind": "center_unavailable", "resource_id": "ctr_1"}],
        "on_hold": True,
        "unmet_condition_ids": ["cnd_1"],
        "overdue_condition_ids": ["cnd_2"],
    }
    gateway.says("GET /v1/projects/prj_1/next-gate", standing)
    shown = run("projects", "next-gate", "prj_1")
    assert "s2 → s3" in shown
    assert re.search(r"Potency assay\s+missing\s+Submit evidence", shown)
    assert re.search(r"Bank\s+verified\s*\n", shown)
    assert "center_unavailable ctr_1" in shown
    assert "on_hold" in shown
    assert "Left open at an earlier gate cnd_1" in shown
    assert "Overdue cnd_2" in shown
    assert "All that is needed" not in shown
    assert "شاهد ارائه دهید" in run("projects", "next-gate", "prj_1", "--lang", "fa")
    assert json.loads(run("projects", "next-gate", "prj_1", "--json")) == standing
    done = standing | {"satisfied": True, "next_stage": None, "criteria": [], "flags": []}
    done |= {"on_hold": False, "unmet_condition_ids": [], "overdue_condition_ids": []}
    gateway.says("GET /v1/projects/prj_2/next-gate", done)
    assert "All that is needed is there." in run("projects", "next-gate", "prj_2")


def test_projects_are_listed_without_a_command(gateway: Gateway) -> None:
    project: Json = {
        "id": "prj_1",
        "titles": {"en": "Patch"},
        "lead_center_id": "ctr_1",
        "pathway": "device",
        "stage": "s2",
        "state": "active",
        "sample": True,
    }
    gateway.says("GET /v1/projects", {"projects": [project], "next_page_token": None})
    gateway.says("GET /v1/centers", {"centers": [CENTER], "next_page_token": None})
    shown = run("projects", "--stage", "s2")
    assert re.search(r"Patch \(sample data\)\s+Tabriz center\s+device\s+s2\s+active", shown)
    asked = [request for request in gateway.asked if request.url.path == "/v1/projects"]
    assert asked[-1].url.params["stage"] == "s2"
