"""What is watched is what runs, and every address is one of the compose file."""

import re
from typing import Any

import yaml

from hubkit.topology import SERVICES
from tests.support.compose_file import ROOT, mounts, networks, services

FOLDER = ROOT / "deploy" / "observability"


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text())


def environment() -> dict[str, str]:
    lines = (FOLDER / "compose.env").read_text().splitlines()
    pairs = [line.partition("=") for line in lines if "=" in line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


def port(address: str) -> str:
    return address.rpartition(":")[2]


def test_every_service_is_scraped_where_it_listens() -> None:
    jobs = {job["job_name"]: job for job in read("prometheus.yml")["scrape_configs"]}
    (found,) = jobs["peyvand"]["dns_sd_configs"]
    assert set(found["names"]) == {service.name for service in SERVICES}
    for service in SERVICES:
        listens = services()[service.name]["environment"]["PEYVAND_METRICS_LISTEN"]
        assert str(found["port"]) == port(listens)
        assert networks(services()[service.name]) & networks(services()["prometheus"])
    (collector,) = jobs["otel-collector"]["static_configs"][0]["targets"]
    telemetry = read("otel-collector.yaml")["service"]["telemetry"]["metrics"]["readers"]
    assert port(collector) == str(telemetry[0]["pull"]["exporter"]["prometheus"]["port"])


def test_the_rules_and_dashboards_of_the_repository_are_the_ones_that_are_loaded() -> None:
    (pattern,) = read("prometheus.yml")["rule_files"]
    mounted = {source: place for place, (source, _) in mounts(services()["prometheus"]).items()}
    assert mounted["./deploy/observability/rules"] == "/etc/prometheus/rules"
    assert pattern == "rules/*.yml"
    (provider,) = read("grafana/provisioning/dashboards/peyvand.yaml")["providers"]
    shown = {source: place for place, (source, _) in mounts(services()["grafana"]).items()}
    assert shown["./deploy/observability/grafana/dashboards"] == provider["options"]["path"]


def test_every_part_of_a_pipeline_of_the_collector_is_configured() -> None:
    configuration = read("otel-collector.yaml")
    for pipeline in configuration["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(pipeline[kind]) <= set(configuration[kind])
    assert set(configuration["service"]["extensions"]) == set(configuration["extensions"])
    # Memory is limited before anything is gathered.
    assert pipeline_of(configuration)[0] == "memory_limiter"


def pipeline_of(configuration: Any) -> list[str]:
    return configuration["service"]["pipelines"]["traces"]["processors"]


def test_traces_go_from_the_services_to_the_collector_and_on_to_jaeger() -> None:
    configuration = read("otel-collector.yaml")
    endpoint = environment()["PEYVAND_OTLP_ENDPOINT"]
    listens = configuration["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"]
    assert endpoint == f"http://otel-collector:{port(listens)}"
    known = services(**environment())
    for service in SERVICES:
        if service.name != "registrar":
            assert known[service.name]["environment"]["PEYVAND_OTLP_ENDPOINT"] == endpoint
    assert configuration["exporters"]["otlp/jaeger"]["endpoint"] == "jaeger:4317"


def test_the_sources_of_grafana_are_containers_that_it_reaches() -> None:
    sources = read("grafana/provisioning/datasources/peyvand.yaml")["datasources"]
    assert {source["uid"] for source in sources} == {"prometheus", "jaeger"}
    for source in sources:
        host = re.fullmatch(r"http://([a-z-]+):\d+", source["url"])
        assert host is not None
        assert networks(services()[host[1]]) & networks(services()["grafana"])
