"""The edge."""

from __future__ import annotations

import re

from tests.contract.deploy.rules.common import BROKER, LEAVES, Complaints
from tests.support.manifests import (
    Edge,
    Manifest,
    Manifests,
    edges,
)

_BODY = {"nginx.org": "client-max-body-size", "nginx.ingress.kubernetes.io": "proxy-body-size"}


def lets_streams_through(manifests: Manifests) -> Complaints:
    """The ingress holds nothing back, cuts no silent stream, takes every file, and has TLS."""
    (ingress,) = manifests.of("Ingress")
    notes = ingress["metadata"]["annotations"]
    for family in ("nginx.org", "nginx.ingress.kubernetes.io"):
        if notes.get(f"{family}/proxy-buffering", "").lower() not in ("off", "false"):
            yield f"{family}: streams are held back"
        for side in ("read", "send"):
            seconds = notes.get(f"{family}/proxy-{side}-timeout", "0").rstrip("s")
            if int(seconds) < 3600:
                yield f"{family}: streams are cut after {seconds} s"
        if _body_limit(notes.get(f"{family}/{_BODY[family]}", "1m")) < _greatest_file(manifests):
            yield f"{family}: a file that the gateway takes is refused before it"
    hosts = {rule["host"] for rule in ingress["spec"]["rules"]}
    if hosts != {host for tls in ingress["spec"].get("tls", ()) for host in tls["hosts"]}:
        yield "a host is reached without TLS"
    for rule in ingress["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            service = path["backend"]["service"]["name"]
            if service != "gateway":
                yield f"{service} is reached from outside"
    outside = [
        service["metadata"]["name"]
        for service in manifests.of("Service")
        if service["spec"].get("type", "ClusterIP") != "ClusterIP"
    ]
    leaves = ["broker-leaves"] if LEAVES in manifests.workload(BROKER).ports else []
    if sorted(outside) != [*leaves, "broker-nodes"]:
        yield f"reached from outside: {outside}"


def lets_its_certificate_be_made(manifests: Manifests) -> Complaints:
    """Who asks for proof by HTTP-01 reaches the pod that answers, which reaches nobody."""
    (ingress,) = manifests.of("Ingress")
    if not ingress["metadata"]["annotations"].get("cert-manager.io/cluster-issuer"):
        yield "nobody makes the certificate of the web"
    found = {
        edge
        for edge in edges(Manifests([*manifests.documents, _SOLVER]))
        if "solver" in (edge.source, edge.target)
    }
    wanted = {Edge("ingress", "solver", 8089), Edge("solver", "kube-system", 53)}
    for edge in sorted(found ^ wanted):
        yield f"a pod that proves whose the name is: {edge}"


# As cert-manager makes it, for as long as an issuer asks.
_SOLVER: Manifest = {
    "kind": "Deployment",
    "metadata": {"name": "solver"},
    "spec": {
        "template": {
            "metadata": {"labels": {"acme.cert-manager.io/http01-solver": "true"}},
            "spec": {"containers": [{"ports": [{"name": "http", "containerPort": 8089}]}]},
        }
    },
}


def _greatest_file(manifests: Manifests) -> int:
    """Bytes of the greatest file that the gateway takes."""
    return int(manifests.settings(manifests.workload("gateway"))["PEYVAND_OBJECTS_LIMIT"])


def _body_limit(size: str) -> float:
    """Bytes that nginx means by a size; 0 is no limit to it."""
    match = re.fullmatch(r"(\d+)([kmg]?)", size.lower())
    assert match, size
    return int(match[1]) * {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}[match[2]] or float("inf")
