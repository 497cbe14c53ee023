"""Style sheets, scripts and pictures: read once, and cached by browsers for as long as their content is the same."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request  # noqa: TC002 - starlette looks at what handlers take
from starlette.responses import Response
from starlette.routing import Route

PREFIX = "/static/"
FOREVER, ASK = "public, max-age=31536000, immutable", "no-cache"
_DIGEST_CHARS = 16


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages use.

    Attributes:
        content: its bytes.
        media_type: what it is.
        digest: tells its content from another's.
    """

    content: bytes
    media_type: str
    digest: str


@cache
def assets() -> dict[str, Asset]:
    """Return all files of `static` by their names."""
    return {
        file.name: _asset(file.name, file.read_bytes())
        for file in files("panel.web").joinpath("static").iterdir()
        if file.is_file()
    }


def asset_url(name: str) -> str:
    """Return the address of a file, which changes with its content.

    Raises:
        KeyError: there is no such file.
    """
    return f"{PREFIX}{name}?v={assets()[name].digest}"


def _asset(name: str, content: bytes) -> Asset:
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Asset(content, media_type, hashlib.sha256(content).hexdigest()[:_DIGEST_CHARS])


async def _serve(request: Request) -> Response:
    found = assets().get(request.path_params["name"])
    if found is None:
        raise HTTPException(404)
    caching = FOREVER if request.query_params.get("v") == found.digest else ASK
    return Response(found.content, media_type=found.media_type, headers={"cache-control": caching})


route = Route(f"{PREFIX}{{name:path}}", _serve)
