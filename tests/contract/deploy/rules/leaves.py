"""The port for the brokers of provinces."""

from __future__ import annotations

from tests.contract.deploy.rules.common import BROKER, LEAVES, Complaints
from tests.support.manifests import (
    Manifests,
)

_PORT = 7422
_WAY_IN = "broker-leaves"


def admits_leaves_whole_or_not_at_all(manifests: Manifests) -> Complaints:
    """All that the port for leaves needs is there, or nothing of it."""
    files = manifests.one("ConfigMap", BROKER)["data"]
    certificate = manifests.one("Certificate", f"{BROKER}-server")["spec"]
    ways_in = {
        (document["kind"], port["port"])
        for document in manifests.documents
        if document["metadata"]["name"] == _WAY_IN
        for rule in document["spec"].get("ingress", [document["spec"]])
        for port in rule["ports"]
    }
    registrar = manifests.settings(manifests.workload("registrar"))
    found = {
        "the broker listens": f'listen: "0.0.0.0:{_PORT}"' in files["leaves.conf"],
        "its streams have a name": "domain: " in files["domain.conf"],
        "its pod has the port": manifests.workload(BROKER).ports.get(LEAVES) == _PORT,
        "a service leads there": ("Service", _PORT) in ways_in,
        "a policy lets it through": ("NetworkPolicy", LEAVES) in ways_in,
        "the certificate has its name": "leaves.peyvand.example" in certificate["dnsNames"],
        "the registrar knows": registrar.get("PEYVAND_LEAVES_PORT") == str(_PORT),
    }
    if len({*found.values()}) > 1:
        yield f"leaves are admitted by halves: {found}"
