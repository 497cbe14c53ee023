"""Errors as pages: a plain sentence and a status, never a traceback."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response

from panel.approval import StaleDraft
from panel.core.text import one_line
from panel.errors import GateError, InputError, NotFound, PanelError, SettingsError, StorageError
from panel.web.rendering import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("panel.web")

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


class FormRejected(HTTPException):
    """A form without a valid token, and the sentences that the user wrote in it, to be given back to them."""

    def __init__(self, unsaved: str) -> None:
        super().__init__(
            403,
            "This page was opened too long ago, or by another user. Open it again and send the form from there.",
        )
        self.unsaved = unsaved


def error_pages(app: ASGIApp) -> ASGIApp:
    """Return middleware that answers with a page when the application raises before its response has started."""

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await app(scope, receive, send_and_note)
        except ClientDisconnect:
            return
        except (Exception, CancelledError) as error:
            # A request is cancelled only if the server ends before it is answered.
            if started:
                raise
            page = await error_response(Request(scope), error)
            await page(scope, receive, send)

    return respond


async def error_response(request: Request, error: BaseException) -> Response:
    """Return the page of an error; a bug or a storage error is also logged."""
    # Without the query, which may hold what the user typed.
    address = one_line(f"{request.method} {request.scope['path']}")
    match error:
        case CancelledError():
            return error_page(request, 503, _STOPPED)
        case HTTPException(status_code=status):
            unsaved = error.unsaved if isinstance(error, FormRejected) else ""
            message = _MESSAGES.get(status, error.detail)
            return error_page(request, status, message, unsaved=unsaved, headers=error.headers)
        case StaleDraft():
            return error_page(request, status_of(error), error.message, unsaved=error.written)
        case PanelError():
            message = str(error)
            if isinstance(error, StorageError) and not isinstance(error, NotFound):
                log.error("panel: %s: %s", address, error)
                message = message if getattr(request.state, "user", None) else _UNAVAILABLE
            return error_page(request, status_of(error), message)
    log.error("panel: %s: this is a bug in panel; please report it", address, exc_info=error)
    return HTMLResponse(_BUG, 500)


def status_of(error: PanelError) -> int:
    """Return the HTTP status of an error."""
    match error:
        case NotFound():
            return 404
        case GateError():
            return 409
        case InputError() | SettingsError():
            return 400
    return 503  # the store, or a model that could not be asked


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
        lines=sentences(message),
        unsaved=unsaved,
        sign_in=status == HTTPStatus.UNAUTHORIZED and request.app.state.has_accounts,
    )
    page.headers.update(headers or {})
    return page


def sentences(message: str) -> list[str]:
    """Return the lines of an error message as sentences; a line that begins with a file name keeps its first letter."""
    return [_sentence(line) for line in message.splitlines() if line]


def _sentence(line: str) -> str:
    first, _, _ = line.partition(" ")
    text = line[0].upper() + line[1:] if first.rstrip(",:;").isalpha() else line
    return text if text.endswith((".", ":", "!", "?", "…")) else f"{text}."
