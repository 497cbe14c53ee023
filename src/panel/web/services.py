"""The services that the pages use, reached through the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from panel.approval import ApprovalService
    from panel.report import ReportContext
    from panel.store import Store


@dataclass(frozen=True, slots=True)
class Services:
    """The services that the pages use.

    Attributes:
        report_context: what a report shows beside the review.
        personas: names of the critics by id, in the order of the roster.
    """

    approval: ApprovalService
    report_context: ReportContext
    personas: Mapping[str, str]

    @property
    def store(self) -> Store:
        """Users, runs and lists of drafts."""
        return self.approval.store


def services_of(request: Request) -> Services:
    """Return the services of the application that handles a request."""
    services: Services = request.app.state.services
    return services
