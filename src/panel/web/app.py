"""The application: what is served, behind what every request passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from panel.web import assets, login
from panel.web.access import Accounts
from panel.web.middleware import Explained, Guarded, Hardened
from panel.web.refusals import explained
from panel.web.routes import routes

if TYPE_CHECKING:
    from panel.web.access import Access
    from panel.web.services import Services


def create_app(services: Services, access: Access) -> Starlette:
    """Return the application.

    Args:
        services: what its pages work with.
        access: who may come in.
    """
    doors = login.routes() if isinstance(access.way, Accounts) else []
    app = Starlette(
        routes=[assets.route, *doors, *routes()],
        middleware=[
            Middleware(Hardened),
            Middleware(Explained),
            Middleware(Guarded, access=access, store=services.store),
        ],
        # Whatever else is raised goes on to `Explained`.
        exception_handlers={HTTPException: explained},
    )
    app.router.redirect_slashes = False
    app.state.services = services
    app.state.signs_in = bool(doors)
    app.state.desk = login.Desk()
    return app
