"""What runs, as whom, and what it may use."""

from __future__ import annotations

import json
from collections.abc import Mapping

from gateway.dossier import typeset
from peyvandctl.topology import SERVICES
from servicekit.object_store import ObjectSettings
from servicekit.settings import DatabaseSettings, ServiceSettings
from tests.contract.deploy.rules.common import BROKER, OWNERS, SETTINGS, Complaints
from tests.support.manifests import (
    WORLD,
    Edge,
    Manifest,
    Manifests,
    edges,
)


def runs_every_service(manifests: Manifests) -> Complaints:
    """Each service of the network is there, with its own module, and told what it knows."""
    known = {workload.name: workload for workload in manifests.workloads("Deployment")}
    for service in SERVICES:
        if service.name not in known:
            yield f"{service.name} does not run"
            continue
        workload = known[service.name]
        command = workload.process["command"]
        if command != ["python", "-m", service.module]:
            yield f"{service.name} runs {command}"
        yield from _foreign_settings(service.name, manifests.settings(workload))
        if "secretKeyRef" not in json.dumps(workload.process) and service.name != "gateway":
            yield f"{service.name} knows no password"


def _foreign_settings(name: str, told: Mapping[str, str]) -> Complaints:
    kind = SETTINGS.get(name, DatabaseSettings)
    fields = {f"PEYVAND_{field.upper()}" for field in kind.model_fields}
    fields |= (
        {f"PEYVAND_{owner.upper()}_TARGET" for owner in OWNERS} if name == "gateway" else set()
    )
    for key in told:
        if key.startswith("PEYVAND_") and key not in fields | _SHARED:
            yield f"{name} knows no setting {key}"


# In the map that all share, read by some.
_SHARED = {f"PEYVAND_{field.upper()}" for field in ServiceSettings.model_fields}


def asks_three_questions(manifests: Manifests) -> Complaints:
    """Started, alive and ready are asked apart, and whether it lives asks for no neighbour."""
    for workload in manifests.workloads("Deployment", "StatefulSet"):
        process = workload.process
        asked = {
            kind: process.get(f"{kind}Probe", {}).get("httpGet", {}).get("path", "")
            for kind in ("startup", "liveness", "readiness")
        }
        if missing := [kind for kind, path in asked.items() if not path]:
            yield f"{workload.name} is not asked for: {missing}"
        if workload.name == BROKER:
            if "js-enabled-only" not in asked["liveness"]:
                yield f"{BROKER} is ended while it only catches up"
            continue
        if {asked["startup"], asked["liveness"]} != {"/livez"}:
            yield f"{workload.name} is ended when a neighbour is away: {asked}"
        edge = workload.name == "gateway"
        if (asked["readiness"] == "/readyz") is edge:
            yield f"{workload.name} says at {asked['readiness']} whether it is ready"
        port = process["readinessProbe"]["httpGet"]["port"]
        if port not in workload.ports or (edge and port != "http"):
            yield f"{workload.name} is asked at the port {port}"


def is_restricted(manifests: Manifests) -> Complaints:
    """The restricted standard for pods, read-only root, no token, memory bounded."""
    (namespace,) = manifests.of("Namespace")
    level = namespace["metadata"]["labels"].get("pod-security.kubernetes.io/enforce")
    if level != "restricted":
        yield f"the namespace enforces {level}"
    for workload in manifests.workloads("Deployment", "StatefulSet", "Job"):
        pod, name = workload.pod, workload.name
        context = pod.get("securityContext", {})
        if context.get("runAsNonRoot") is not True or not context.get("runAsUser"):
            yield f"{name} may run as root"
        if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{name} may use every system call"
        if pod.get("automountServiceAccountToken") is not False:
            yield f"{name} gets a token of the cluster"
        if any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
            yield f"{name} shares the machine's namespaces"
        if any("hostPath" in volume for volume in pod.get("volumes", ())):
            yield f"{name} mounts a path of the machine"
        for container in workload.containers:
            yield from _container_is_restricted(f"{name}/{container['name']}", container)


def _container_is_restricted(name: str, container: Manifest) -> Complaints:
    context = container.get("securityContext", {})
    wanted = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    for key, value in wanted.items():
        if context.get(key) != value:
            yield f"{name}: {key} is {context.get(key)}"
    resources = container.get("resources", {})
    if {"cpu", "memory"} - resources.get("requests", {}).keys():
        yield f"{name} asks for no share of the machine"
    if "memory" not in resources.get("limits", {}):
        yield f"{name} may take all memory"
    if any("hostPort" in port for port in container.get("ports", ())):
        yield f"{name} takes a port of the machine"


def keeps_files_where_all_find_them(manifests: Manifests) -> Complaints:
    """Whoever has to do with files sees one store, which is no folder of a pod, and has room."""
    wanted = [f"PEYVAND_{field.upper()}" for field in ObjectSettings.model_fields]
    wanted = [name for name in wanted if name.startswith("PEYVAND_OBJECTS_")]
    seen: list[dict[str, str]] = []
    for name in ("gateway", "projects"):
        workload = manifests.workload(name)
        told = manifests.settings(workload)
        seen.append({key: told.get(key, "") for key in wanted})
        if not told.get("PEYVAND_OBJECTS_URL", "").startswith("s3://"):
            yield f"{name} keeps files where no other pod finds them"
        if missing := [key for key in wanted if key not in told]:
            yield f"{name} is not told {missing}"
        if Edge(name, WORLD, 443) not in _reached_for_files(manifests):
            yield f"{name} does not reach the store of files"
    if seen[0] != seen[1]:
        yield "the gateway and projects see different stores"
    (room,) = (
        volume["emptyDir"]["sizeLimit"]
        for volume in manifests.workload("gateway").pod["volumes"]
        if volume["name"] == "tmp"
    )
    greatest = int(seen[0]["PEYVAND_OBJECTS_LIMIT"] or 0)
    if _bytes(room) < 2 * greatest:
        yield f"the gateway has {room} for files of {greatest} bytes"


def has_room_for_a_dossier(manifests: Manifests) -> Complaints:
    """A document may be set beside the gateway without the two exceeding what the pod has."""
    resources = manifests.workload("gateway").process["resources"]
    most, own = (_bytes(resources[which]["memory"]) for which in ("limits", "requests"))
    if most < own + typeset.MEMORY:
        yield f"the gateway is ended when a document takes the {typeset.MEMORY} bytes that it may"


def _reached_for_files(manifests: Manifests) -> set[Edge]:
    """What the policy of the store lets through by itself, whatever else is open today."""
    others = [
        document
        for document in manifests.documents
        if document["kind"] != "NetworkPolicy" or document["metadata"]["name"] == "object-store"
    ]
    return set(edges(Manifests(others)))


def _bytes(size: str) -> int:
    units = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
    return int(size[:-2]) * units[size[-2:]]
