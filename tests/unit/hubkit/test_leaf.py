"""What is written for a leaf: by the command of the setup, and by that of this machine."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from typer.testing import CliRunner

from hubkit.__main__ import main
from hubkit.authority import Authority
from hubkit.broker import make_keys
from hubkit.installation import Addresses, Installation
from nodekit import nats_jwt
from nodekit.keys import UserCredentials
from peyvandctl.cli import app
from peyvandctl.paths import Home

LINES = {"platform.creds", "provinces.creds", "system.creds"}
FILES = {"ca.pem", "server.pem", "server.key", "leaf.conf", *LINES}
READ_BY = {"ca.pem", "reader.creds", "store.json"}
NODES = ("--node", "nod_a", "--node", "nod_b")
REACHED = ("--hub", "hub.example.ir:7422", "--host", "leaf.example.ir", "--host", "192.0.2.7")


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installation that was set up."""
    home = tmp_path / "setup"
    Installation(home).hand_out(tmp_path, Addresses(["hub.example.ir"], 4222, "postgres:5432"))
    monkeypatch.setenv("PEYVAND_SETUP_HOME", str(home))
    return home


def assert_written(out: Path) -> None:
    assert {file.name for file in out.iterdir()} == FILES | {"reader"}
    assert {file.name for file in (out / "reader").iterdir()} == READ_BY


def claims_of(folder: Path, name: str) -> nats_jwt.Claims:
    return nats_jwt.decode(UserCredentials.from_text((folder / name).read_text("ascii")).jwt)


