"""What only three zones have."""

from __future__ import annotations

import json
import re

from servicekit.settings import DatabaseSettings
from tests.contract.deploy.rules.common import BROKER, LEADERS, OWNERS, ZONE, Complaints, name_of
from tests.support.manifests import (
    Manifests,
    selects,
)


def stands_in_three_zones(manifests: Manifests) -> Complaints:
    """One of everything in each zone; a zone can be lost."""
    least = {
        autoscaler["spec"]["scaleTargetRef"]["name"]: autoscaler["spec"]["minReplicas"]
        for autoscaler in manifests.of("HorizontalPodAutoscaler")
    }
    for kind in ("Deployment", "StatefulSet"):
        for document in manifests.of(kind):
            name, spec = document["metadata"]["name"], document["spec"]
            replicas = spec.get("replicas", least.get(name, 1))
            if replicas < 3:
                yield f"{name} runs {replicas} times"
            pod, labels = spec["template"]["spec"], spec["template"]["metadata"]["labels"]
            spread = [
                constraint
                for constraint in pod.get("topologySpreadConstraints", ())
                if constraint["topologyKey"] == ZONE
                and constraint["whenUnsatisfiable"] == "DoNotSchedule"
                and constraint["maxSkew"] == 1
                and selects(constraint["labelSelector"], labels)
            ]
            if not spread:
                yield f"{name} is not spread over the zones"
            elif "app.kubernetes.io/name" not in json.dumps(spread):
                yield f"{name} is spread together with others"
            if name == BROKER and (not spread or spread[0].get("minDomains") != 3):
                yield "two servers of the broker may be in one zone"
    for cluster in manifests.of("Cluster"):
        spec = cluster["spec"]
        affinity = spec.get("affinity", {})
        if spec["instances"] < 3:
            yield f"{name_of(cluster)} has {spec['instances']} servers"
        if (affinity.get("podAntiAffinityType"), affinity.get("topologyKey")) != ("required", ZONE):
            yield f"{name_of(cluster)}: two servers may be in one zone"
        if not spec["postgresql"].get("synchronous", {}).get("number"):
            yield f"{name_of(cluster)} forgets what it answered when it fails over"


def keeps_streams_three_times(manifests: Manifests) -> Complaints:
    """The broker is a cluster of three, and every stream is kept by all of them."""
    servers = manifests.one("StatefulSet", BROKER)["spec"]["replicas"]
    routes = set(
        re.findall(
            r"tls://(broker-\d)\.broker-servers:6222",
            manifests.one("ConfigMap", BROKER)["data"]["cluster.conf"],
        )
    )
    if routes != {f"broker-{number}" for number in range(servers)} or servers != 3:
        yield f"{servers} servers of the broker, which know {sorted(routes)}"
    for owner in (*OWNERS, "gateway"):
        replicas = manifests.settings(manifests.workload(owner))["PEYVAND_STREAM_REPLICAS"]
        if replicas != "3":
            yield f"{owner} has streams kept {replicas} times"


def scales_by_its_own_work(manifests: Manifests) -> Complaints:
    """By the CPU of the process, up faster than down, within what the database takes."""
    scaled: set[str] = set()
    most = {each["metadata"]["name"]: each["spec"] for each in manifests.of("Cluster")}
    for autoscaler in manifests.of("HorizontalPodAutoscaler"):
        spec = autoscaler["spec"]
        name = spec["scaleTargetRef"]["name"]
        scaled.add(name)
        if "replicas" in manifests.one("Deployment", name)["spec"]:
            yield f"{name}: two places say how many there are"
        (metric,) = spec["metrics"]
        watched = metric.get("containerResource", {})
        if (watched.get("name"), watched.get("container")) != ("cpu", "process"):
            yield f"{name} is scaled by something else than its work"
        behavior = spec["behavior"]
        up, down = (behavior[way]["stabilizationWindowSeconds"] for way in ("scaleUp", "scaleDown"))
        if up >= down:
            yield f"{name} gives up sooner than it grows"
        if name in OWNERS:
            parameters = most[f"postgres-{name}"]["postgresql"]["parameters"]
            pool = DatabaseSettings.model_fields["database_pool"].default
            # One more while a rolling update replaces another.
            wanted = (spec["maxReplicas"] + 1) * (pool + LEADERS)
            if name == "centers":
                wanted += 4
            if wanted > int(parameters["max_connections"]) - 10:
                yield f"{name} can want {wanted} connections"
    if scaled != {*OWNERS, "gateway"}:
        yield f"scaled: {sorted(scaled)}"


def can_go_back_in_time(manifests: Manifests) -> Complaints:
    """Each database has its log archived and a backup every night, and can be restored."""
    stores = {store["metadata"]["name"]: store["spec"] for store in manifests.of("ObjectStore")}
    nights = {
        backup["spec"]["cluster"]["name"]: backup["spec"]
        for backup in manifests.of("ScheduledBackup")
    }
    for cluster in manifests.of("Cluster"):
        name = cluster["metadata"]["name"]
        archiver = [
            plugin
            for plugin in cluster["spec"].get("plugins", ())
            if plugin["name"] == "barman-cloud.cloudnative-pg.io" and plugin.get("isWALArchiver")
        ]
        if not archiver:
            yield f"{name}: its log is not archived"
            continue
        store = stores.get(archiver[0]["parameters"]["barmanObjectName"])
        if store is None or not store.get("retentionPolicy"):
            yield f"{name}: nowhere to archive to, or for ever"
        night = nights.get(name, {})
        if night.get("method") != "plugin" or len(night.get("schedule", "").split()) != 6:
            yield f"{name} has no backup every night"


def is_postgresql_18(manifests: Manifests) -> Complaints:
    """Each service has a PostgreSQL 18 of its own, with its database and its role."""
    clusters = {each["metadata"]["name"]: each["spec"] for each in manifests.of("Cluster")}
    if set(clusters) != {f"postgres-{owner}" for owner in OWNERS}:
        yield f"databases: {sorted(clusters)}"
    for name, spec in clusters.items():
        owner = name.removeprefix("postgres-")
        first = spec["bootstrap"]["initdb"]
        if (first["database"], first["owner"]) != (owner, owner):
            yield f"{name} holds {first}"
        if spec["imageCatalogRef"]["major"] != 18:
            yield f"{name} is PostgreSQL {spec['imageCatalogRef']['major']}"
