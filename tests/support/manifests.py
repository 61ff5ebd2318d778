"""What ``deploy/k8s`` gives for an overlay, and who may talk to whom in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = ("small", "production")
Manifest = dict[str, Any]
WORLD = "world"
_K8S = ROOT / "deploy" / "k8s"
_KUBECTL = Path(sysconfig.get_path("scripts")) / "kubectl"


@cache
def _rendered(folder: Path) -> str:
    run = subprocess.run(
        [_KUBECTL, "kustomize", folder], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert not run.stderr, run.stderr
    return json.dumps([*yaml.safe_load_all(run.stdout)])


def render(overlay: str, *components: str, patches: Sequence[Manifest] = ()) -> Manifests:
    """Everything of an overlay; a new copy each time.

    Args:
        overlay: its name.
        components: what an installation adds to it.
        patches: what it says otherwise.
    """
    if components or patches:
        return Manifests(json.loads(_added_to(overlay, components, json.dumps(patches))))
    return built(_K8S / "overlays" / overlay)


@cache
def _added_to(overlay: str, components: tuple[str, ...], patches: str) -> str:
    with tempfile.TemporaryDirectory(prefix="peyvand-overlay-") as name:
        folder = Path(name).resolve()

        def seen(*parts: str) -> str:
            # Kustomize refuses an absolute path.
            return os.path.relpath(_K8S.joinpath(*parts), folder)

        own = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [seen("overlays", overlay)],
            "components": [seen("components", component) for component in components],
            "patches": json.loads(patches),
        }
        (folder / "kustomization.yaml").write_text(json.dumps(own), encoding="utf-8")
        return _rendered(folder)


def built(folder: Path) -> Manifests:
    """Everything that a folder of manifests gives; a new copy each time."""
    return Manifests(json.loads(_rendered(folder)))


@dataclass(frozen=True)
class Workload:
    """Pods that are alike.

    Attributes:
        name: of what makes them.
        kind: Deployment, StatefulSet, Job, or Cluster for those of PostgreSQL.
        labels: of the pods.
        ports: by name.
        pod: their spec; empty for PostgreSQL, whose operator writes it.
    """

    name: str
    kind: str
    labels: Mapping[str, str]
    ports: Mapping[str, int]
    pod: Manifest

    @property
    def containers(self) -> list[Manifest]:
        """All of them, those that run first included."""
        return [*self.pod.get("initContainers", ()), *self.pod.get("containers", ())]

    @property
    def process(self) -> Manifest:
        """The container that does the work."""
        return self.pod["containers"][0]


class Manifests:
    """The documents of an overlay; a test may change them to see a rule fail."""

    def __init__(self, documents: list[Manifest]) -> None:
        self.documents = documents

    def of(self, kind: str) -> list[Manifest]:
        """All of a kind."""
        return [document for document in self.documents if document["kind"] == kind]

    def one(self, kind: str, name: str) -> Manifest:
        """The one of a kind with a name; that of a generated map begins with it."""
        (found,) = (
            document
            for document in self.of(kind)
            if re.fullmatch(rf"{re.escape(name)}(-[0-9a-z]{{10}})?", document["metadata"]["name"])
        )
        return found

    def workloads(self, *kinds: str) -> list[Workload]:
        """Those of the kinds, of all when none is named."""
        return [workload for workload in self._workloads() if not kinds or workload.kind in kinds]

    def workload(self, name: str) -> Workload:
        """The one with a name."""
        (found,) = (each for each in self._workloads() if each.name == name)
        return found

    def settings(self, workload: Workload, container: Manifest | None = None) -> dict[str, str]:
        """Environment of a container, as far as it stands in the manifests."""
        container = container or workload.process
        found: dict[str, str] = {}
        for source in container.get("envFrom", ()):
            found |= self.one("ConfigMap", source["configMapRef"]["name"])["data"]
        for entry in container.get("env", ()):
            found[entry["name"]] = str(entry.get("value", ""))
        return found

    def _workloads(self) -> Iterator[Workload]:
        for document in self.documents:
            kind, name = document["kind"], document["metadata"]["name"]
            if kind in ("Deployment", "StatefulSet", "Job"):
                template = document["spec"]["template"]
                ports = {
                    port["name"]: port["containerPort"]
                    for container in template["spec"]["containers"]
                    for port in container.get("ports", ())
                }
                labels = template["metadata"]["labels"]
                yield Workload(name, kind, labels, ports, template["spec"])
            elif kind == "Cluster":
                ports = {"postgres": 5432, "status": 8000, "metrics": 9187}
                yield Workload(name, kind, {"cnpg.io/cluster": name}, ports, {})


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Tell whether a selector of labels matches; an empty one does."""
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for rule in selector.get("matchExpressions", ()):
        assert rule["operator"] == "In", "write the other operators when they are used"
        if labels.get(rule["key"]) not in rule["values"]:
            return False
    return True


