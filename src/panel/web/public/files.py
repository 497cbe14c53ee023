"""A built site as any static host serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.responses import Response
    from starlette.types import Scope

FOREVER = "public, max-age=31536000, immutable"
ASKED_AGAIN = "no-cache"
ASSETS = "assets/"


class SiteFiles(StaticFiles):
    """Serves a built site; a build may put another one in its place meanwhile.

    Args:
        folder: the site.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True, check_dir=False)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, the way to the folder's own page, or the site's page that says there is none."""
        hidden = any(part.startswith(".") and part != "." for part in path.split("/"))
        try:
            response = await super().get_response(f"{path}/-" if hidden else path, scope)
        except (OSError, ValueError) as error:  # a name that no disk takes
            raise HTTPException(404) from error
        if isinstance(response, RedirectResponse):
            response.status_code = 308  # the address of a folder ends in a slash for good
            # Not the whole address, whose scheme only a proxy in front would know.
            response.headers["location"] = quote(f"/{path}/")
        lasting = path.startswith(ASSETS) and response.status_code in {200, 304}
        response.headers["cache-control"] = FOREVER if lasting else ASKED_AGAIN
        return response
