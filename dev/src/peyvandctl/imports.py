"""Sends files of rows to the network and watches until they are checked and applied."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from peyvandctl.client import Api, ApiError
from peyvandctl.errors import ClusterError

_PATH = "/v1/imports"
_MEDIA_TYPES = {
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".json": "application/json",
    ".csv": "text/csv",
}
_SEND_TIMEOUT = 120.0
_UNDER_WAY = ("checking", "running")
_FIRST_LOOK_SECONDS = 0.05
_LONGEST_LOOK_SECONDS = 1.0
# A gateway that is started again within this time has kept what was applied.
_PATIENCE_SECONDS = 120.0


def send(
    api: Api,
    file: Path,
    *,
    kind: str | None = None,
    dry_run: bool = False,
    key: str | None = None,
    progress: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Send a file and wait until it is checked and applied; gives the import as it ended.

    Args:
        api: where it goes.
        file: YAML, JSON or CSV, by its name.
        kind: what the rows of a CSV table are.
        dry_run: only check.
        key: idempotency key; the same key gives the same import.
        progress: told how far it is.

    Raises:
        ClusterError: the file cannot be read, or its name says no kind of file.
        ApiError: the file was refused, with its problem document, or nobody answers.
    """
    media_type = _MEDIA_TYPES.get(file.suffix.lower())
    if media_type is None:
        raise ClusterError(
            f"{file.name} is neither YAML, JSON nor CSV by its name.",
            f"Name it with one of: {', '.join(_MEDIA_TYPES)}",
        )
    if media_type == "text/csv" and not kind:
        raise ClusterError(
            f"{file.name} is a table, whose rows can be of several kinds.",
            "Say of which: --kind centers, --kind institutions or --kind projects",
        )
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ClusterError(f"{file} cannot be read: {error.strerror}.") from error
    query = {"dry_run": "true"} if dry_run else {}
    if kind:
        query["kind"] = kind
    result = api.post(
        _PATH, content=content, media_type=media_type, key=key, query=query, timeout=_SEND_TIMEOUT
    )
    return wait(api, result, progress)


def wait(
    api: Api, result: dict[str, Any], progress: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Look at an import that is under way until it has ended; gives it as it is then."""
    pause, silent_since = _FIRST_LOOK_SECONDS, time.monotonic()
    while result["state"] in _UNDER_WAY:
        progress(result)
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_LOOK_SECONDS)
        try:
            seen = api.get(f"{_PATH}/{result['id']}")
        except ApiError as error:
            out_of_reach = error.status in (0, 503, 504)
            if not out_of_reach or time.monotonic() - silent_since > _PATIENCE_SECONDS:
                raise
        else:
            silent_since = time.monotonic()
            if seen["state"] != result["state"]:
                pause = _FIRST_LOOK_SECONDS
            result = seen
    progress(result)
    return result
