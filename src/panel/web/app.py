"""The web application of the approval queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers
from starlette.responses import Response  # noqa: TC002 - likewise
from starlette.routing import Route

from panel.web import actions, draft_page, history_page, queue_page, runs_page
from panel.web.auth import Accounts
from panel.web.errors import error_response
from panel.web.forms import MAX_DIGITS
from panel.web.login import SignIn
from panel.web.middleware import AccessControl, ErrorPages, SecurityHeaders
from panel.web.rendering import asset_route, render

if TYPE_CHECKING:
    from panel.web.auth import AccessPolicy
    from panel.web.services import Services


class _RowNumber(IntegerConvertor):
    regex = f"[0-9]{{1,{MAX_DIGITS}}}"


register_url_convertor("number", _RowNumber())


async def _help(request: Request) -> Response:
    return render(request, "help.html.j2")


ROUTES = (
    asset_route,
    Route("/", queue_page.show_queue, methods=["GET"]),
    Route("/drafts/{draft:number}", draft_page.show_draft, methods=["GET"]),
    Route("/drafts/{draft:number}/page", draft_page.show_preview, methods=["GET"]),
    Route("/drafts/{draft:number}/history", history_page.show_history, methods=["GET"]),
    Route("/drafts/{draft:number}/{action}", actions.act, methods=["POST"]),
    Route("/runs", runs_page.show_runs, methods=["GET"]),
    Route("/help", _help, methods=["GET"]),
)


def create_app(services: Services, access: AccessPolicy) -> Starlette:
    """Return the application of the approval queue."""
    sign_in = SignIn()
    has_accounts = isinstance(access.mode, Accounts)
    app = Starlette(
        routes=[*ROUTES, *(sign_in.routes() if has_accounts else [])],
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(ErrorPages),
            Middleware(AccessControl, access=access, store=services.store),
        ],
        # All other errors go on to `ErrorPages`.
        exception_handlers={HTTPException: error_response},
    )
    app.router.redirect_slashes = False
    app.state.services = services
    app.state.has_accounts = has_accounts
    app.state.sign_in = sign_in
    return app
