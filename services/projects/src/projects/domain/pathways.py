"""Pathways: which stages a project goes through, and the evidence that each one asks for.

A template is data. A project keeps to the version that it began with, so a newer
template changes nothing for projects that are under way.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from domainkit.values import LocalizedText


class Stage(StrEnum):
    """How far a project has come; the order of the declaration is that of the way."""

    S0 = "s0"
    S1 = "s1"
    S2 = "s2"
    S3 = "s3"
    S4 = "s4"
    S5 = "s5"
    S6 = "s6"
    S7 = "s7"


class Pathway(StrEnum):
    """The way that a project takes."""

    SOMATIC_CELL = "somatic_cell"
    TISSUE_ENGINEERED = "tissue_engineered"
    GENE_THERAPY = "gene_therapy"
    COMBINED = "combined"
    DEVICE = "device"
    RESEARCH_TOOL = "research_tool"


@dataclass(frozen=True)
class Criterion:
    """Evidence that a project leaves a stage with.

    `pathways` are those that it holds for. Criteria of one stage with different
    `route` names are alternatives: all of one route are needed, not of every one.
    """

    code: str
    stage: Stage
    text: LocalizedText
    pathways: frozenset[Pathway]
    route: str = ""


@dataclass(frozen=True)
class Template:
    """One version of the pathways, their stages and criteria."""

    version: str
    ways: Mapping[Pathway, tuple[Stage, ...]]
    criteria: tuple[Criterion, ...]

    def stages(self, pathway: Pathway) -> tuple[Stage, ...]:
        """The stages of a pathway, in their order."""
        return self.ways[pathway]

    def next_stage(self, pathway: Pathway, stage: Stage) -> Stage | None:
        """The stage that follows on a pathway; `None` after the last."""
        stages = self.ways[pathway]
        place = stages.index(stage) + 1
        return stages[place] if place < len(stages) else None

    def criteria_of(self, pathway: Pathway, stage: Stage) -> list[Criterion]:
        """What a project on a pathway needs to leave a stage."""
        return [c for c in self.criteria if c.stage == stage and pathway in c.pathways]


def read_template(text: str) -> Template:
    """Read a template from TOML. Raises `ValueError` for one that contradicts itself."""
    data: dict[str, Any] = tomllib.loads(text)
    ways = {
        Pathway(name): tuple(Stage(stage) for stage in stages)
        for name, stages in data["pathways"].items()
    }
    criteria = tuple(_read_criterion(item) for item in data["criteria"])
    if set(ways) != set(Pathway):
        raise ValueError("a template describes every pathway")
    for pathway, stages in ways.items():
        if not stages or list(stages) != sorted(set(stages)):
            raise ValueError(f"the stages of {pathway} are out of order")
    codes = [criterion.code for criterion in criteria]
    if len(codes) != len(set(codes)):
        raise ValueError("two criteria have one code")
    for criterion in criteria:
        for pathway in criterion.pathways:
            if criterion.stage not in ways[pathway]:
                raise ValueError(f"{pathway} has no {criterion.stage} for {criterion.code}")
    return Template(data["version"], ways, criteria)


def _read_criterion(item: Mapping[str, Any]) -> Criterion:
    return Criterion(
        code=item["code"],
        stage=Stage(item["stage"]),
        text=LocalizedText(fa=item["fa"], en=item["en"]),
        pathways=frozenset(Pathway(name) for name in item["pathways"]),
        route=item.get("route", ""),
    )
