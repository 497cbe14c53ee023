"""Templates, the times that they show, and the static files that pages load."""

from __future__ import annotations

import hashlib
import mimetypes
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from panel.core.addresses import safe_href
from panel.core.text import counted, dollars

STATIC = "/static/"
CACHE_FOREVER, REVALIDATE = "public, max-age=31536000, immutable", "no-cache"
_DIGEST_CHARS = 16
_UNITS = ((86_400, "day", "d"), (3_600, "hour", "h"), (60, "minute", "min"))


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    **values: Any,  # noqa: ANN401 - template values
) -> HTMLResponse:
    """Return a page; templates also get `request` and `user`, which is None before sign-in."""
    user = getattr(request.state, "user", None)
    text = environment().get_template(template).render(request=request, user=user, **values)
    return HTMLResponse(text, status)


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
    environment.filters.update(
        age=age, ago=ago, counted=counted, dollars=dollars, moment=_moment, safe_href=safe_href
    )
    return environment


def age(since: datetime, now: datetime | None = None) -> str:
    """Return the time since a moment in its largest unit: `3 h`."""
    number, _, unit = _largest_unit(since, now)
    return f"{number} {unit}" if number else "< 1 min"


def ago(since: datetime, now: datetime | None = None) -> str:
    """Return the time since a moment in words: `3 hours ago`."""
    number, word, _ = _largest_unit(since, now)
    return f"{counted(number, word)} ago" if number else "just now"


def _largest_unit(since: datetime, now: datetime | None) -> tuple[int, str, str]:
    seconds = ((now or datetime.now(UTC)) - since).total_seconds()
    found = ((int(seconds // size), word, unit) for size, word, unit in _UNITS if seconds >= size)
    return next(found, (0, "", ""))


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


class Asset(NamedTuple):
    """A static file, and the digest of its content."""

    content: bytes
    media_type: str
    digest: str


@cache
def assets() -> dict[str, Asset]:
    """Return all static files by name."""
    found = {}
    for file in files("panel.web").joinpath("static").iterdir():
        content, media_type = file.read_bytes(), mimetypes.guess_type(file.name)[0]
        digest = hashlib.sha256(content).hexdigest()[:_DIGEST_CHARS]
        found[file.name] = Asset(content, media_type or "application/octet-stream", digest)
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
