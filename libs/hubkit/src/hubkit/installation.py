"""The secrets of an installation, kept in one folder and handed out to who needs them.

Each process gets a folder of its own with what it needs and nothing of its neighbours':
settings as files named like the environment variable (`servicekit.settings` reads them),
credentials, certificates. Handing out again changes nothing that is as it should be, so
that it can be done at every start.
"""

import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address
from pathlib import Path, PurePosixPath
from typing import Any, cast

import asyncpg
from joserfc.jwk import OKPKey

from hubkit.authority import Authority
from hubkit.broker import Configuration, keep_keys, make_keys, read_keys
from hubkit.errors import HubError
from hubkit.private_files import OWNER_ONLY, write_private
from hubkit.topology import CENTERS, REGISTRAR, SERVICES
from nodekit.accounts import HubKeys
from servicekit.local_issuer import generate_key, read_key

BROKER = "broker"
POSTGRES = "postgres"
KEYCLOAK = "keycloak"
GRAFANA = "grafana"
FIRST_DATA = "first-data"
SUPERUSER = "postgres"
DATABASES = (*(service.name for service in SERVICES if service.has_database), KEYCLOAK)
MONITOR_PORT = 8222

_KEYS = "broker-keys"
SIGNING_KEY = "signing-key.json"

# Where a container sees its own folder, and where the broker keeps its streams.
SEEN_AT = PurePosixPath("/run/peyvand")
BROKER_STORE = PurePosixPath("/var/lib/peyvand/broker")

# For programs of others, which run as users of their own. Nobody but them and the
# setup mounts the folder.
_READABLE = 0o444


@dataclass(frozen=True)
class Addresses:
    """What an installation is reached by.

    Attributes:
        broker_hosts: names and addresses of the broker, for its certificate; the first is
            the one that join tokens name.
        broker_port: the one port of the broker, for services and nodes.
        postgres: ``host:port`` of the database server.
        leaves_port: of the broker, for brokers of provinces; 0 for none.
    """

    broker_hosts: Sequence[str]
    broker_port: int
    postgres: str
    leaves_port: int = 0


