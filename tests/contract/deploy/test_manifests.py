"""The manifests for Kubernetes keep every rule, and every rule can find a fault."""

import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.deploy import rules
from tests.contract.deploy.rules.common import name_of
from tests.support.manifests import (
    OVERLAYS,
    ROOT,
    WORLD,
    Edge,
    Manifest,
    Manifests,
    edges,
    render,
)

Fault = Callable[[Manifests], object]
EXAMPLES = ROOT / "deploy" / "k8s" / "examples"


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("rule", rules.EVERYWHERE, ids=lambda rule: rule.__name__)
def test_every_overlay_keeps_the_rule(overlay: str, rule: rules.Rule) -> None:
    assert list(rule(render(overlay))) == []


@pytest.mark.parametrize("rule", rules.IN_PRODUCTION, ids=lambda rule: rule.__name__)
def test_production_keeps_the_rule_of_three_zones(rule: rules.Rule) -> None:
    assert list(rule(render("production"))) == []


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("rule", rules.EVERYWHERE, ids=lambda rule: rule.__name__)
def test_an_overlay_with_leaves_keeps_the_rule(overlay: str, rule: rules.Rule) -> None:
    assert list(rule(render(overlay, "leaves"))) == []


@pytest.mark.parametrize("rule", rules.IN_PRODUCTION, ids=lambda rule: rule.__name__)
def test_production_with_leaves_keeps_the_rule_of_three_zones(rule: rules.Rule) -> None:
    assert list(rule(render("production", "leaves"))) == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_port_for_leaves_is_there_only_with_its_component(overlay: str) -> None:
    plain, admits = render(overlay), render(overlay, "leaves")
    assert "7422" not in json.dumps(plain.documents)
    assert edges(admits) - edges(plain) == {Edge(WORLD, "broker", 7422)}
    assert not edges(plain) - edges(admits)
    assert names_of(admits) - names_of(plain) == {
        "NetworkPolicy broker-leaves",
        "Service broker-leaves",
    }


def names_of(manifests: Manifests) -> set[str]:
    """What there is; the name of a generated map changes with what it says."""
    return {
        name_of(document) for document in manifests.documents if document["kind"] != "ConfigMap"
    }


def test_a_leaf_is_barred_as_the_guide_says() -> None:
    guide = (ROOT / "docs" / "leaves.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    own: Manifest = yaml.safe_load(shown)
    manifests = render("production", "leaves", patches=own["patches"])
    assert list(rules.is_valid(manifests)) == []
    assert list(rules.runs_every_service(manifests)) == []
    barred = manifests.settings(manifests.workload("registrar"))["PEYVAND_BARRED_LEAVES"]
    assert json.loads(barred) == ["U…"]


def test_the_small_one_asks_for_nothing_that_one_machine_lacks() -> None:
    small = render("small")
    assert all(document["spec"]["replicas"] == 1 for document in small.of("StatefulSet"))
    assert all(document["spec"]["instances"] == 1 for document in small.of("Cluster"))
    for deployment in small.of("Deployment"):
        assert deployment["spec"]["replicas"] == 1
        assert "topologySpreadConstraints" not in deployment["spec"]["template"]["spec"]
    assert not small.of("HorizontalPodAutoscaler")
    assert {
        small.settings(small.workload(owner))["PEYVAND_STREAM_REPLICAS"] for owner in rules.OWNERS
    } == {"1"}


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_an_example_is_one_that_the_operators_take(example: Path) -> None:
    documents = read_example(example)
    assert documents
    assert list(rules.is_valid(Manifests(documents))) == []


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.name)
def test_an_example_reaches_what_it_needs_beside_the_hub(example: Path) -> None:
    beside = Manifests(render("production").documents + read_example(example))
    assert list(rules.goes_by_the_picture(beside)) == []


def test_a_database_that_is_restored_archives_to_a_place_of_its_own() -> None:
    (cluster,) = Manifests(read_example(EXAMPLES / "restore-centers.yaml")).of("Cluster")
    (archiver,) = (each for each in cluster["spec"]["plugins"] if each["isWALArchiver"])
    (source,) = cluster["spec"]["externalClusters"]
    origin = source["plugin"]["parameters"]
    known = render("production").one("ObjectStore", "backups")["metadata"]["name"]
    assert archiver["parameters"]["barmanObjectName"] == origin["barmanObjectName"] == known
    assert archiver["parameters"]["serverName"] != origin["serverName"]


def read_example(path: Path) -> list[Manifest]:
    return [*yaml.safe_load_all(path.read_text(encoding="utf-8"))]


