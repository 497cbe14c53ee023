"""What the pages work with: made by the command that serves them, and handed to them with each request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from panel.core.draft_rules import Actor
    from panel.core.take import Seat
    from panel.report import ReportContext
    from panel.store import Checks, DraftView, Store


@dataclass(frozen=True, slots=True)
class Services:
    """What the pages work with.

    Attributes:
        store: drafts, people and runs.
        checks: what finds in a review what an editor should look at.
        rerun: asks one persona of a draft again and returns its seat, whose answer is kept before it returns; raises PanelError.
        context: what reports say beside the reviews.
        personas: names of the critics by their ids, in the order of the roster, for filters.
    """

    store: Store
    checks: Checks
    rerun: Callable[[DraftView, str], Awaitable[Seat]]
    context: ReportContext
    personas: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks for a page.

    Attributes:
        actor: their name and role.
        token: what each of their forms must send as `csrf`.
        leaves: whether they signed in, and so can sign out.
    """

    actor: Actor
    token: str
    leaves: bool = False


def services_of(request: Request) -> Services:
    """Return what a page works with."""
    services: Services = request.app.state.services
    return services


def visitor_of(request: Request) -> Visitor:
    """Return who asks for a page; the middleware has made sure that somebody does."""
    visitor: Visitor = request.state.visitor
    return visitor
