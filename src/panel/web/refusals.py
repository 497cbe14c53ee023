"""Errors as pages: in plain words, with the status that programs go by, and never with a traceback."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from panel.core.text import one_line
from panel.errors import GateError, InputError, NotFound, PanelError, SettingsError, StorageError
from panel.store import StaleDraft
from panel.web.forms import NotTaken
from panel.web.render import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

log = logging.getLogger("panel.web")

STATUSES: Mapping[type[PanelError], int] = {
    GateError: 409,
    InputError: 400,
    SettingsError: 400,
    NotFound: 404,
    StorageError: 503,
    PanelError: 503,
}
"""By the nearest class of an error; one that is not named here comes from a model that could not be asked."""

TITLES = {
    400: "That cannot be used",
    401: "Sign in first",
    403: "That is not allowed",
    404: "There is nothing here",
    405: "That is not possible here",
    409: "That was not done",
    413: "That is too long",
    415: "That cannot be read",
    429: "Too many attempts",
    503: "That did not work",
}
SIGNED_OUT = 401
_WORDS = {
    404: "The address may be mistyped, or the page may have moved. The queue lists every draft.",
    405: "This address is not one to send that to. Go back to the queue, and use the page's own buttons.",
}
_UNAVAILABLE = "The server cannot reach its data at the moment. Try again in a few minutes."
_ENDED = "The server was ended before this was done. Once it runs again, look at what was saved."
_BUG = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Something went wrong</title>
<h1>Something went wrong</h1>
<p>This is a bug in panel. Nothing was lost: what was saved before is saved. The terminal that runs
<code>panel serve</code> shows what happened; please report it with those lines.</p>
<p><a href="/">Back to the queue</a></p>
</html>
"""


def refused(
    request: Request, status: int, message: str, *, lost: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    """Return a page that says why something was not done.

    Args:
        request: what is answered.
        status: HTTP status.
        message: why, and what to do.
        lost: what somebody wrote and should get back.
        headers: what else the response carries.
    """
    title = TITLES.get(status, TITLES[400])
    lines = [_sentence(line) for line in message.splitlines() if line]
    signs_in = status == SIGNED_OUT and request.app.state.signs_in
    values = {"title": title, "lines": lines, "lost": lost, "signs_in": signs_in}
    page = render(request, "refused.html.j2", status=status, **values)
    page.headers.update(headers or {})
    return page


async def explained(request: Request, error: BaseException) -> Response:
    """Return the page of an error; bugs and failures of the store also get a line on stderr."""
    if isinstance(error, CancelledError):
        return refused(request, 503, _ENDED)
    if isinstance(error, HTTPException):
        words = _WORDS.get(error.status_code, error.detail)
        lost = error.lost if isinstance(error, NotTaken) else ""
        return refused(request, error.status_code, words, lost=lost, headers=error.headers)
    if isinstance(error, PanelError):
        return _refusal(request, error)
    log.error("panel: %s: this is a bug in panel; please report it", _asked(request), exc_info=error)
    return HTMLResponse(_BUG, 500)


def _refusal(request: Request, error: PanelError) -> Response:
    status = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    if isinstance(error, StaleDraft):
        # Its last lines repeat what was written, for terminals.
        return refused(request, status, str(error).partition("\n")[0], lost=error.lost)
    if isinstance(error, StorageError) and status == STATUSES[StorageError]:
        log.error("panel: %s: %s", _asked(request), error)
        known = getattr(request.state, "visitor", None)
        return refused(request, status, str(error) if known else _UNAVAILABLE)
    return refused(request, status, str(error))


def _sentence(line: str) -> str:
    """Return a line, as terminals show it after a prefix, as a sentence; a name of a file stays as it is."""
    first, _, _ = line.partition(" ")
    begun = line[0].upper() + line[1:] if first.rstrip(",:;").isalpha() else line
    return begun if begun.endswith((".", "!", "?")) else f"{begun}."


def _asked(request: Request) -> str:
    # Without the query, which may hold what somebody typed.
    return one_line(f"{request.method} {request.url.path}")