def test_the_namespace_is_there_before_the_first_secret() -> None:
    told = (ROOT / "deploy" / "k8s" / "README.md").read_text(encoding="utf-8")
    assert -1 < told.find("apply -f deploy/k8s/base/namespace.yaml") < told.find("create secret")


def test_the_crew_makes_the_secrets_that_are_referred_to() -> None:
    made = runpy.run_path(str(ROOT / "deploy" / "k8s" / "broker_secrets.py"))["SECRETS"]
    assert {*made, "backup-store", "object-store"} == rules.BY_THE_CREW


def spec(manifests: Manifests, kind: str, name: str) -> Manifest:
    return manifests.one(kind, name)["spec"]


def process(manifests: Manifests, name: str) -> Manifest:
    return manifests.workload(name).process


def without(manifests: Manifests, kind: str, name: str) -> None:
    manifests.documents.remove(manifests.one(kind, name))


def told(manifests: Manifests, name: str, key: str, value: str) -> None:
    process(manifests, name)["env"].append({"name": key, "value": value})


def egress(manifests: Manifests, name: str, port: Any) -> None:
    rule = spec(manifests, "NetworkPolicy", name)["egress"][0]
    rule["ports"].append({"protocol": "TCP", "port": port})


PLANTED: dict[str, tuple[rules.Rule, Fault]] = {
    "a field that no API knows": (
        rules.is_valid,
        lambda m: spec(m, "Deployment", "centers").update(replica=3),
    ),
    "a field that the operator of PostgreSQL does not know": (
        rules.is_valid,
        lambda m: spec(m, "Cluster", "postgres-centers").update(replicas=3),
    ),
    "a word where the certificates want a number": (
        rules.is_valid,
        lambda m: spec(m, "Certificate", "hub-root")["privateKey"].update(size="big"),
    ),
    "a backup that names no cluster": (
        rules.is_valid,
        lambda m: spec(m, "ScheduledBackup", "postgres-centers").pop("cluster"),
    ),
    "a store with a misspelt word": (
        rules.is_valid,
        lambda m: spec(m, "ObjectStore", "backups").update(retention="30d"),
    ),
    "something outside of the namespace": (
        rules.stands_in_the_namespace,
        lambda m: m.one("Service", "centers")["metadata"].pop("namespace"),
    ),
    "an image of any version": (
        rules.names_its_images,
        lambda m: process(m, "centers").update(image="peyvand-hub:latest"),
    ),
    "an image with a host": (
        rules.names_its_images,
        lambda m: process(m, "centers").update(image="images.example/peyvand-hub:1.0.0"),
    ),
    "a service that is left out": (
        rules.runs_every_service,
        lambda m: without(m, "Deployment", "registrar"),
    ),
    "a setting that nobody reads": (
        rules.runs_every_service,
        lambda m: told(m, "centers", "PEYVAND_NODES_HUB", "nodes"),
    ),
    "a life that depends on the database": (
        rules.asks_three_questions,
        lambda m: process(m, "centers")["livenessProbe"]["httpGet"].update(path="/readyz"),
    ),
    "a start that nobody waits for": (
        rules.asks_three_questions,
        lambda m: process(m, "projects").pop("startupProbe"),
    ),
    "an edge that goes when one service does": (
        rules.asks_three_questions,
        lambda m: process(m, "gateway")["readinessProbe"]["httpGet"].update(path="/readyz"),
    ),
    "a broker that is killed while it catches up": (
        rules.asks_three_questions,
        lambda m: process(m, "broker")["livenessProbe"]["httpGet"].update(path="/healthz"),
    ),
    "a namespace that only warns": (
        rules.is_restricted,
        lambda m: m.of("Namespace")[0]["metadata"]["labels"].update(
            {"pod-security.kubernetes.io/enforce": "baseline"}
        ),
    ),
    "a root that can be written to": (
        rules.is_restricted,
        lambda m: process(m, "gateway")["securityContext"].update(readOnlyRootFilesystem=False),
    ),
    "a user that is root": (
        rules.is_restricted,
        lambda m: m.workload("broker").pod["securityContext"].update(runAsUser=0),
    ),
    "a capability that is kept": (
        rules.is_restricted,
        lambda m: process(m, "centers")["securityContext"].update(
            capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}
        ),
    ),
    "a first container with more rights": (
        rules.is_restricted,
        lambda m: m.workload("centers").pod["initContainers"][0].pop("securityContext"),
    ),
    "a token of the cluster": (
        rules.is_restricted,
        lambda m: m.workload("partners").pod.pop("automountServiceAccountToken"),
    ),
    "memory without a bound": (
        rules.is_restricted,
        lambda m: process(m, "observatory")["resources"].pop("limits"),
    ),
    "a pod that goes before another is there": (
        rules.is_replaced_without_a_gap,
        lambda m: spec(m, "Deployment", "centers")["strategy"]["rollingUpdate"].update(
            maxUnavailable=1
        ),
    ),
    "a pod that ends before its callers know": (
        rules.is_replaced_without_a_gap,
        lambda m: process(m, "gateway")["lifecycle"]["preStop"]["sleep"].update(seconds=0),
    ),
    "a process that goes and never said so": (
        rules.is_replaced_without_a_gap,
        lambda m: m.one("ConfigMap", "peyvand")["data"].update(PEYVAND_LINGER_SECONDS="0"),
    ),
    "files in a folder of a pod": (
        rules.keeps_files_where_all_find_them,
        lambda m: told(m, "gateway", "PEYVAND_OBJECTS_URL", "file:///tmp/objects"),
    ),
    "two stores of files": (
        rules.keeps_files_where_all_find_them,
        lambda m: told(m, "projects", "PEYVAND_OBJECTS_URL", "s3://other"),
    ),
    "a store of files that is out of reach": (
        rules.keeps_files_where_all_find_them,
        lambda m: without(m, "NetworkPolicy", "object-store"),
    ),
    "no room for a great file": (
        rules.keeps_files_where_all_find_them,
        lambda m: told(m, "gateway", "PEYVAND_OBJECTS_LIMIT", str(2**40)),
    ),
    "a gateway that goes down with a long document": (
        rules.has_room_for_a_dossier,
        lambda m: process(m, "gateway")["resources"]["limits"].update(memory="1Gi"),
    ),
    "the keys of the store of files in another service": (
        rules.keeps_keys_apart,
        lambda m: process(m, "partners")["env"].append(
            {
                "name": "PEYVAND_OBJECTS_SECRET",
                "valueFrom": {"secretKeyRef": {"name": "object-store", "key": "SECRET_ACCESS_KEY"}},
            }
        ),
    ),
    "a pod that is killed while it drains": (
        rules.is_replaced_without_a_gap,
        lambda m: m.workload("gateway").pod.update(terminationGracePeriodSeconds=30),
    ),
    "two servers of the broker taken at once": (
        rules.is_not_taken_apart,
        lambda m: spec(m, "PodDisruptionBudget", "broker").update(maxUnavailable=2),
    ),
    "a budget for nobody": (
        rules.is_not_taken_apart,
        lambda m: spec(m, "PodDisruptionBudget", "gateway")["selector"]["matchLabels"].update(
            {"app.kubernetes.io/name": "edge"}
        ),
    ),
    "a schema that nobody brings up to date": (
        rules.migrates_first,
        lambda m: without(m, "Job", "migrate-partners-0.1.0"),
    ),
    "a version whose Job is that of another": (
        rules.migrates_first,
        lambda m: process(m, "migrate-centers-0.1.0").update(image="peyvand-hub:0.0.9"),
    ),
    "a Job that changes with the settings": (
        rules.migrates_first,
        lambda m: process(m, "migrate-centers-0.1.0").update(
            envFrom=[{"configMapRef": {"name": m.one("ConfigMap", "peyvand")["metadata"]["name"]}}]
        ),
    ),
    "a pod that does not wait for its schema": (
        rules.migrates_first,
        lambda m: m.workload("centers").pod.pop("initContainers"),
    ),
    "a pod that migrates by itself": (
        rules.migrates_first,
        lambda m: told(m, "centers", "PEYVAND_MIGRATE", "true"),
    ),
    "a network without the rule that refuses": (
        rules.goes_by_the_picture,
        lambda m: without(m, "NetworkPolicy", "default-deny"),
    ),
    "an edge that is not in the picture": (
        rules.goes_by_the_picture,
        lambda m: (
            spec(m, "NetworkPolicy", "to-postgres-centers")["podSelector"]["matchExpressions"][0][
                "values"
            ].append("projects")
            or spec(m, "NetworkPolicy", "postgres-centers")["ingress"][0]["from"][0]["podSelector"][
                "matchExpressions"
            ][0]["values"].append("projects")
        ),
    ),
    "an edge of the picture that is cut": (
        rules.goes_by_the_picture,
        lambda m: without(m, "NetworkPolicy", "to-broker"),
    ),
    "a way out into the world": (
        rules.goes_by_the_picture,
        lambda m: egress(m, "token-issuer", 80),
    ),
    "a service that the world reaches": (
        rules.goes_by_the_picture,
        lambda m: spec(m, "NetworkPolicy", "services")["ingress"][0]["from"].append(
            {"ipBlock": {"cidr": "0.0.0.0/0"}}
        ),
    ),
    "a secret in a manifest": (
        rules.holds_no_secret,
        lambda m: m.documents.append({"kind": "Secret", "metadata": {"name": "s"}}),
    ),
    "a password in the environment": (
        rules.holds_no_secret,
        lambda m: told(m, "centers", "PGPASSWORD", "1234"),
    ),
    "a password in an address": (
        rules.holds_no_secret,
        lambda m: told(m, "gateway", "PEYVAND_NATS_URL", "nats://gateway:1234@broker:4222"),
    ),
    "a secret that nobody makes": (
        rules.refers_to_secrets_that_are_made,
        lambda m: (
            m.workload("gateway")
            .pod["volumes"]
            .append({"name": "x", "secret": {"secretName": "gateway-keys"}})
        ),
    ),
    "the keys of the operator in the gateway": (
        rules.keeps_keys_apart,
        lambda m: (
            m.workload("gateway")
            .pod["volumes"]
            .append({"name": "x", "secret": {"secretName": "registrar-keys"}})
        ),
    ),
    "the key of the authority in a pod": (
        rules.keeps_keys_apart,
        lambda m: [
            volume["secret"].pop("items")
            for volume in m.workload("centers").pod["volumes"]
            if volume["name"] == "authority"
        ],
    ),
    "a name that the broker's certificate lacks": (
        rules.is_certified,
        lambda m: spec(m, "Certificate", "broker-server")["dnsNames"].remove(
            "nodes.peyvand.example"
        ),
    ),
    "an authority that changes its key": (
        rules.is_certified,
        lambda m: spec(m, "Certificate", "hub-authority")["privateKey"].update(
            rotationPolicy="Always"
        ),
    ),
    "a database that is believed unseen": (
        rules.is_certified,
        lambda m: told(m, "projects", "PGSSLMODE", "require"),
    ),
    "an ingress that holds streams back": (
        rules.lets_streams_through,
        lambda m: m.one("Ingress", "gateway")["metadata"]["annotations"].update(
            {"nginx.ingress.kubernetes.io/proxy-buffering": "on"}
        ),
    ),
    "an ingress that cuts after a minute": (
        rules.lets_streams_through,
        lambda m: m.one("Ingress", "gateway")["metadata"]["annotations"].update(
            {"nginx.org/proxy-read-timeout": "60s"}
        ),
    ),
    "an ingress that refuses a file": (
        rules.lets_streams_through,
        lambda m: m.one("Ingress", "gateway")["metadata"]["annotations"].update(
            {"nginx.org/client-max-body-size": "200m"}
        ),
    ),
    "an ingress that has no say about bodies": (
        rules.lets_streams_through,
        lambda m: m.one("Ingress", "gateway")["metadata"]["annotations"].pop(
            "nginx.ingress.kubernetes.io/proxy-body-size"
        ),
    ),
    "a certificate that nobody can prove a name for": (
        rules.lets_its_certificate_be_made,
        lambda m: without(m, "NetworkPolicy", "acme-solver"),
    ),
    "a proof of the name that others reach": (
        rules.lets_its_certificate_be_made,
        lambda m: spec(m, "NetworkPolicy", "acme-solver")["ingress"][0].update(
            {"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}
        ),
    ),
    "a port on every machine": (
        rules.lets_streams_through,
        lambda m: spec(m, "Service", "gateway").update(type="NodePort"),
    ),
    "a way in for leaves to a broker that admits none": (
        rules.lets_streams_through,
        lambda m: m.documents.append(
            {"kind": "Service", "metadata": {"name": "broker-leaves"}, "spec": {"type": "NodePort"}}
        ),
    ),
    "a broker that listens for leaves behind a closed door": (
        rules.admits_leaves_whole_or_not_at_all,
        lambda m: m.one("ConfigMap", "broker")["data"].update(
            {"leaves.conf": 'leafnodes { listen: "0.0.0.0:7422" }'}
        ),
    ),
    "a registrar that waits for leaves that cannot come": (
        rules.admits_leaves_whole_or_not_at_all,
        lambda m: told(m, "registrar", "PEYVAND_LEAVES_PORT", "7422"),
    ),
    "a database of another version": (
        rules.is_postgresql_18,
        lambda m: spec(m, "Cluster", "postgres-centers")["imageCatalogRef"].update(major=17),
    ),
    "pods that may all be in one zone": (
        rules.stands_in_three_zones,
        lambda m: m.workload("gateway").pod.pop("topologySpreadConstraints"),
    ),
    "two servers of the broker in one zone": (
        rules.stands_in_three_zones,
        lambda m: m.workload("broker").pod["topologySpreadConstraints"][0].pop("minDomains"),
    ),
    "a commit that a failover forgets": (
        rules.stands_in_three_zones,
        lambda m: spec(m, "Cluster", "postgres-partners")["postgresql"].pop("synchronous"),
    ),
    "streams that are kept once": (
        rules.keeps_streams_three_times,
        lambda m: told(m, "centers", "PEYVAND_STREAM_REPLICAS", "1"),
    ),
    "a server that the others do not know": (
        rules.keeps_streams_three_times,
        lambda m: spec(m, "StatefulSet", "broker").update(replicas=4),
    ),
    "two places that say how many": (
        rules.scales_by_its_own_work,
        lambda m: spec(m, "Deployment", "gateway").update(replicas=3),
    ),
    "more processes than the database takes": (
        rules.scales_by_its_own_work,
        lambda m: spec(m, "HorizontalPodAutoscaler", "projects").update(maxReplicas=30),
    ),
    "a log that is not archived": (
        rules.can_go_back_in_time,
        lambda m: spec(m, "Cluster", "postgres-projects").pop("plugins"),
    ),
    "a night without a backup": (
        rules.can_go_back_in_time,
        lambda m: without(m, "ScheduledBackup", "postgres-observatory"),
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(fault: str) -> None:
    rule, plant = PLANTED[fault]
    manifests = render("production")
    plant(manifests)
    assert list(rule(manifests)) != []


LACKING: dict[str, tuple[rules.Rule, Fault]] = {
    "a port that no policy lets through": (
        rules.goes_by_the_picture,
        lambda m: without(m, "NetworkPolicy", "broker-leaves"),
    ),
    "a port that no service leads to": (
        rules.lets_streams_through,
        lambda m: without(m, "Service", "broker-leaves"),
    ),
    "a service that leads elsewhere": (
        rules.admits_leaves_whole_or_not_at_all,
        lambda m: spec(m, "Service", "broker-leaves")["ports"][0].update(port=4222),
    ),
    "a name that the certificate lacks": (
        rules.admits_leaves_whole_or_not_at_all,
        lambda m: spec(m, "Certificate", "broker-server")["dnsNames"].remove(
            "leaves.peyvand.example"
        ),
    ),
    "streams without a name": (
        rules.admits_leaves_whole_or_not_at_all,
        lambda m: m.one("ConfigMap", "broker")["data"].update({"domain.conf": ""}),
    ),
    "a registrar that was told nothing": (
        rules.admits_leaves_whole_or_not_at_all,
        lambda m: process(m, "registrar").update(env=[]),
    ),
}


@pytest.mark.parametrize("fault", LACKING)
def test_what_leaves_lack_is_found(fault: str) -> None:
    rule, plant = LACKING[fault]
    manifests = render("production", "leaves")
    plant(manifests)
    assert list(rule(manifests)) != []


def test_every_rule_is_tried_with_a_fault() -> None:
    assert {rule for rule, _ in PLANTED.values()} == {*rules.EVERYWHERE, *rules.IN_PRODUCTION}


def test_an_arrow_in_the_picture_becomes_a_connection() -> None:
    picture = """
        people["browser"] -- HTTP --> gateway
        gateway -- gRPC --> centers & projects
        centers --- dbc[(PostgreSQL<br>centers)]
        centers -- "relay: EVT" --> nats{{NATS}}
        nats -- "all events" --> observatory
        observatory -. "live: changed" .-> gateway
        dbc --- registrar
        systems["its own systems"] -- "HTTP" --> node["node<br>keeps"]
        node -- "TLS" --> nats
    """
    assert rules.drawn_edges(picture) == {
        ("ingress", "gateway", 8080),
        ("gateway", "centers", 50051),
        ("gateway", "projects", 50051),
        ("centers", "postgres-centers", 5432),
        ("registrar", "postgres-centers", 5432),
        ("centers", "broker", 4222),
        ("observatory", "broker", 4222),
        ("gateway", "broker", 4222),
        ("world", "broker", 4222),
    }
