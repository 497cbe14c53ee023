"""Errors as pages: a plain sentence and a status, never a traceback."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from panel.approval import StaleDraft
from panel.core.text import one_line
from panel.errors import GateError, InputError, NotFound, PanelError, SettingsError, StorageError
from panel.web.forms import FormRejected
from panel.web.rendering import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

log = logging.getLogger("panel.web")

_STATUSES: Mapping[type[PanelError], int] = {
    GateError: 409,
    InputError: 400,
    SettingsError: 400,
    NotFound: 404,
    StorageError: 503,
    PanelError: 503,  # a model that could not be asked
}
_TITLES = {
    400: "That cannot be used",
    401: "Sign in first",
    403: "That is not allowed",
    404: "Page not found",
    405: "That is not possible here",
    409: "That was not done",
    413: "That is too long",
    415: "That cannot be read",
    429: "Too many attempts",
    503: "That did not work",
}
_UNAUTHORIZED = 401
_MESSAGES = {
    404: "The address may be mistyped, or the page may have moved. The queue lists every draft.",
    405: "This address does not accept forms. Go back to the queue and use the buttons there.",
}
_UNAVAILABLE = "The server cannot reach its data at the moment. Try again in a few minutes."
_STOPPED = "The server was stopped before this was done. When it runs again, check what was saved."
_BUG = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Something went wrong</title>
<h1>Something went wrong</h1>
<p>This is a bug in panel. What was saved before is safe. The terminal that runs
<code>panel serve</code> shows the error; please report it with those lines.</p>
<p><a href="/">Back to the queue</a></p>
</html>
"""


def status_of(error: PanelError) -> int:
    """Return the HTTP status of an error, by its nearest class."""
    return next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)


def error_page(
    request: Request,
    status: int,
    message: str,
    *,
    unsaved: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a page with the lines of a message, and with the text that the user wrote and that was not saved."""
    page = render(
        request,
        "error.html.j2",
        status=status,
        title=_TITLES.get(status, _TITLES[400]),
        lines=[sentence(line) for line in message.splitlines() if line],
        unsaved=unsaved,
        sign_in=status == _UNAUTHORIZED and request.app.state.has_accounts,
    )
    page.headers.update(headers or {})
    return page


async def error_response(request: Request, error: BaseException) -> Response:
    """Return the page of an error; a bug or a storage error is also logged."""
    match error:
        case CancelledError():
            return error_page(request, 503, _STOPPED)
        case HTTPException():
            message = _MESSAGES.get(error.status_code, error.detail)
            unsaved = error.unsaved if isinstance(error, FormRejected) else ""
            return error_page(request, error.status_code, message, unsaved=unsaved, headers=error.headers)
        case StaleDraft():
            return error_page(request, status_of(error), error.message, unsaved=error.written)
        case StorageError() if status_of(error) == _STATUSES[StorageError]:
            log.error("panel: %s: %s", _request_line(request), error)
            known = getattr(request.state, "user", None)
            return error_page(request, status_of(error), str(error) if known else _UNAVAILABLE)
        case PanelError():
            return error_page(request, status_of(error), str(error))
    log.error("panel: %s: this is a bug in panel; please report it", _request_line(request), exc_info=error)
    return HTMLResponse(_BUG, 500)


def sentence(line: str) -> str:
    """Return a line of an error message as a sentence; one that begins with a file name keeps its first letter."""
    first, _, _ = line.partition(" ")
    text = line[0].upper() + line[1:] if first.rstrip(",:;").isalpha() else line
    return text if text.endswith((".", ":", "!", "?", "…")) else f"{text}."


def _request_line(request: Request) -> str:
    # Without the query, which may hold what the user typed.
    return one_line(f"{request.method} {request.url.path}")
