"""Forms that readers send, and the pages that answer them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from panel.web.rendering import asset_url

if TYPE_CHECKING:
    from starlette.requests import Request

FORM_TYPE = "application/x-www-form-urlencoded"
MAX_FORM_BYTES, MAX_FORM_FIELDS = 4_096, 10
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


class Button(NamedTuple):
    """A button that sends a form with at most one field to an address."""

    label: str
    action: str
    name: str = ""
    value: str = ""


class Link(NamedTuple):
    """A link."""

    href: str
    label: str


async def read_form(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form.

    Raises:
        HTTPException: 415 for another content type, 413 for a long form, 400 for one with many fields.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise HTTPException(415, "Use the form on the page.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise HTTPException(413, "The form is too long.")
    try:
        return parse_qs(body.decode("utf-8", "replace"), max_num_fields=MAX_FORM_FIELDS)
    except ValueError as error:
        raise HTTPException(400, "Use the form on the page.") from error


def wants_json(request: Request) -> bool:
    """Return whether the site's script sent a request."""
    return "application/json" in request.headers.get("accept", "")


def message_page(
    title: str, text: str, back: Link, *, status: int = 200, button: Button | None = None
) -> Response:
    """Return a page with a message to a reader, which nobody caches."""
    content = (
        _environment()
        .get_template("reader.html.j2")
        .render(title=title, text=text, back=back, asset=asset_url, button=button)
    )
    headers = {
        "content-security-policy": POLICY,
        "cache-control": "no-store",
        # Without a referrer browsers send no origin, and the button's request would be refused as another site's.
        "referrer-policy": "same-origin",
    }
    return HTMLResponse(content, status, headers)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("panel", "web/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
