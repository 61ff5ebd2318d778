"""The pathway template that is published, and templates that contradict themselves."""

from __future__ import annotations

import re
from importlib import resources

import pytest

from projects.domain.pathways import Pathway, Stage, Template, read_template

TEXT = (resources.files("projects.pathway_templates") / "1.toml").read_text(encoding="utf-8")


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


def test_every_stage_of_a_therapy_asks_for_evidence(way: Template) -> None:
    for stage in Stage:
        criteria = way.criteria_of(Pathway.SOMATIC_CELL, stage)
        assert criteria
        assert all(criterion.text.en and criterion.text.fa for criterion in criteria)


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


@pytest.mark.parametrize(
    ("pattern", "replacement"),
    [
        (r"research_tool = .*\n", ""),  # a pathway is missing
        (r'device = \["s0", "s1"', 'device = ["s1", "s0"'),  # stages out of order
        (r'device = \["s0", "s1"', 'device = ["s0", "s0", "s1"'),  # a stage twice
        (r'code = "inventors"', 'code = "disclosure"'),  # a code twice
        (r'code = "dsmb-report"\nstage = "s4"\npathways = \[', r'\g<0>"device", '),
        (r'stage = "s7"', 'stage = "s8"'),
    ],
)
def test_a_template_that_contradicts_itself_is_refused(pattern: str, replacement: str) -> None:
    text, changes = re.subn(pattern, replacement, TEXT, count=1)
    assert changes == 1
    with pytest.raises(ValueError, match=r"."):
        read_template(text)
