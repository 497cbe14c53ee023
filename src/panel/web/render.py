"""Templates to responses."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from panel.web.assets import asset_url

if TYPE_CHECKING:
    from starlette.requests import Request


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 - what templates show
    """Return a page.

    Args:
        request: what is answered; templates know it as `request`, and who asks as `visitor`, None before they signed in.
        template: its file in `templates`.
        status: HTTP status.
        values: what it shows.
    """
    visitor = getattr(request.state, "visitor", None)
    text = environment().get_template(template).render(request=request, visitor=visitor, **values)
    return HTMLResponse(text, status_code=status)


@cache
def environment() -> Environment:
    """Return the environment of all pages: every value is escaped, and a name that is missing is an error.

    `asset(NAME)` is the address of a file of `static`.
    """
    made = Environment(
        loader=PackageLoader("panel", "web/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset"] = asset_url
    return made