class Installation:
    """Makes what is missing in `home`, once, and hands it out."""

    def __init__(self, home: Path) -> None:
        self._home = home

    @property
    def signing_key(self) -> Path:
        """The key of the local issuer, a private JWK."""
        return self._home / SIGNING_KEY

    def password(self, name: str) -> str:
        """Return the password of a role or an account, made when it is first asked for.

        Raises:
            HubError: the file with the passwords is damaged.
        """
        path = self._home / "passwords.json"
        try:
            known: Any = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        except ValueError as error:
            raise HubError(
                f"{path} is damaged.", "Restore it from a backup: it opens the databases."
            ) from error
        passwords = cast("dict[str, str]", known)
        if name not in passwords:
            passwords[name] = secrets.token_urlsafe(24)
            write_private(path, json.dumps(passwords, indent=2) + "\n")
        return passwords[name]

    def hand_out(self, folders: Path, addresses: Addresses, now: datetime | None = None) -> bool:
        """Write what each process needs into the folder of its name.

        Args:
            folders: holds a folder for each process; one that is not there gets nothing.
            addresses: what the installation is reached by.
            now: the time to judge certificates by; that of the clock when None.

        Returns:
            Whether the certificate of the broker is a new one, which a running broker takes
            on ``SIGHUP``.

        Raises:
            HubError: keys that were made earlier have gone.
        """
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._keys.exists():
            # What others have signed is of no use with these.
            shutil.rmtree(self._home / "credentials", ignore_errors=True)
            make_keys(self._keys)
        is_new = self.authority.ensure(addresses.broker_hosts, now)
        for process, files in self._files(addresses).items():
            folder = folders / process
            if folder.is_dir():
                _write(folder, files, _READABLE if process in _OF_OTHERS else OWNER_ONLY)
        return is_new

    async def connect(self, address: str) -> asyncpg.Connection:
        """Connect to PostgreSQL at ``host:port`` as its superuser. The caller closes it."""
        host, _, port = address.rpartition(":")
        return await asyncpg.connect(
            host=host.strip("[]"),
            port=int(port),
            user=SUPERUSER,
            password=self.password(POSTGRES),
            database="postgres",
            timeout=10,
        )

    def database_url(self, service: str, address: str) -> str:
        """The URL of a service's database, as its owner."""
        return f"postgresql+asyncpg://{service}:{self.password(service)}@{address}/{service}"

    @property
    def broker_keys(self) -> HubKeys:
        """The keys of the broker. Raises `HubError` where they have gone."""
        return read_keys(self._keys)

    @property
    def authority(self) -> Authority:
        """Who signs certificates."""
        return Authority(self._home / "tls")

    def identity(self) -> dict[str, str]:
        """Return who the hub is to its nodes, and what signs its tokens: files by name.

        Raises:
            HubError: some of it has gone.
        """
        keys = read_keys(self._keys)
        return identity_files(keys, self.authority, _text(self.signing_key))

    def adopt(self, identity: Mapping[str, str]) -> None:
        """Be who another hub was. What was made here before goes, but for passwords.

        Raises:
            HubError: this installation is somebody already.
        """
        if self._keys.exists():
            raise HubError(
                f"{self._home} holds the keys of a hub already.",
                "Restore keys before anything else is made, into an empty folder.",
            )
        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The keys of the broker come last: they are what makes an installation somebody.
        self.authority.adopt(identity)
        write_private(self.signing_key, signing_key_of(identity))
        keep_keys(self._keys, broker_keys_of(identity))

    def _files(self, addresses: Addresses) -> dict[str, dict[str, str]]:
        keys = read_keys(self._keys)
        key = self._issuer_key()
        public = json.dumps({"keys": [key.as_dict(private=False)]}) + "\n"
        authority = _text(self.authority.certificate)
        files: dict[str, dict[str, str]] = {}
        for service in SERVICES:
            own = files[service.name] = {"ca.pem": authority}
            if service.database:
                own["PEYVAND_DATABASE_URL"] = self.database_url(
                    service.database, addresses.postgres
                )
            if service.name != REGISTRAR:
                own["jwks.json"] = public
                own["broker.creds"] = self._credentials(service.name, keys)
        files[CENTERS]["node-keys.json"] = keys.node_signer().text()
        files[REGISTRAR] |= keys.files()
        files[BROKER] = {
            "server.pem": _text(self.authority.server_chain),
            "server.key": _text(self.authority.server_key),
            "server.conf": _configuration(addresses).text(keys),
        }
        files[POSTGRES] = {"password": self.password(POSTGRES)}
        files[KEYCLOAK] = {
            "database-password": self.password(KEYCLOAK),
            "admin-password": self.password("keycloak-admin"),
        }
        files[GRAFANA] = {"admin-password": self.password(GRAFANA)}
        files[FIRST_DATA] = {"signing-key.json": _text(self.signing_key)}
        return files

    @property
    def _keys(self) -> Path:
        return self._home / _KEYS

    def _credentials(self, service: str, keys: HubKeys) -> str:
        path = self._home / "credentials" / f"{service}.creds"
        if not path.exists():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            write_private(path, keys.service_credentials(service).text())
        return _text(path)

    def _issuer_key(self) -> OKPKey:
        if not self.signing_key.exists():
            made = generate_key()
            write_private(self.signing_key, json.dumps(made.as_dict(private=True)) + "\n")
        try:
            return read_key(_text(self.signing_key))
        except ValueError as error:
            raise HubError(
                f"{self.signing_key} holds no signing key.",
                "Restore it from a backup, or remove it: another is made, and tokens that the "
                "one before has signed are good no longer.",
            ) from error


def identity_files(keys: HubKeys, authority: Authority, signing_key: str) -> dict[str, str]:
    """Return who a hub is, as files by name: the same names wherever the hub runs."""
    found = {f"{_KEYS}/{name}": text for name, text in keys.files().items()}
    return found | authority.identity() | {SIGNING_KEY: signing_key}


def broker_keys_of(identity: Mapping[str, str]) -> dict[str, str]:
    """The keys of the broker within an identity, by name of their file."""
    head = f"{_KEYS}/"
    return {
        name.removeprefix(head): text for name, text in identity.items() if name.startswith(head)
    }


def signing_key_of(identity: Mapping[str, str]) -> str:
    """What signs tokens, within an identity. Raises `HubError` if it lacks or is none."""
    try:
        read_key(identity[SIGNING_KEY])
    except (KeyError, ValueError) as error:
        raise HubError(
            f"The keys lack {SIGNING_KEY}.", "Take the keys of another backup."
        ) from error
    return identity[SIGNING_KEY]


_OF_OTHERS = frozenset({BROKER, POSTGRES, KEYCLOAK, GRAFANA})


def _configuration(addresses: Addresses) -> Configuration:
    leaves = addresses.leaves_port
    return Configuration(
        listen=f"{IPv4Address(0)}:{addresses.broker_port}",
        leaves=f"{IPv4Address(0)}:{leaves}" if leaves else "",
        advertise="",
        # On loopback alone: nodes are on a network with the broker.
        monitor=f"127.0.0.1:{MONITOR_PORT}",
        server_chain=Path(SEEN_AT / "server.pem"),
        server_key=Path(SEEN_AT / "server.key"),
        store=Path(BROKER_STORE),
    )


def _write(folder: Path, files: Mapping[str, str], mode: int) -> None:
    for name, text in files.items():
        path = folder / name
        if not path.exists() or _text(path) != text:
            write_private(path, text, mode)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
