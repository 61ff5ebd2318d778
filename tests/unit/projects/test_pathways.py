"""The pathway template that is published, and templates that contradict themselves."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
import yaml

from projects.domain.pathways import Pathway, Stage, Template, read_template
from projects.pathway_templates import NEWEST, template, versions

TEXT = (resources.files("projects.pathway_templates") / f"{NEWEST}.toml").read_text("utf-8")
FACTS = Path(__file__).parents[3] / "dev" / "data" / "network.yaml"


def test_device_and_research_tool_leave_stages_out_by_template(way: Template) -> None:
    assert set(Stage) - set(way.stages(Pathway.DEVICE)) == {Stage.S4}
    left_out = set(Stage) - set(way.stages(Pathway.RESEARCH_TOOL))
    assert left_out == {Stage.S3, Stage.S4, Stage.S5}
    for pathway in set(Pathway) - {Pathway.DEVICE, Pathway.RESEARCH_TOOL}:
        assert way.stages(pathway) == tuple(Stage)


def test_the_next_stage_is_the_next_one_of_the_pathway(way: Template) -> None:
    assert way.next_stage(Pathway.DEVICE, Stage.S3) == Stage.S5
    assert way.next_stage(Pathway.RESEARCH_TOOL, Stage.S2) == Stage.S6
    assert way.next_stage(Pathway.GENE_THERAPY, Stage.S3) == Stage.S4
    assert way.next_stage(Pathway.GENE_THERAPY, Stage.S7) is None


@pytest.mark.parametrize("pathway", Pathway)
def test_every_stage_of_every_pathway_asks_for_evidence(way: Template, pathway: Pathway) -> None:
    for stage in way.stages(pathway):
        criteria = way.criteria_of(pathway, stage)
        assert criteria
        assert all(criterion.text.en and criterion.text.fa for criterion in criteria)


def test_a_research_tool_shows_how_others_get_it() -> None:
    codes = {c.code for c in template("3").criteria_of(Pathway.RESEARCH_TOOL, Stage.S6)}
    assert codes == {"release-specification", "terms-of-supply"}
    # Projects that began before go on as they began.
    for before in ("1", "2"):
        assert template(before).criteria_of(Pathway.RESEARCH_TOOL, Stage.S6) == []


def test_the_third_version_is_the_second_but_for_that() -> None:
    second, third = template("2"), template("3")
    assert second.ways == third.ways
    added = {"release-specification", "terms-of-supply"}
    fixed = {"consent-ethics", "trial-ethics", "clearance", "registration"}
    assert {c.code for c in third.criteria if not c.deferrable} == fixed
    assert all(c.deferrable for c in second.criteria)
    kept = (replace(c, deferrable=True) for c in third.criteria if c.code not in added)
    assert tuple(kept) == second.criteria


def test_only_gene_therapy_asks_where_the_vector_goes(way: Template) -> None:
    special = {"biodistribution", "integration"}
    for pathway in Pathway:
        codes = {criterion.code for criterion in way.criteria_of(pathway, Stage.S3)}
        assert codes & special == (special if pathway == Pathway.GENE_THERAPY else set())


def test_access_goes_by_authorisation_or_by_exemption(way: Template) -> None:
    routes: dict[str, set[str]] = {}
    for criterion in way.criteria_of(Pathway.SOMATIC_CELL, Stage.S6):
        routes.setdefault(criterion.route, set()).add(criterion.code)
    assert routes == {
        "market_authorisation": {"authorisation-number"},
        "hospital_exemption": {
            "exemption-permit",
            "named-hospital",
            "individual-prescription",
            "traceability",
            "vigilance",
        },
    }


def test_every_version_is_there_and_says_which_it_is() -> None:
    assert [template(version).version for version in versions()] == ["3", "2", "1"]
    assert versions()[0] == NEWEST
    with pytest.raises(FileNotFoundError):
        template("4")


def test_the_first_version_cites_no_regulation_and_asks_for_the_same() -> None:
    first, second = template("1"), template("2")
    assert not any(first.regulations_of(pathway) for pathway in Pathway)
    assert first.ways == second.ways
    asked = [[(c.code, c.stage, c.text, c.route) for c in t.criteria] for t in (first, second)]
    assert asked[0] == asked[1]


def test_the_regulations_that_are_cited_are_among_those_that_the_network_knows(
    way: Template,
) -> None:
    facts = yaml.safe_load(FACTS.read_text(encoding="utf-8"))
    known = {regulation["external_key"] for regulation in facts["regulations"]}
    cited = {key for pathway in Pathway for key in way.regulations_of(pathway)}
    assert cited == {"reg-cell-therapy", "reg-gene-therapy"} == known


def test_a_regulation_is_cited_until_the_last_criterion_on_it_is_left(way: Template) -> None:
    assert way.regulations_of(Pathway.GENE_THERAPY) == {"reg-gene-therapy"}
    assert way.regulations_of(Pathway.COMBINED) == {"reg-cell-therapy"}
    assert way.regulations_of(Pathway.DEVICE) == set()
    before = way.stages_before_leaving(Pathway.SOMATIC_CELL, "reg-cell-therapy")
    assert before == list(Stage)  # the last is the follow-up of S7
    assert way.stages_before_leaving(Pathway.SOMATIC_CELL, "reg-gene-therapy") == []
    short = read_template(re.sub(r'(?s)code = "long-term.*?\n\n', LAST_WITHOUT_REGULATION, TEXT))
    assert short.stages_before_leaving(Pathway.SOMATIC_CELL, "reg-cell-therapy")[-1] == Stage.S6
    assert short.regulations_ahead(Pathway.SOMATIC_CELL, Stage.S6) == {"reg-cell-therapy"}
    assert short.regulations_ahead(Pathway.SOMATIC_CELL, Stage.S7) == set()


LAST_WITHOUT_REGULATION = """code = "long-term-follow-up"
stage = "s7"
pathways = ["somatic_cell"]
en = "Long-term follow-up"
fa = "پیگیری بلندمدت"

"""


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r'reg-cell-therapy = \["somatic_cell"', 'reg-cell-therapy = ["research_tool"'),
        (r"reg-cell-therapy = .*\n", "reg-cell-therapy = []\n"),
        (r"research_tool = .*\n", ""),  # a pathway is missing
        (r'device = \["s0", "s1"', 'device = ["s1", "s0"'),  # stages out of order
        (r'device = \["s0", "s1"', 'device = ["s0", "s0", "s1"'),  # a stage twice
        (r'code = "inventors"', 'code = "disclosure"'),  # a code twice
        (r'code = "dsmb-report"\nstage = "s4"\npathways = \[', r'\g<0>"device", '),
        (r'stage = "s7"', 'stage = "s8"'),
        # A stage that asks for nothing: of one pathway, and of one with all that it had.
        (r'research_tool = \["s0", "s1", "s2"', 'research_tool = ["s0", "s1", "s2", "s3"'),
        (r'(?s)\[\[criteria\]\]\ncode = "release-specification".*?(?=# S7)', ""),
    ],
)
def test_a_template_that_contradicts_itself_is_refused(pattern: str, replacement: str) -> None:
    text, changes = re.subn(pattern, replacement, TEXT, count=1)
    assert changes == 1
    with pytest.raises(ValueError, match=r"."):
        read_template(text)
