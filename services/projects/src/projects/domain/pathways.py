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


ROUTE_NAMES: Mapping[str, LocalizedText] = {
    "market_authorisation": LocalizedText(fa="مجوز بازار", en="Market authorisation"),
    "hospital_exemption": LocalizedText(fa="معافیت بیمارستانی", en="Hospital exemption"),
}
"""What people call the alternative routes that a template can name."""


@dataclass(frozen=True)
class CitedRegulation:
    """A regulation, by its external key, that a criterion stands on for some pathways."""

    external_key: str
    pathways: frozenset[Pathway]


@dataclass(frozen=True)
class Criterion:
    """Evidence that a project leaves a stage with.

    `pathways` are those that it holds for. Criteria of one stage with different
    `route` names are alternatives: all of one route are needed, not of every one. One that
    is not `deferrable` is neither left to a condition nor waived.
    """

    code: str
    stage: Stage
    text: LocalizedText
    pathways: frozenset[Pathway]
    route: str = ""
    regulations: tuple[CitedRegulation, ...] = ()
    deferrable: bool = True

    def cites(self, pathway: Pathway) -> frozenset[str]:
        """External keys of the regulations that it stands on for a pathway."""
        return frozenset(r.external_key for r in self.regulations if pathway in r.pathways)

    @property
    def route_name(self) -> LocalizedText | None:
        """What its route is called; `None` without one."""
        return ROUTE_NAMES[self.route] if self.route else None


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

    def regulations_ahead(self, pathway: Pathway, stage: Stage) -> frozenset[str]:
        """External keys of the regulations that criteria cite from a stage on."""
        stages = self.ways[pathway][self.ways[pathway].index(stage) :]
        ahead = (c for later in stages for c in self.criteria_of(pathway, later))
        return frozenset(key for criterion in ahead for key in criterion.cites(pathway))

    def regulations_of(self, pathway: Pathway) -> frozenset[str]:
        """External keys of the regulations that criteria of a pathway cite in any stage."""
        return self.regulations_ahead(pathway, self.ways[pathway][0])

    def stages_before_leaving(self, pathway: Pathway, external_key: str) -> list[Stage]:
        """Stages in which a criterion that cites a regulation is still to be met."""
        stages = self.ways[pathway]
        return [s for s in stages if external_key in self.regulations_ahead(pathway, s)]


# Published before a stage had to ask for something; projects keep to them.
_MAY_ASK_FOR_NOTHING = frozenset({"1", "2"})


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
    if unnamed := {c.route for c in criteria if c.route} - ROUTE_NAMES.keys():
        raise ValueError(f"there is no name for the routes {sorted(unnamed)}")
    codes = [criterion.code for criterion in criteria]
    if len(codes) != len(set(codes)):
        raise ValueError("two criteria have one code")
    for criterion in criteria:
        _require_fitting(criterion, ways)
    template = Template(data["version"], ways, criteria)
    if template.version not in _MAY_ASK_FOR_NOTHING:
        _require_evidence(template)
    return template


def _require_fitting(criterion: Criterion, ways: Mapping[Pathway, tuple[Stage, ...]]) -> None:
    for pathway in criterion.pathways:
        if criterion.stage not in ways[pathway]:
            raise ValueError(f"{pathway} has no {criterion.stage} for {criterion.code}")
    for regulation in criterion.regulations:
        if not regulation.pathways or not regulation.pathways <= criterion.pathways:
            raise ValueError(f"{criterion.code} cites {regulation.external_key} for others")


def _require_evidence(template: Template) -> None:
    for pathway, stages in template.ways.items():
        for stage in stages:
            if not template.criteria_of(pathway, stage):
                raise ValueError(f"{pathway} leaves {stage} without any evidence")


def _read_criterion(item: Mapping[str, Any]) -> Criterion:
    return Criterion(
        code=item["code"],
        stage=Stage(item["stage"]),
        text=LocalizedText(fa=item["fa"], en=item["en"]),
        pathways=frozenset(Pathway(name) for name in item["pathways"]),
        route=item.get("route", ""),
        deferrable=item.get("deferrable", True),
        regulations=tuple(
            CitedRegulation(key, frozenset(Pathway(name) for name in names))
            for key, names in item.get("regulations", {}).items()
        ),
    )