def test_the_folder_has_all_that_a_leaf_needs_and_is_closed_to_others(
    setup: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "leaf"
    assert main(["leaf", "fars", *NODES, *REACHED, "--out", str(out)]) == 0
    assert_written(out)
    for folder, names in ((out, FILES), (out / "reader", READ_BY)):
        files = [folder / name for name in names]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    certificate = x509.load_pem_x509_certificate((out / "server.pem").read_bytes())
    named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert named.get_values_for_type(x509.DNSName) == ["leaf.example.ir"]
    assert [str(address) for address in named.get_values_for_type(x509.IPAddress)] == ["192.0.2.7"]
    assert (out / "ca.pem").read_text() == (setup / "tls" / "ca.pem").read_text()
    said = claims_of(out, "platform.creds")
    assert said.nats["allowed_connection_types"] == ["LEAFNODE"]
    assert said.nats["pub"] == {"allow": ["join", "node.nod_a.>", "node.nod_b.>"]}
    assert said.expires_at is not None
    assert timedelta(days=396) < said.expires_at - datetime.now(UTC) < timedelta(days=398)
    told = capsys.readouterr().err
    assert json.dumps([said.subject]) in told
    assert f"{said.expires_at:%Y-%m-%d}" in told


def test_one_key_stands_for_all_its_lines_and_another_for_who_reads(
    setup: Path, tmp_path: Path
) -> None:
    assert setup.exists()
    out = tmp_path / "leaf"
    main(["leaf", "fars", *NODES, *REACHED, "--out", str(out)])
    keys = {claims_of(out, name).subject for name in LINES}
    assert len(keys) == 1
    assert claims_of(out / "reader", "reader.creds").subject not in keys


def test_its_store_keeps_what_is_said_of_its_own_and_is_read_where_its_nodes_connect(
    setup: Path, tmp_path: Path
) -> None:
    assert setup.exists()
    out = tmp_path / "leaf"
    of = ("--center", "ctr_1", "--center", "ctr_2", "--center", "ctr_1")
    listening = ("--listen", "0.0.0.0:4333")
    assert main(["leaf", "fars", *NODES, *of, *REACHED, *listening, "--out", str(out)]) == 0
    store = json.loads((out / "reader" / "store.json").read_text())
    assert store["address"] == "leaf.example.ir:4333"
    kept = [source["filter_subject"] for source in store["stream"]["sources"]]
    assert kept == [
        "evt.centers.center.*.ctr_1",
        "evt.centers.center.*.ctr_2",
        "evt.centers.node.*.nod_a",
        "evt.centers.node.*.nod_b",
    ]
    may = claims_of(out, "provinces.creds").nats["pub"]["allow"]
    assert len(may) == len(kept) + 1
    assert all(any(rule.endswith(f".CENTERS.*.{subject}") for rule in may) for subject in kept)


def test_what_it_may_do_in_the_system_account_is_to_learn_of_accounts(
    setup: Path, tmp_path: Path
) -> None:
    assert setup.exists()
    main(["leaf", "fars", *NODES, *REACHED, "--out", str(tmp_path / "leaf")])
    said = claims_of(tmp_path / "leaf", "system.creds").nats
    assert said["allowed_connection_types"] == ["LEAFNODE"]
    assert said["pub"]["allow"] == [
        "$SYS.REQ.CLAIMS.PACK",
        "$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP",
    ]
    assert all(subject.startswith("$SYS.") for subject in said["sub"]["allow"])


def test_no_secret_of_the_hub_goes_with_it(setup: Path, tmp_path: Path) -> None:
    main(["leaf", "fars", *NODES, *REACHED, "--out", str(tmp_path / "leaf")])
    kept = [*(setup / "broker-keys").iterdir(), setup / "tls" / "ca.key"]
    written = "".join(file.read_text() for file in (tmp_path / "leaf").rglob("*") if file.is_file())
    for secret in kept:
        assert secret.read_text().strip() not in written, secret.name


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("Fars!", *NODES), "'Fars!' cannot name a leaf"),
        (("fars", "--node", "nod_*"), "--node: 'nod_*' is no id of a node"),
        (("hub", *NODES), "'hub' is the hub's own name"),
        (("fars", *NODES, "--center", "ctr_>"), "--center: 'ctr_>' is no id of a center"),
        (("fars", *NODES, "--host", ""), "--host: '' is no name of a host"),
        (("fars", *NODES, "--host", "a b"), "--host: 'a b' is no name of a host"),
        (("fars", *NODES, "--host", "شیراز"), "--host: 'شیراز' is no name of a host"),
        (("fars", *NODES, "--hub", "nonsense"), "--hub: 'nonsense' is no address"),
        (("fars", *NODES, "--hub", "h:99999"), "--hub: 'h:99999' is no address"),
        (("fars", *NODES, "--listen", "4222"), "--listen: '4222' is no address"),
        (("fars", *NODES, "--monitor", ":"), "--monitor: ':' is no address"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(
    setup: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    says: str,
) -> None:
    assert setup.exists()
    out = tmp_path / "leaf"
    assert main(["leaf", *REACHED, *arguments, "--out", str(out)]) == 1
    assert says in capsys.readouterr().err
    assert not out.exists()


def test_the_command_of_this_machine_writes_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEYVAND_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "300")
    home = Home.locate()
    home.prepare()
    out = tmp_path / "leaf"
    arguments = ["leaf", "write", "fars", *NODES, "--host", "leaf.example.ir", "--out", str(out)]
    missing = CliRunner().invoke(app, [*arguments, "--hub", "hub.example.ir:7422"])
    assert missing.exit_code == 1
    make_keys(home.nats / "keys")
    Authority(home.nats / "tls").ensure(["127.0.0.1"])
    nowhere = CliRunner().invoke(app, arguments)
    assert nowhere.exit_code == 1
    assert "PEYVAND_LEAVES_PORT" in nowhere.output
    monkeypatch.setenv("PEYVAND_LEAVES_PORT", "7422")
    monkeypatch.setenv("PEYVAND_NODES_HOST", "hub.example.ir")
    written = CliRunner().invoke(app, arguments)
    assert written.exit_code == 0, written.output
    assert_written(out)
    assert '"tls://hub.example.ir:7422"' in (out / "leaf.conf").read_text()


def test_the_broker_of_an_installation_listens_for_leaves_where_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "broker").mkdir()
    for port, expected in ((0, False), (7422, True)):
        addresses = Addresses(["broker"], 4222, "postgres:5432", port)
        Installation(tmp_path / "setup").hand_out(tmp_path, addresses)
        said = (tmp_path / "broker" / "server.conf").read_text()
        assert ('"0.0.0.0:7422"' in said) is expected
        assert ("leafnodes" in said) is expected
