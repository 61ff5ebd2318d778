"""Makes the keys of a hub's broker, and sorts them into the secrets that the pods mount.

``python deploy/k8s/broker_secrets.py FOLDER``

FOLDER is what belongs in the backup. It gets a folder for each secret, with a file for each
of its entries; what is there already stays as it is. `kubectl create secret generic NAME
--from-file=FOLDER/NAME` then hands one over; see README.md beside this file.
"""

import os
import sys
from pathlib import Path

from nodekit.accounts import HubKeys
from nodekit.keys import BadKey

CLIENTS = ("gateway", "centers", "projects", "partners", "observatory")
REGISTRAR = "registrar-keys"
ACCOUNTS = "broker-accounts"
NODES = "centers-node-keys"


def credentials(service: str) -> str:
    """Name of the secret with which a service enters the broker."""
    return f"{service}-broker"


SECRETS = (REGISTRAR, ACCOUNTS, NODES, *(credentials(service) for service in CLIENTS))


def make(folder: Path) -> None:
    """Make what is missing.

    Raises:
        OSError: the folder cannot be written, or some of the keys have gone.
        BadKey: a file of the keys holds no key.
    """
    registrar = folder / REGISTRAR
    if not registrar.exists():
        draft = folder / f"{REGISTRAR}.draft"
        for name, text in HubKeys.new().files().items():
            _write(draft / name, text)
        # It appears whole or not at all: with some of the keys it would be of no use.
        draft.rename(registrar)
    keys = HubKeys.read(registrar)
    _keep(folder / ACCOUNTS / "accounts.conf", keys.broker_configuration())
    _keep(folder / NODES / "node-keys.json", keys.node_signer().text())
    for service in CLIENTS:
        text = keys.service_credentials(service).text()
        _keep(folder / credentials(service) / "broker.creds", text)


def _keep(path: Path, text: str) -> None:
    if not path.exists():
        _write(path, text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def main(arguments: list[str]) -> int:
    """Do it. Returns the exit status."""
    if len(arguments) != 1:
        sys.stderr.write(__doc__ or "")
        return 2
    try:
        make(Path(arguments[0]))
    except (OSError, BadKey) as error:
        sys.stderr.write(f"The keys cannot be made or read: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
