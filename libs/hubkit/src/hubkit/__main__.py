"""Sets up an installation: ``python -m hubkit <command>``.

``secrets``     make what is missing, and hand it out to the folders of the processes
``databases``   wait for PostgreSQL, and give each service a role and a database
``token ROLE``  print a token of the installation's own issuer
``leaf NAME``   write what a broker of a province runs with, see docs/leaves.md
``backup``, ``verify``, ``restore-keys``, ``restore``  see docs/backup.md

Settings, from the environment: ``PEYVAND_SETUP_HOME``, the folder to be backed up;
``PEYVAND_SETUP_FOLDERS``, one folder in it for each process; ``PEYVAND_BROKER_HOSTS``,
names of the broker with commas, the one for join tokens first; ``PEYVAND_BROKER_PORT``;
``PEYVAND_LEAVES_PORT``, for brokers of provinces;
``PEYVAND_POSTGRES``, host:port; ``PEYVAND_ISSUER`` and ``PEYVAND_AUDIENCE``, as the services
have them. ``PEYVAND_DATABASE_URLS``, JSON, names the databases of an installation that has no
such folder, for ``backup``; ``PEYVAND_OBJECTS_URL`` and its neighbours say where files are.
"""

import argparse
import asyncio
import sys
import time

import asyncpg

from hubkit import leaf_commands
from hubkit.backup import commands
from hubkit.databases import make_databases
from hubkit.errors import HubError
from hubkit.installation import DATABASES, Installation
from hubkit.settings import SetupSettings
from servicekit.identity import KNOWN_ROLES
from servicekit.local_issuer import read_key, sign_token

_PATIENCE_SECONDS = 120.0
_PAUSE_SECONDS = 0.5
_TOKEN_SECONDS = 3600


def main(arguments: list[str]) -> int:
    """Do what the arguments say. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m hubkit")
    known = parser.add_subparsers(dest="command", required=True)
    known.add_parser("secrets", help="make what is missing, and hand it out")
    known.add_parser("databases", help="give each service a role and a database")
    token = known.add_parser("token", help="print a token of the installation's own issuer")
    token.add_argument("role", choices=sorted(KNOWN_ROLES - {"public"}))
    token.add_argument("--seconds", type=int, default=_TOKEN_SECONDS, help="how long it is good")
    leaf_commands.describe(known.add_parser(leaf_commands.NAME, help=leaf_commands.HELP))
    for name, text in commands.HELP.items():
        commands.describe(name, known.add_parser(name, help=text))
    chosen = parser.parse_args(arguments)
    settings = SetupSettings()
    installation = Installation(settings.setup_home)
    try:
        match chosen.command:
            case "secrets":
                is_new = installation.hand_out(settings.setup_folders, settings.addresses)
                _say(f"secrets are handed out; certificate of the broker is new: {is_new}")
            case "databases":
                asyncio.run(_databases(installation, settings.postgres))
                _say(f"databases: {', '.join(DATABASES)}")
            case leaf_commands.NAME:
                leaf_commands.run(installation, chosen, _say)
            case name if name in commands.HELP:
                asyncio.run(commands.run(name, installation, settings, chosen, _say))
            case _:
                sys.stdout.write(_token(installation, settings, chosen) + "\n")
    except HubError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


async def _databases(installation: Installation, address: str) -> None:
    passwords = {name: installation.password(name) for name in DATABASES}
    began = time.monotonic()
    while True:
        try:
            connection = await installation.connect(address)
        except asyncpg.InvalidPasswordError as error:
            raise HubError(
                "PostgreSQL refuses the password of its superuser.",
                "It was made with another setup: restore the setup's folder from a backup.",
            ) from error
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if time.monotonic() - began > _PATIENCE_SECONDS:
                raise HubError(f"PostgreSQL does not answer at {address}: {error}.") from error
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            break
    try:
        await make_databases(connection, passwords)
    finally:
        await connection.close()


def _token(installation: Installation, settings: SetupSettings, chosen: argparse.Namespace) -> str:
    try:
        key = read_key(installation.signing_key.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HubError(
            f"{installation.signing_key} cannot be read.", "Run first: python -m hubkit secrets"
        ) from error
    return sign_token(
        key,
        issuer=settings.issuer,
        audience=settings.audience,
        role=chosen.role,
        ttl=chosen.seconds,
    )


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
