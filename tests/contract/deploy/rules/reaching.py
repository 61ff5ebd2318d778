"""Who reaches whom."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.contract.deploy.rules.common import BROKER, LEAVES, OWNERS, Complaints
from tests.support.manifests import (
    ROOT,
    WORLD,
    Edge,
    Manifests,
    edges,
    is_isolated,
)


def goes_by_the_picture(manifests: Manifests) -> Complaints:
    """The network policies let through what the picture of the architecture shows, no more."""
    refuse_all = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    if refuse_all not in [policy["spec"] for policy in manifests.of("NetworkPolicy")]:
        yield "what no rule allows is not refused to whatever comes here"
    for workload in manifests.workloads():
        for direction in ("Ingress", "Egress"):
            if not is_isolated(manifests, workload, direction):
                yield f"{workload.name}: nothing limits its {direction.lower()}"
    wanted = {Edge(*edge) for edge in drawn_edges(_picture())} | set(_infrastructure(manifests))
    # The version stands in the name of a Job.
    found = {Edge(plain(edge.source), plain(edge.target), edge.port) for edge in edges(manifests)}
    for edge in sorted(found - wanted, key=str):
        yield f"let through, and not in the picture: {edge}"
    for edge in sorted(wanted - found, key=str):
        yield f"in the picture, and not let through: {edge}"


def plain(name: str) -> str:
    return re.sub(r"^(migrate-[a-z]+)-.*", r"\1", name)


def _infrastructure(manifests: Manifests) -> Iterator[Edge]:
    """What every pod needs beside the edges of the picture."""
    for workload in manifests.workloads():
        name = plain(workload.name)
        yield Edge(name, "kube-system", 53)
        if "metrics" in workload.ports:
            yield Edge("monitoring", name, workload.ports["metrics"])
        if name in (*OWNERS, "gateway"):
            # Traces, and the keys of who issues tokens.
            yield Edge(name, "monitoring", 4317)
            yield Edge(name, WORLD, 443)
        if workload.kind == "Cluster":
            for port in (5432, 8000):
                yield Edge("cnpg-system", name, port)
                yield Edge(name, name, port)
            for port in (443, 6443):
                yield Edge(name, WORLD, port)
        if name == BROKER:
            yield Edge(name, name, 6222)
            if LEAVES in workload.ports:
                yield Edge(WORLD, name, workload.ports[LEAVES])
    for owner in OWNERS:
        yield Edge(f"migrate-{owner}", f"postgres-{owner}", 5432)


def _picture() -> str:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    return text.partition("```mermaid\n")[2].partition("```")[0]


_ARROW = re.compile(r"^\s*(.+?)\s*(?:-- .+? -->|-\. .+? \.->|-->|---)\s*(.+?)\s*$")
_AT_A_CENTER = {"systems", "node"}


def drawn_edges(picture: str) -> set[tuple[str, str, int]]:
    """Connections that a picture shows, with who opens them first.

    What is said over the broker, dotted or not, is a connection of both ends to it.
    """
    names = {
        name: f"postgres-{owner}"
        for name, owner in re.findall(r"(\w+)\[\(PostgreSQL<br>(\w+)\)\]", picture)
    }
    found: set[tuple[str, str, int]] = set()
    for line in picture.splitlines():
        match = _ARROW.match(line)
        if not match:
            continue
        left, right = (
            [re.sub(r"\W.*", "", end.strip()) for end in side.split("&")] for side in match.groups()
        )
        for one in left:
            for other in right:
                found |= _connections(
                    names.get(one, one), names.get(other, other), dotted="-." in line
                )
    return found


def _connections(one: str, other: str, *, dotted: bool) -> set[tuple[str, str, int]]:
    ends = {one, other}
    if ends == _AT_A_CENTER:
        return set()
    if "nats" in ends or dotted:
        callers = {WORLD if end == "node" else end for end in ends - {"nats"}}
        return {(caller, BROKER, 4222) for caller in callers}
    if one == "people":
        return {("ingress", other, 8080)}
    if other.startswith("postgres-") or one.startswith("postgres-"):
        caller, database = sorted(ends, key=lambda end: end.startswith("postgres-"))
        return {(caller, database, 5432)}
    return {(one, other, 50051)}
