"""Brings an installation that is up to where people take it over.

``python -m peyvandctl.first_data FILE`` loads the file of facts, which changes nothing when
it was loaded before, and writes a token for the first node unless that has joined.

Settings, from the environment: ``PEYVAND_URL``, where the gateway answers;
``PEYVAND_SIGNING_KEY``, the file with the key of the installation's own issuer, and
``PEYVAND_ISSUER`` and ``PEYVAND_AUDIENCE`` as the services have them;
``PEYVAND_NODE_TOKEN_FILE``, where the token goes.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from hubkit.private_files import write_private
from peyvandctl import first_node, seed
from peyvandctl.client import Access, Api, ApiError
from peyvandctl.errors import ClusterError
from servicekit.local_issuer import read_key, sign_token

_PATIENCE_SECONDS = 180.0
_PAUSE_SECONDS = 1.0
# What a service answers that has not started yet, or cannot reach its database.
_NOT_YET = (0, 502, 503, 504)


def bring(file: Path, access: Access, token_file: Path) -> None:
    """Load the facts, and hand out a token for the first node if it needs one.

    Raises:
        ClusterError: the facts were refused, or the network does not answer in time.
    """
    began = time.monotonic()
    while True:
        try:
            seed.load_file(file, access, _say)
            with Api(access) as api:
                node = first_node.approved(api)
                if node["state"] == "approved":
                    write_private(token_file, first_node.token_for(api, node) + "\n")
                    _say(f"{node['id']} can join with the token in {token_file}")
                else:
                    _say(f"{node['id']} is {node['state']}")
        except ClusterError as error:
            cause = error if isinstance(error, ApiError) else error.__cause__
            waits = isinstance(cause, ApiError) and cause.status in _NOT_YET
            if not waits or time.monotonic() - began > _PATIENCE_SECONDS:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def main(arguments: list[str]) -> int:
    """Do it once. Returns the exit status."""
    (file,) = arguments
    key = read_key(Path(os.environ["PEYVAND_SIGNING_KEY"]).read_text(encoding="utf-8"))
    token = sign_token(
        key,
        issuer=os.environ["PEYVAND_ISSUER"],
        audience=os.environ["PEYVAND_AUDIENCE"],
        role="hq_admin",
        ttl=3600,
    )
    try:
        bring(
            Path(file),
            Access(os.environ["PEYVAND_URL"].rstrip("/"), token),
            Path(os.environ["PEYVAND_NODE_TOKEN_FILE"]),
        )
    except ClusterError as error:
        _say(str(error))
        return 1
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
