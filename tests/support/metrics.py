"""Which metrics rules and dashboards name, and which ones running processes tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import promql_parser
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.support.http import PATIENCE_SECONDS
from tests.support.manifests import ROOT

if TYPE_CHECKING:
    from peyvandctl.cluster import Cluster

OBSERVABILITY = ROOT / "deploy" / "observability"
RULES = sorted((OBSERVABILITY / "rules").glob("*.yml"))
DASHBOARDS = sorted((OBSERVABILITY / "grafana" / "dashboards").glob("*.json"))
_SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",), "gauge": ("",)}


def rules(path: Path) -> Iterator[dict[str, Any]]:
    """All rules of a file."""
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
        yield from group["rules"]


def alerts() -> list[dict[str, Any]]:
    """All rules that alert."""
    return [rule for path in RULES for rule in rules(path) if "alert" in rule]


def recorded() -> set[str]:
    """Names that rules record."""
    return {rule["record"] for path in RULES for rule in rules(path) if "record" in rule}


def queries() -> dict[str, str]:
    """Every query, by where it stands."""
    found: dict[str, str] = {}
    for path in RULES:
        for number, rule in enumerate(rules(path)):
            found[f"{path.name}:{number}"] = rule["expr"]
    for path in DASHBOARDS:
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for target in panel["targets"]:
                found[f"{path.name}:{panel['title']}:{target['refId']}"] = target["expr"]
    return found


def selectors(query: str) -> set[tuple[str, frozenset[str]]]:
    """Names of metrics in a query, each with the labels that it is asked for.

    Raises `ValueError` for what is no PromQL.
    """
    found: set[tuple[str, frozenset[str]]] = set()
    _walk(promql_parser.parse(query), found)
    return found


def _walk(node: Any, found: set[tuple[str, frozenset[str]]]) -> None:
    match type(node).__name__:
        case "VectorSelector":
            labels = frozenset(matcher.name for matcher in node.matchers.matchers)
            found.add((node.name, labels))
        case "MatrixSelector":
            _walk(node.vector_selector, found)
        case "BinaryExpr":
            _walk(node.lhs, found)
            _walk(node.rhs, found)
        case "Call":
            for argument in node.args:
                _walk(argument, found)
        case "AggregateExpr" | "ParenExpr" | "UnaryExpr" | "SubqueryExpr":
            _walk(node.expr, found)
        case "NumberLiteral" | "StringLiteral":
            pass
        case unknown:
            raise AssertionError(f"write how to walk {unknown}")


async def exposed(cluster: Cluster) -> dict[str, set[str]]:
    """Names of all metrics that the processes of a network tell, with the labels of each."""
    found: dict[str, set[str]] = {}
    async with httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        for service in cluster.services:
            page = await http.get(f"{cluster.metrics_url(service.name)}/metrics")
            for family in text_string_to_metric_families(page.text):
                for suffix in _SUFFIXES.get(family.type, ("",)):
                    found.setdefault(family.name + suffix, set())
                for sample in family.samples:
                    found.setdefault(sample.name, set()).update(sample.labels)
    return found
