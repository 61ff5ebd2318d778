"""The broker of a hub: its keys in a folder, and the configuration that it runs with."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from hubkit.errors import HubError
from hubkit.private_files import write_private
from nodekit.accounts import HubKeys
from nodekit.keys import BadKey
from nodekit.leaves import HUB_DOMAIN

LONGEST_RIGHTS = "512KB"
"""Room in the first line of a leaf for the rights over several hundred nodes."""


def make_keys(folder: Path) -> None:
    """Make the keys of the operator and the accounts; the folder appears whole or not at all."""
    keep_keys(folder, HubKeys.new().files())


def keep_keys(folder: Path, files: Mapping[str, str]) -> None:
    """Write the keys of the operator and the accounts; the folder appears whole or not at all.

    Raises:
        HubError: some of them lack.
    """
    # Under another name until it is whole: a folder with some of the keys could
    # neither be used nor be told from one that has lost the others.
    draft = folder.with_name(f"{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    for name, text in files.items():
        write_private(draft / Path(name).name, text)
    read_keys(draft)
    draft.rename(folder)


def read_keys(folder: Path) -> HubKeys:
    """Read the keys of the operator and the accounts.

    Raises:
        HubError: some of them have gone.
    """
    try:
        return HubKeys.read(folder)
    except (OSError, BadKey) as error:
        raise HubError(
            f"The keys of the broker in {folder} cannot be read: {error}.",
            "Restore them from a backup; with other keys every node must join again.",
        ) from error


@dataclass(frozen=True)
class Configuration:
    """How a broker runs.

    Attributes:
        listen: address and port for services and nodes.
        advertise: ``host:port`` that clients are told to come back to; empty for none.
        monitor: address and port of ``/healthz``, HTTP.
        server_chain: file with the server's certificate and that of the authority.
        server_key: file with the server's private key.
        store: folder for streams, and for what the broker was told of accounts.
        leaves: address and port for brokers of provinces; empty for none.
    """

    listen: str
    advertise: str
    monitor: str
    server_chain: Path
    server_key: Path
    store: Path
    leaves: str = ""

    def text(self, keys: HubKeys) -> str:
        """Return the configuration file for a broker that these keys govern."""
        lines = [
            "server_name: peyvand",
            f"listen: {quoted(self.listen)}",
            *([f"client_advertise: {quoted(self.advertise)}"] if self.advertise else []),
            f"http: {quoted(self.monitor)}",
            *served_with(self.server_chain, self.server_key),
            *(self._leaf_lines() if self.leaves else []),
            "jetstream {",
            f"  store_dir: {quoted(str(self.store))}",
            # Leaves have streams of their own.
            *([f"  domain: {HUB_DOMAIN}"] if self.leaves else []),
            "  max_memory_store: 256MB",
            "  max_file_store: 20GB",
            # The outbox of each service can fill a stream again, so that a second of
            # acknowledged messages may be lost with the machine's power.
            "  sync_interval: 1s",
            "}",
            "max_payload: 1MB",
            "resolver {",
            "  type: full",
            f"  dir: {quoted(str(self.store / 'accounts'))}",
            "  allow_delete: false",
            "}",
        ]
        return "\n".join(lines) + "\n" + keys.broker_configuration()

    def _leaf_lines(self) -> list[str]:
        return [
            f"max_control_line: {LONGEST_RIGHTS}",
            "leafnodes {",
            f"  listen: {quoted(self.leaves)}",
            # A leaf comes back by the way it was told, and by no other.
            "  no_advertise: true",
            *(f"  {line}" for line in served_with(self.server_chain, self.server_key)),
            "}",
        ]


def served_with(chain: PurePath, key: PurePath) -> list[str]:
    """The lines that say with which certificate a server answers."""
    return [
        "tls {",
        f"  cert_file: {quoted(str(chain))}",
        f"  key_file: {quoted(str(key))}",
        # A client says and hears nothing before it has seen the certificate.
        "  handshake_first: true",
        # Several round trips, on a line that may be slow and lossy.
        "  timeout: 15",
        "}",
    ]


def quoted(text: str) -> str:
    """A text as a string of the configuration language."""
    # A JSON string is a string of the configuration language too.
    return json.dumps(text, ensure_ascii=False)
