"""Stands in for curl on a machine that has none: as much of it as README.md uses.

``python curl.py FILE ARGUMENTS...`` notes the status in FILE, as ``curl --verbose`` does.
"""

import argparse
import sys
from pathlib import Path

import httpx


def main(note: str, arguments: list[str]) -> int:
    """Make one call and print the answer's body."""
    parser = argparse.ArgumentParser(prog="curl")
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-H", action="append", default=[], dest="headers")
    parser.add_argument("-d", dest="data")
    parser.add_argument("url")
    given = parser.parse_args(arguments)
    pairs = [header.split(":", 1) for header in given.headers]
    answer = httpx.request(
        "GET" if given.data is None else "POST",
        given.url,
        headers={name.strip(): value.strip() for name, value in pairs},
        content=None if given.data is None else given.data.encode(),
        timeout=120,
    )
    Path(note).write_text(f"< HTTP/1.1 {answer.status_code}\n", encoding="utf-8")
    sys.stdout.write(answer.text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