@dataclass(frozen=True, order=True)
class Edge:
    """A connection that is let through; an end outside is a namespace, or the world."""

    source: str
    target: str
    port: int


def edges(manifests: Manifests) -> set[Edge]:
    """Every connection that the network policies let through, port by port.

    Between two pods here both ends must allow it; of what is outside only ours is known.
    """
    policies = [policy["spec"] for policy in manifests.of("NetworkPolicy")]
    workloads = manifests.workloads()
    found: set[Edge] = set()
    for one in workloads:
        for rule in _rules(policies, one, "Egress"):
            for outside in _outside(rule.get("to", ())):
                found |= {Edge(one.name, outside, port["port"]) for port in rule["ports"]}
        for rule in _rules(policies, one, "Ingress"):
            for outside in _outside(rule.get("from", ())):
                found |= {
                    Edge(outside, one.name, number)
                    for port in rule["ports"]
                    if (number := _number(port, one)) is not None
                }
        for other in workloads:
            leaving = _ports(_rules(policies, one, "Egress"), "to", other, other)
            entering = _ports(_rules(policies, other, "Ingress"), "from", one, other)
            found |= {Edge(one.name, other.name, port) for port in leaving & entering}
    return found


def is_isolated(manifests: Manifests, workload: Workload, direction: str) -> bool:
    """Whether what no rule allows is refused."""
    return any(
        direction in policy["spec"]["policyTypes"]
        and selects(policy["spec"]["podSelector"], workload.labels)
        for policy in manifests.of("NetworkPolicy")
    )


def _rules(policies: Sequence[Manifest], workload: Workload, direction: str) -> list[Manifest]:
    mine = [
        policy
        for policy in policies
        if direction in policy["policyTypes"] and selects(policy["podSelector"], workload.labels)
    ]
    if not mine:
        # Nobody isolates it: everything goes.
        return [{"from": [_ANYBODY], "to": [_ANYBODY], "ports": [{"port": "any"}]}]
    return [rule for policy in mine for rule in policy.get(direction.lower(), ())]


_ANYBODY: Manifest = {"ipBlock": {"cidr": "0.0.0.0/0"}}


def _outside(peers: Sequence[Manifest]) -> list[str]:
    names: list[str] = []
    for peer in peers:
        if "ipBlock" in peer:
            assert peer["ipBlock"] == {"cidr": "0.0.0.0/0"}, "write narrower blocks when used"
            names.append(WORLD)
        elif "namespaceSelector" in peer:
            labels = peer["namespaceSelector"]["matchLabels"]
            names.append(labels["kubernetes.io/metadata.name"])
    return names


def _ports(rules: Sequence[Manifest], side: str, peer: Workload, target: Workload) -> set[int]:
    found: set[int] = set()
    for rule in rules:
        # A rule without peers is for all of them.
        peers = cast("list[Manifest]", rule.get(side) or [_ANYBODY])
        near = any(
            "ipBlock" in entry
            or ("namespaceSelector" not in entry and selects(entry["podSelector"], peer.labels))
            for entry in peers
        )
        if not near:
            continue
        for port in rule.get("ports") or [{"port": "any"}]:
            if port["port"] == "any":
                found |= set(target.ports.values())
            elif (number := _number(port, target)) is not None:
                found.add(number)
    return found & set(target.ports.values())


def _number(port: Manifest, target: Workload) -> int | None:
    named = port["port"]
    return named if isinstance(named, int) else target.ports.get(named)
