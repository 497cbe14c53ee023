"""Pages that the public server makes itself: what became of what a reader asked for."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from panel.web.rendering import asset_url

POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


class Button(NamedTuple):
    """A button that does something.

    Attributes:
        label: what stands on it.
        action: where its form is sent.
        name: of a field that is sent along; empty for none.
        value: of that field.
    """

    label: str
    action: str
    name: str = ""
    value: str = ""


class Back(NamedTuple):
    """A link to where a reader came from."""

    href: str
    label: str


def reader_page(
    title: str, line: str, back: Back, *, status: int = 200, button: Button | None = None
) -> Response:
    """Return a page with a line for a reader, which nobody keeps."""
    text = (
        _environment()
        .get_template("reader.html.j2")
        .render(title=title, line=line, back=back, asset=asset_url, button=button)
    )
    headers = {
        "content-security-policy": POLICY,
        "cache-control": "no-store",
        # Without any referrer browsers name no origin either, and the button would be taken for another site's.
        "referrer-policy": "same-origin",
    }
    return HTMLResponse(text, status, headers)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("panel", "web/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
