"""What a province needs to run a leaf.

A leaf is a plain NATS server. The hub makes its configuration, its certificate and its
credentials, as one folder; nothing else has to be installed in the province. What it may
do stands in `nodekit.leaves`.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from hubkit.authority import Authority
from hubkit.broker import LONGEST_RIGHTS, quoted, served_with
from hubkit.errors import HubError
from hubkit.private_files import write_private
from nodekit.accounts import HubKeys
from nodekit.join_token import is_address
from nodekit.leaves import Leaf

LIFE = timedelta(days=397)
"""How long what is written is good; a leaf is written anew before that."""
READER = "reader"
"""The folder, within that of a leaf, for who reads its store."""
SEEN_AT = PurePosixPath("/etc/peyvand-leaf")
KEPT_AT = PurePosixPath("/var/lib/peyvand-leaf")


@dataclass(frozen=True)
class Place:
    """Where a leaf runs, and what it connects to.

    Attributes:
        hub: ``host:port`` of the hub's broker for leaves.
        hosts: names and addresses under which its nodes reach it.
        listen: address and port for them.
        monitor: address and port of ``/healthz`` and ``/leafz``, HTTP.
        seen_at: the folder that holds what is written, where the leaf runs.
        kept_at: the folder of its store, and of what it was told of accounts.
    """

    hub: str
    hosts: tuple[str, ...]
    listen: str = "0.0.0.0:4222"
    monitor: str = "127.0.0.1:8222"
    seen_at: PurePosixPath = SEEN_AT
    kept_at: PurePosixPath = KEPT_AT

    def __post_init__(self) -> None:
        """Raise `HubError` for what is no address, by the option that gives it."""
        for option in ("hub", "listen", "monitor"):
            text: str = getattr(self, option)
            if not is_address(text):
                raise HubError(f"--{option}: {text!r} is no address.", "Give host:port.")
        for host in self.hosts:
            # An IPv6 address stands without its brackets, as in a certificate.
            if not is_address(f"[{host}]:1" if ":" in host else f"{host}:1"):
                raise HubError(f"--host: {host!r} is no name of a host, and no address.")


@dataclass(frozen=True)
class Written:
    """What was written for a leaf.

    Attributes:
        public_key: by which the hub bars it (``PEYVAND_BARRED_LEAVES``).
        expires_at: until when it is good.
    """

    public_key: str
    expires_at: datetime


def write_leaf(
    folder: Path,
    leaf: Leaf,
    place: Place,
    keys: HubKeys,
    authority: Authority,
    *,
    now: datetime | None = None,
) -> Written:
    """Write the configuration, certificate and credentials of a leaf into a folder.

    The files hold private keys: who has them is the leaf.

    Raises:
        HubError: the authority's key has gone, or the folder cannot be written.
    """
    began = datetime.now(UTC)
    now = now or began
    expires_at = now + LIFE
    made = keys.leaf_credentials(leaf, expires_at)
    assert made.platform.key is not None
    chain, key = authority.issue(place.hosts, now)
    files = {
        "ca.pem": authority.certificate.read_text(encoding="ascii"),
        "server.pem": chain,
        "server.key": key,
        "platform.creds": made.platform.text(),
        "provinces.creds": made.provinces.text(),
        "system.creds": made.system.text(),
        "leaf.conf": _configuration(leaf, place, keys, began),
    }
    # For who reads the store: nothing that the leaf itself is known by.
    read_by = {
        "ca.pem": files["ca.pem"],
        "reader.creds": made.reader.text(),
        "store.json": _store(leaf, place),
    }
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / READER).mkdir(mode=0o700, exist_ok=True)
        for name, text in files.items():
            write_private(folder / name, text)
        for name, text in read_by.items():
            write_private(folder / READER / name, text)
    except OSError as error:
        raise HubError(f"The leaf cannot be written to {folder}: {error}.") from error
    return Written(made.platform.key.public, expires_at)


def _configuration(leaf: Leaf, place: Place, keys: HubKeys, written_at: datetime) -> str:
    at = place.seen_at
    own = {keys.store(leaf).public: keys.store_jwt(leaf, written_at)}
    lines = [
        f"server_name: {quoted(f'peyvand-{leaf.name}')}",
        f"listen: {quoted(place.listen)}",
        f"http: {quoted(place.monitor)}",
        f"max_control_line: {LONGEST_RIGHTS}",
        *served_with(at / "server.pem", at / "server.key"),
        "max_payload: 1MB",
        "leafnodes {",
        '  reconnect: "2s"',
        "  remotes: [",
        *_remote(place, keys.platform.public, "platform.creds"),
        *_remote(place, keys.store(leaf).public, "provinces.creds"),
        *_remote(place, keys.system.public, "system.creds"),
        "  ]",
        "}",
        "jetstream {",
        f"  store_dir: {quoted(str(place.kept_at / 'store'))}",
        f"  domain: {leaf.name}",
        "  max_memory_store: 16MB",
        "  max_file_store: 2GB",
        "}",
        "resolver {",
        "  type: full",
        f"  dir: {quoted(str(place.kept_at / 'accounts'))}",
        "  allow_delete: false",
        # What was said while the line was cut is asked for soon after.
        '  interval: "2s"',
        "}",
    ]
    return "\n".join(lines) + "\n" + keys.broker_configuration(own)


def _store(leaf: Leaf, place: Place) -> str:
    host, port = place.hosts[0], place.listen.rpartition(":")[2]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return json.dumps({"address": address, "stream": leaf.store()}, indent=2) + "\n"


def _remote(place: Place, account: str, credentials: str) -> list[str]:
    return [
        "    {",
        f"      url: {quoted(f'tls://{place.hub}')}",
        f"      account: {account}",
        f"      credentials: {quoted(str(place.seen_at / credentials))}",
        # By the way that it was told, and by no other.
        "      ignore_discovered_servers: true",
        "      tls {",
        f"        ca_file: {quoted(str(place.seen_at / 'ca.pem'))}",
        "        handshake_first: true",
        "        timeout: 15",
        "      }",
        "    }",
    ]
