"""The edge."""

from __future__ import annotations

import re

from tests.contract.deploy.rules.common import Complaints
from tests.support.manifests import (
    Manifests,
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
    if outside != ["broker-nodes"]:
        yield f"reached from outside: {outside}"


def _greatest_file(manifests: Manifests) -> int:
    """Bytes of the greatest file that the gateway takes."""
    return int(manifests.settings(manifests.workload("gateway"))["PEYVAND_OBJECTS_LIMIT"])


def _body_limit(size: str) -> float:
    """Bytes that nginx means by a size; 0 is no limit to it."""
    match = re.fullmatch(r"(\d+)([kmg]?)", size.lower())
    assert match, size
    return int(match[1]) * {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}[match[2]] or float("inf")
