"""The services that the pages use, reached through the request."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from panel.approval import ApprovalService

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from panel.core.take import Seat
    from panel.report import ReportContext
    from panel.store import Checks, DraftRecord, Store


@dataclass(frozen=True)
class Services:
    """The services that the pages use.

    Attributes:
        store: drafts, users and runs.
        checks: finds what an editor must look at in a review.
        ask_again: asks one persona of a draft again and returns the new seat, which is stored by then; raises PanelError.
        report_context: what a report shows beside the review.
        personas: names of the critics by id, in the order of the roster.
    """

    store: Store
    checks: Checks
    ask_again: Callable[[DraftRecord, str], Awaitable[Seat]]
    report_context: ReportContext
    personas: Mapping[str, str]

    @cached_property
    def approval(self) -> ApprovalService:
        """Reads and changes drafts."""
        return ApprovalService(self.store, self.checks, self.ask_again)


def services_of(request: Request) -> Services:
    """Return the services of the application that handles a request."""
    services: Services = request.app.state.services
    return services
