"""The compose file, the Dockerfile, the topology and the settings say the same."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from centers.registrar import RegistrarSettings
from centers.settings import CentersSettings
from gateway.settings import GatewaySettings
from hubkit import installation
from hubkit.installation import Addresses, Installation
from hubkit.topology import CENTERS, GATEWAY, PROJECTS, REGISTRAR, SERVICES, ServiceSpec
from servicekit.contract import contract
from servicekit.settings import DatabaseSettings, ServiceSettings
from tests.support.compose_file import FILE, ROOT, compose, mounts, networks, services

SETTINGS: dict[str, type[ServiceSettings]] = {
    CENTERS: CentersSettings,
    GATEWAY: GatewaySettings,
    REGISTRAR: RegistrarSettings,
}
OURS = ("peyvand-hub", "peyvand-tools", "peyvand-node")
SECRETS = "/run/peyvand"
# Unpacks itself at its first start.
WRITES_ITS_OWN_SYSTEM = {"keycloak"}
NAMES = [service.name for service in SERVICES]


@pytest.fixture
def handed_out(tmp_path: Path) -> Path:
    """The folders of an installation, filled as `secrets` of the compose file fills them."""
    folders = tmp_path / "for"
    for place in mounts(services()["secrets"]):
        if place.startswith("/var/lib/peyvand/for/"):
            (folders / place.rpartition("/")[2]).mkdir(parents=True)
    addresses = Addresses(["broker"], 4222, "postgres:5432")
    Installation(tmp_path / "setup").hand_out(folders, addresses)
    return folders


def command(service: dict[str, Any]) -> list[str]:
    return [*service.get("entrypoint", ()), *service.get("command", ())]


def settings_in_its_container(
    spec: ServiceSpec, handed_out: Path, monkeypatch: pytest.MonkeyPatch, **environment: str
) -> ServiceSettings:
    """The settings of a service as its container would give them."""
    given: dict[str, str] = services(**environment)[spec.name]["environment"]
    for name, value in given.items():
        # What lies in the container's folder lies elsewhere here.
        here = value.replace(SECRETS, str(handed_out / spec.name))
        monkeypatch.setenv(name, here)
    return SETTINGS.get(spec.name, DatabaseSettings).from_environment()


@pytest.mark.parametrize("spec", SERVICES, ids=NAMES)
def test_every_service_of_the_topology_runs_with_all_that_its_settings_ask_for(
    spec: ServiceSpec, handed_out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command(services()[spec.name]) == [spec.module]
    found = settings_in_its_container(spec, handed_out, monkeypatch)
    assert found.nats_url == "tls://broker:4222"
    assert found.nats_ca is not None
    assert "BEGIN CERTIFICATE" in found.nats_ca.read_text()
    assert found.metrics_listen.endswith(":9464")
    if spec.name != REGISTRAR:
        assert found.broker.credentials is not None
        assert Path(found.jwks).is_file()
    if isinstance(found, DatabaseSettings):
        assert found.database_url.endswith(f"@postgres:5432/{spec.name}")
        assert found.migrate
    if isinstance(found, RegistrarSettings):
        assert found.database_url.endswith(f"@postgres:5432/{spec.beside}")
        assert (found.registrar_keys / "operator.nk").is_file()
    if isinstance(found, CentersSettings):
        address = found.hub_address()
        assert address is not None
        assert address.hub == "broker:4222"
        assert found.issuing() is not None
    if spec.name in (GATEWAY, PROJECTS):
        # What the one takes in the other has to find.
        given = services()[spec.name]
        assert given["environment"]["PEYVAND_OBJECTS_URL"] == "file:///var/lib/peyvand/objects"
        assert "/var/lib/peyvand/objects" in mounts(given)
    if isinstance(found, GatewaySettings):
        names = {rpc.service for rpc in contract().rpcs.values()}
        assert found.targets(names) == {name: f"{name}:50051" for name in names}


@pytest.mark.parametrize("spec", SERVICES, ids=NAMES)
def test_what_a_service_asks_for_is_missed_when_the_folder_is_not_its_own(
    spec: ServiceSpec, handed_out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (handed_out / spec.name).iterdir():
        file.unlink()

    def start() -> object:
        found = settings_in_its_container(spec, handed_out, monkeypatch)
        return found.broker

    with pytest.raises((ValidationError, OSError)):
        start()


def test_another_name_and_port_for_nodes_go_everywhere(
    handed_out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"PEYVAND_NODES_HOST": "hub.example.ir", "PEYVAND_NODES_PORT": "4443"}
    changed = services(**given)
    centers = next(spec for spec in SERVICES if spec.name == CENTERS)
    found = settings_in_its_container(centers, handed_out, monkeypatch, **given)
    assert isinstance(found, CentersSettings)
    address = found.hub_address()
    assert address is not None
    assert address.hub == "hub.example.ir:4443"
    assert found.nats_url == "tls://broker:4443"
    setup = changed["secrets"]["environment"]
    assert setup["PEYVAND_BROKER_HOSTS"] == "hub.example.ir,broker"
    assert setup["PEYVAND_BROKER_PORT"] == "4443"
    assert changed["broker"]["ports"] == ["127.0.0.1:4443:4443"]
    assert changed["broker"]["networks"]["center"]["aliases"] == ["hub.example.ir"]


def test_each_process_sees_its_own_secrets_and_no_others() -> None:
    folders = {
        place.rpartition("/")[2]: source
        for place, (source, _) in mounts(services()["secrets"]).items()
        if "/for/" in place
    }
    by_name = installation.BROKER, installation.POSTGRES, installation.KEYCLOAK
    assert folders.keys() == {*NAMES, *by_name, installation.GRAFANA, installation.FIRST_DATA}
    for name, service in services().items():
        seen = {source for source, _ in mounts(service).values() if source.startswith("for-")}
        if name != "secrets":
            assert seen == ({folders[name]} if name in folders else set()), name
            written = {source for source, can_write in mounts(service).values() if can_write}
            assert not seen & written, name
    with_setup = {name for name, it in services().items() if "setup" in str(mounts(it))}
    assert with_setup == {"secrets", "databases", "backup"}


def test_the_dockerfile_has_the_places_that_the_compose_file_mounts() -> None:
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    (listed,) = re.findall(r"for folder in (.*?); do", dockerfile.replace("\\\n", " "))
    places = {f"/var/lib/peyvand/{folder}" for folder in listed.split()}
    filled = set(mounts(services()["secrets"]))
    kept = {place for place in mounts(services()["backup"]) if not place.endswith("/setup")}
    assert places == filled | kept
    assert kept == {"/var/lib/peyvand/objects", "/var/lib/peyvand/backups"}


def test_everything_is_confined() -> None:
    for name, service in services().items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"] is (name not in WRITES_ITS_OWN_SYSTEM), name
        assert "privileged" not in service, name
        assert "cap_add" not in service, name
        user = str(service.get("user", "the image's"))
        if service["image"].startswith(OURS):
            assert user == "10001:10001", name
        assert not user.startswith(("0", "root")), name


def test_no_secret_stands_in_the_file() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert not re.search(r"://[^/\s:]+:[^/\s@]+@", text)
    for name, service in services().items():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|_KEY|CREDENTIALS|DATABASE_URL", key):
                is_file = str(value).startswith(("/run/peyvand", "/var/lib/peyvand"))
                assert is_file, f"{name}: {key}"


def test_what_lasts_is_probed_and_what_ends_is_waited_for() -> None:
    known = services()
    for name in NAMES:
        assert known[name]["healthcheck"]["test"][-2:] == ["servicekit.healthy", "readyz"], name
        assert known[name]["depends_on"]["databases"] == {
            "condition": "service_completed_successfully"
        }
        assert known[name]["restart"] == "unless-stopped"
    for name in ("secrets", "databases", "first-data"):
        assert known[name]["healthcheck"] == {"disable": True}
        assert known[name]["restart"] == "on-failure"
    assert known["postgres"]["healthcheck"]["test"][1] == "pg_isready"
    assert known["broker"]["healthcheck"]["test"][-1].endswith(":8222/healthz")


def test_a_node_reaches_the_broker_and_nothing_else() -> None:
    assert compose()["networks"]["center"] == {"internal": True}
    assert networks(services()["node"]) == {"center"}
    others = {name for name, service in services().items() if "center" in networks(service)}
    assert others == {"node", "broker"}


def test_the_hub_is_closed_and_what_is_opened_is_on_loopback() -> None:
    assert compose()["networks"]["hub"] == {"internal": True}
    opened = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert all(port.startswith("127.0.0.1:") for ports in opened.values() for port in ports)
    assert {name for name, service in services().items() if "edge" in networks(service)} == {
        *opened
    }


def test_the_small_set_is_hub_and_node_and_profiles_add_the_rest() -> None:
    chosen = {name: set(service.get("profiles", ())) for name, service in services().items()}
    small = {name for name, profiles in chosen.items() if not profiles}
    jobs = {"secrets", "databases", "first-data"}
    assert small == {*NAMES, *jobs, "postgres", "broker", "node"}
    watching = {"otel-collector", "jaeger", "prometheus", "alertmanager", "grafana"}
    assert {name for name in chosen if chosen[name] == {"observability"}} == watching
    assert {name for name in chosen if chosen[name] == {"identity"}} == {"keycloak"}
    assert {name for name in chosen if chosen[name] == {"backup"}} == {"backup"}


def test_a_backup_reads_what_the_services_write_and_is_run_once() -> None:
    backup, gateway = services()["backup"], services()["gateway"]
    assert backup["restart"] == "no"
    assert command(backup)[:2] == ["hubkit", "backup"]
    named = "PEYVAND_OBJECTS_URL"
    assert backup["environment"][named] == gateway["environment"][named]
    assert mounts(backup)["/var/lib/peyvand/objects"][0] == "objects"
    elsewhere = services(PEYVAND_BACKUPS="/srv/backups")["backup"]
    assert mounts(elsewhere)["/var/lib/peyvand/backups"] == ("/srv/backups", True)


def test_every_volume_is_declared_and_used() -> None:
    named = {
        source
        for service in services().values()
        for source, _ in mounts(service).values()
        if not source.startswith(".")
    }
    assert named == set(compose()["volumes"])


def test_every_file_that_is_mounted_is_there() -> None:
    for service in services().values():
        for source, _ in mounts(service).values():
            if source.startswith("."):
                assert (ROOT / source).exists(), source


def test_every_image_has_a_version() -> None:
    for name, service in services().items():
        _, _, version = service["image"].partition(":")
        assert version not in ("", "latest"), name


def test_the_file_is_one_document_without_doubled_keys() -> None:
    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> Any:
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        assert len(keys) == len(set(keys)), keys
        loader.flatten_mapping(node)
        return loader.construct_mapping(node, deep=True)

    Strict.add_constructor("tag:yaml.org,2002:map", mapping)
    assert Strict(FILE.read_text(encoding="utf-8")).get_single_data()
