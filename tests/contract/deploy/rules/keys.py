"""Secrets and certificates."""

from __future__ import annotations

import re
from typing import Any, cast

from tests.contract.deploy.rules.common import BROKER, OWNERS, Complaints, name_of
from tests.contract.deploy.rules.reaching import plain
from tests.support.manifests import (
    Manifest,
    Manifests,
)

_LOOKS_SECRET = re.compile(r"password|secret|token|credential|private", re.IGNORECASE)
# Made by the crew: `deploy/k8s/broker_secrets.py`, and the keys of the store of backups.
BY_THE_CREW = {
    "registrar-keys",
    "broker-accounts",
    "centers-node-keys",
    "gateway-broker",
    *(f"{owner}-broker" for owner in OWNERS),
    "backup-store",
    "object-store",
}


def holds_no_secret(manifests: Manifests) -> Complaints:
    """No secret stands in a manifest."""
    for document in manifests.of("Secret"):
        yield f"{name_of(document)} is a secret in a manifest"
    for workload in manifests.workloads("Deployment", "StatefulSet", "Job"):
        for container in workload.containers:
            for entry in container.get("env", ()):
                value = str(entry.get("value", ""))
                is_path = value.startswith("/")
                if "value" in entry and _LOOKS_SECRET.search(entry["name"]) and not is_path:
                    yield f"{workload.name}: {entry['name']} stands in the manifest"
                if re.search(r"//[^/@]+:[^/@]+@", value):
                    yield f"{workload.name}: a password stands in {entry['name']}"
    for settings in manifests.of("ConfigMap"):
        for key, value in settings.get("data", {}).items():
            if re.search(r"//[^/@\s]+:[^/@\s]+@|PRIVATE KEY|\bS[UAO][A-Z2-7]{50,}", value):
                yield f"{name_of(settings)}: {key} holds a secret"


def refers_to_secrets_that_are_made(manifests: Manifests) -> Complaints:
    """Each secret that is referred to is made by somebody."""
    made = BY_THE_CREW | {
        certificate["spec"]["secretName"] for certificate in manifests.of("Certificate")
    }
    for cluster in manifests.of("Cluster"):
        made |= {f"{cluster['metadata']['name']}-{part}" for part in ("app", "ca")}
    for workload in manifests.workloads("Deployment", "StatefulSet", "Job"):
        for secret in _secrets(workload.pod):
            if secret not in made:
                yield f"{workload.name} wants the secret {secret}, which nobody makes"
    for store in manifests.of("ObjectStore"):
        for reference in store["spec"]["configuration"]["s3Credentials"].values():
            if reference["name"] not in made:
                yield f"{name_of(store)} wants the secret {reference['name']}"


def keeps_keys_apart(manifests: Manifests) -> Complaints:
    """The strongest keys are mounted by who needs them, and no key of an authority by anyone."""
    only = {
        "registrar-keys": {"registrar"},
        "centers-node-keys": {"centers"},
        "broker-accounts": {BROKER},
        "object-store": {"gateway", "projects"},
        **{f"{name}-broker": {name} for name in (*OWNERS, "gateway")},
        **{
            f"postgres-{owner}-app": {owner, f"migrate-{owner}"}
            | ({"registrar"} if owner == "centers" else set())
            for owner in OWNERS
        },
    }
    for workload in manifests.workloads("Deployment", "StatefulSet", "Job"):
        for secret in _secrets(workload.pod):
            if secret in only and plain(workload.name) not in only[secret]:
                yield f"{workload.name} has {secret}"
        for volume in workload.pod.get("volumes", ()):
            named = volume.get("secret", {}).get("secretName", "")
            if named in ("hub-root", "hub-authority") or named.endswith("-ca"):
                items = [item["key"] for item in volume["secret"].get("items", ())]
                if not items or any(item.endswith(".key") for item in items):
                    yield f"{workload.name} mounts the key of {named}"


def _secrets(part: Any) -> set[str]:
    """Names of all secrets that a pod refers to."""
    found: set[str] = set()
    if isinstance(part, dict):
        entries = cast("Manifest", part)
        for key, value in entries.items():
            if key == "secret" and isinstance(value, dict):
                described = cast("Manifest", value)
                found.add(described.get("secretName") or described["name"])
            elif key in ("secretKeyRef", "secretRef"):
                found.add(value["name"])
            else:
                found |= _secrets(value)
    elif isinstance(part, list):
        for entry in cast("list[Any]", part):
            found |= _secrets(entry)
    return found


def is_certified(manifests: Manifests) -> Complaints:
    """The broker's certificate is from an authority that nodes see, good for all its names."""
    certificates = {each["metadata"]["name"]: each["spec"] for each in manifests.of("Certificate")}
    issuers = {each["metadata"]["name"]: each["spec"] for each in manifests.of("Issuer")}
    server = certificates.get(f"{BROKER}-server", {})
    gateway = manifests.settings(manifests.workload("gateway"))
    centers = manifests.settings(manifests.workload("centers"))
    scheme, _, address = gateway["PEYVAND_NATS_URL"].partition("://")
    if scheme != "tls":
        yield f"services reach the broker by {scheme}"
    for host in (address, centers["PEYVAND_NODE_HUB"]):
        if host.partition(":")[0] not in server.get("dnsNames", ()):
            yield f"the broker's certificate is not for {host}"
    for name in ("hub-root", "hub-authority"):
        spec = certificates.get(name, {})
        if not spec.get("isCA") or spec.get("privateKey", {}).get("rotationPolicy") != "Never":
            yield f"{name} is no authority, or does not stay"
        if issuers.get(name) != {"ca": {"secretName": spec.get("secretName")}}:
            yield f"nobody issues by {name}"
    chain = {f"{BROKER}-server": "hub-authority", "hub-authority": "hub-root"}
    for name, issuer in chain.items():
        if certificates.get(name, {}).get("issuerRef", {}).get("name") != issuer:
            yield f"{name} is not certified by {issuer}"
    for workload in manifests.workloads():
        told = manifests.settings(workload) if workload.pod else {}
        if told.get("PEYVAND_DATABASE_URL") and told.get("PGSSLMODE") != "verify-full":
            yield f"{workload.name} does not look whose database it talks to"
