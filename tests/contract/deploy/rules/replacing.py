"""How processes are replaced and ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from tests.contract.deploy.rules.common import OWNERS, Complaints, name_of
from tests.support.manifests import (
    Manifest,
    Manifests,
    selects,
)


def is_replaced_without_a_gap(manifests: Manifests) -> Complaints:
    """A new pod serves before an old one goes, and the old one ends in peace."""
    for deployment in manifests.of("Deployment"):
        name, spec = deployment["metadata"]["name"], deployment["spec"]
        rolling = spec["strategy"]["rollingUpdate"]
        if rolling["maxUnavailable"] != 0 or not rolling["maxSurge"]:
            yield f"{name} loses a pod before it has another"
        if spec.get("minReadySeconds", 0) < 5:
            yield f"{name} goes on before the new pod was seen to work"
        workload = manifests.workload(name)
        sleep = workload.process["lifecycle"]["preStop"].get("sleep", {}).get("seconds", 0)
        told = manifests.settings(workload)
        drain = float(told["PEYVAND_DRAIN_SECONDS"])
        linger = float(told.get("PEYVAND_LINGER_SECONDS", 0))
        # A balancer asks every five seconds; a caller of a service is told at once.
        if sleep < 5 or linger < 2:
            yield f"{name} ends before its callers know"
        if sleep + linger + 2 * drain + 5 > workload.pod["terminationGracePeriodSeconds"]:
            yield f"{name} is killed while it drains"


def is_not_taken_apart(manifests: Manifests) -> Complaints:
    """Whoever empties a machine may take one pod of a kind at a time, and can take one."""
    budgets = [budget["spec"] for budget in manifests.of("PodDisruptionBudget")]
    for workload in manifests.workloads("Deployment", "StatefulSet"):
        mine = [budget for budget in budgets if selects(budget["selector"], workload.labels)]
        if len(mine) != 1 or mine[0].get("maxUnavailable") != 1:
            yield f"{workload.name} has no budget of one"
    # PostgreSQL's are made by its operator, if it is not told otherwise.
    for cluster in manifests.of("Cluster"):
        if cluster["spec"].get("enablePDB") is False:
            yield f"{name_of(cluster)} has no budget"


def migrates_first(manifests: Manifests) -> Complaints:
    """A Job brings each schema up to date, and no pod of that version starts before it has."""
    jobs = {job.name: job for job in manifests.workloads("Job")}
    for owner in OWNERS:
        workload = manifests.workload(owner)
        image = workload.process["image"]
        version = image.rpartition(":")[2]
        job = jobs.pop(f"migrate-{owner}-{version}", None)
        if job is None:
            yield f"there is no Job for the schema of {owner} {version}"
            continue
        if job.process["command"] != ["python", "-m", owner, "migrate"]:
            yield f"{job.name} does {job.process['command']}"
        if job.process["image"] != image:
            yield f"{job.name} runs {job.process['image']}, the service {image}"
        if _generated(manifests) & set(_maps(job.pod)):
            # A Job cannot be changed, and the map's name changes with every setting.
            yield f"{job.name} stands in the way of a change of settings"
        first = workload.pod.get("initContainers", [{}])[0]
        if first.get("command") != ["python", "-m", owner, "wait-for-schema"]:
            yield f"{owner} does not wait for its schema"
        elif first["image"] != image:
            yield f"{owner} waits for the schema of another version"
        told = [manifests.settings(workload, each) for each in (*workload.containers, job.process)]
        if len({each["PEYVAND_DATABASE_URL"] for each in told}) != 1:
            yield f"{owner} and its Job see different databases"
        if any("PEYVAND_MIGRATE" in each for each in told):
            yield f"{owner} migrates by itself"
    for name in jobs:
        yield f"{name} belongs to no version that runs"


def _generated(manifests: Manifests) -> set[str]:
    """Names of the maps that carry a hash of what is in them."""
    names = {each["metadata"]["name"] for each in manifests.of("ConfigMap")}
    return {name for name in names if re.search(r"-[0-9a-z]{10}$", name)}


def _maps(part: Any) -> Iterator[str]:
    """Names of all config maps that a pod refers to."""
    if isinstance(part, dict):
        for key, value in cast("Manifest", part).items():
            if key in ("configMapRef", "configMapKeyRef", "configMap"):
                yield value["name"]
            else:
                yield from _maps(value)
    elif isinstance(part, list):
        for entry in cast("list[Any]", part):
            yield from _maps(entry)
