"""Templates, and the static files that pages load."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

STATIC = "/static/"
CACHE_FOREVER, REVALIDATE = "public, max-age=31536000, immutable", "no-cache"
_DIGEST_CHARS = 16


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 - template values
    """Return a page; templates also get `request` and `user`, which is None before sign-in."""
    user = getattr(request.state, "user", None)
    text = environment().get_template(template).render(request=request, user=user, **values)
    return HTMLResponse(text, status_code=status)


@cache
def environment() -> Environment:
    """Return the template environment: values are escaped, and an undefined name is an error."""
    environment = Environment(
        loader=PackageLoader("panel", "web/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = asset_url
    return environment


@dataclass(frozen=True, slots=True)
class Asset:
    """A static file, and the digest of its content."""

    content: bytes
    media_type: str
    digest: str


@cache
def assets() -> dict[str, Asset]:
    """Return all static files by name."""
    found = {}
    for file in files("panel.web").joinpath("static").iterdir():
        if file.is_file():
            content = file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:_DIGEST_CHARS]
            media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            found[file.name] = Asset(content, media_type, digest)
    return found


def asset_url(name: str) -> str:
    """Return the URL of a static file, which changes with its content; KeyError if there is none."""
    return f"{STATIC}{name}?v={assets()[name].digest}"


async def _serve_asset(request: Request) -> Response:
    asset = assets().get(request.path_params["name"])
    if asset is None:
        raise HTTPException(404)
    caching = CACHE_FOREVER if request.query_params.get("v") == asset.digest else REVALIDATE
    return Response(asset.content, media_type=asset.media_type, headers={"cache-control": caching})


asset_route = Route(f"{STATIC}{{name:path}}", _serve_asset)
