"""The web application of the approval queue."""

from __future__ import annotations

import hashlib
import hmac
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from starlette.applications import Starlette
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers
from starlette.responses import Response  # noqa: TC002 - likewise
from starlette.routing import Route

from panel.approval import ApprovalService
from panel.orchestrator.run import RunService
from panel.orchestrator.setup import available_personas, report_context, review_checks
from panel.prompts.files import seat_roster
from panel.settings.secret import read_secret
from panel.web import actions, draft_page, queue_page, runs_page
from panel.web.auth import AccessPolicy, Accounts, access_control
from panel.web.errors import error_pages, error_response
from panel.web.login import LOGIN_ROUTES
from panel.web.passwords import PasswordChecker
from panel.web.rendering import asset_route, render
from panel.web.requests import MAX_DIGITS, Services
from panel.web.security import RateLimiter, security_headers

if TYPE_CHECKING:
    from panel.settings.resolve import Resolved
    from panel.store import Store
    from panel.web.auth import SingleUser, TrustedProxy

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_FORM_TOKENS = b"forms of the web pages"
"""Purpose of the key that is derived from the user's secret."""


class _RowNumber(IntegerConvertor):
    regex = f"[0-9]{{1,{MAX_DIGITS}}}"


register_url_convertor("number", _RowNumber())


async def _show_help(request: Request) -> Response:
    return render(request, "help.html.j2")


ROUTES = (
    asset_route,
    Route("/", queue_page.show_queue, methods=["GET"]),
    Route("/drafts/{draft:number}", draft_page.show_draft, methods=["GET"]),
    Route("/drafts/{draft:number}/page", draft_page.show_preview, methods=["GET"]),
    Route("/drafts/{draft:number}/history", draft_page.show_history, methods=["GET"]),
    Route("/drafts/{draft:number}/{action}", actions.act, methods=["POST"]),
    Route("/runs", runs_page.show_runs, methods=["GET"]),
    Route("/help", _show_help, methods=["GET"]),
)


def configured_app(
    resolved: Resolved, store: Store, mode: SingleUser | Accounts | TrustedProxy, hosts: frozenset[str]
) -> Starlette:
    """Return the application of the approval queue with the checks, personas and models of the settings."""
    personas = available_personas(resolved)
    roster = seat_roster(personas, [entry.partition("=")[0].strip() for entry in resolved.settings.roster])
    services = Services(
        ApprovalService(store, review_checks(personas), partial(RunService(store).rerun, resolved)),
        report_context(personas.values()),
        {persona.id: persona.name for persona in (*roster, *personas.values())},
    )
    key = hmac.new(read_secret(resolved.data_dir), _FORM_TOKENS, hashlib.sha256).digest()
    return create_app(services, AccessPolicy(mode, hosts, key))


def create_app(services: Services, access: AccessPolicy) -> Starlette:
    """Return the application of the approval queue."""
    has_accounts = isinstance(access.mode, Accounts)
    app = Starlette(
        routes=[*ROUTES, *(LOGIN_ROUTES if has_accounts else ())],
        middleware=[
            Middleware(security_headers, headers=HEADERS),
            Middleware(error_pages),
            Middleware(access_control, access=access, store=services.store),
        ],
        # All other errors go on to `error_pages`.
        exception_handlers={HTTPException: error_response},
    )
    app.router.redirect_slashes = False
    app.state.services = services
    app.state.has_accounts = has_accounts
    app.state.passwords = PasswordChecker()
    app.state.sign_in_attempts = RateLimiter()
    app.state.action_locks = WeakValueDictionary()
    return app
