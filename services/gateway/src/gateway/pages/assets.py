"""Files that the pages load: read once, named by what is in them, so that browsers keep them."""

import hashlib
import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

from servicekit.errors import Fault

ADDRESS = "/pages/static/"
_TYPES = {".woff2": "font/woff2", ".js": "text/javascript", ".svg": "image/svg+xml"}
_SERVED = frozenset({".css", ".js", ".svg", ".woff2"})


@dataclass(frozen=True)
class _Asset:
    body: bytes
    media_type: str
    version: str


class Assets:
    """All files below `static/` that a browser may ask for."""

    def __init__(self) -> None:
        self._assets = dict(_read(resources.files("gateway.pages").joinpath("static"), ""))

    def address(self, name: str) -> str:
        """Address of a file, which changes with its content. Raises `KeyError` without one."""
        return f"{ADDRESS}{name}?v={self._assets[name].version}"

    def answer(self, request: Request, name: str) -> Response:
        """Answer with a file. Raises `Fault` ``ROUTE_NOT_FOUND``."""
        asset = self._assets.get(name)
        if asset is None:
            raise Fault("ROUTE_NOT_FOUND")
        etag = f'"{asset.version}"'
        exact = request.query_params.get("v") == asset.version
        headers = {
            "ETag": etag,
            "Cache-Control": "public, max-age=31536000, immutable"
            if exact
            else "public, max-age=86400",
        }
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(asset.body, media_type=asset.media_type, headers=headers)


def _read(folder: Traversable, prefix: str) -> Iterator[tuple[str, _Asset]]:
    for entry in folder.iterdir():
        name = prefix + entry.name
        if entry.is_dir():
            yield from _read(entry, f"{name}/")
            continue
        suffix = f".{entry.name.rpartition('.')[2]}"
        if suffix not in _SERVED:
            continue
        body = entry.read_bytes()
        media_type = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or ""
        yield name, _Asset(body, media_type, hashlib.sha256(body).hexdigest()[:12])
