"""Asks a process on this machine how it is: ``python -m servicekit.healthy [livez|readyz]``.

Exits with 0 when it answers with 200, for the health check of a container. `livez`, the
default, says that the process works; `readyz` also that what it needs is there.
"""

import http.client
import os
import sys
from ipaddress import ip_address

_PROBES = ("livez", "readyz")
_ANSWER_WITHIN = 5.0  # seconds


def main(arguments: list[str]) -> int:
    """Ask once. Returns the exit status."""
    probe = arguments[0] if arguments else _PROBES[0]
    if probe not in _PROBES or len(arguments) > 1:
        sys.stderr.write(__doc__ or "")
        return 2
    host, _, port = os.environ.get("PEYVAND_METRICS_LISTEN", "").rpartition(":")
    try:
        if ip_address(host).is_unspecified:
            # All addresses include loopback.
            host = "localhost"
        connection = http.client.HTTPConnection(host, int(port), timeout=_ANSWER_WITHIN)
        connection.request("GET", f"/{probe}")
        status = connection.getresponse().status
    except (OSError, ValueError, http.client.HTTPException) as error:
        sys.stderr.write(f"{probe}: {error!r}\n")
        return 1
    return 0 if status == http.HTTPStatus.OK else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
