"""The page of a draft: the listing, the takes with their findings, and the actions that the user may take."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers
from starlette.responses import HTMLResponse

from panel.approval import history_entries
from panel.approval.history import word_diff
from panel.approval.view import LISTING, PANEL
from panel.checks import Finding, Status
from panel.core.draft_state import Action, State
from panel.core.take import NoTake, NoTakeReason, Verdict
from panel.core.tool import PriceClass
from panel.core.urls import safe_href
from panel.report import Editorial, review_html
from panel.report.html import policy
from panel.web import wording
from panel.web.auth import current_user
from panel.web.highlight import Highlight, Piece, find_quote, highlight
from panel.web.notices import LIST, read_notice
from panel.web.queue_page import filters_of_list
from panel.web.rendering import render
from panel.web.services import services_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.responses import Response

    from panel.approval import DraftView, NumberedFinding
    from panel.approval.history import Piece as Change
    from panel.core.actor import Actor
    from panel.core.draft_edits import EditMark
    from panel.core.take import Seat
    from panel.core.tool import Tool

_CLOSED = frozenset({State.PUBLISHED, State.REJECTED, State.RETRACTED})
_LISTING_FIELDS = (
    ("tagline", "Tagline"),
    ("category", "Category"),
    ("pricing", "Pricing"),
    ("maker", "Maker"),
    ("license", "Licence"),
    ("best_for", "Best for"),
)


async def show_draft(request: Request) -> Response:
    """Show a draft, and reserve it for the user unless it is closed or reserved for another."""
    services, actor = services_of(request), current_user(request).actor
    view = await services.approval.view(request.path_params["draft"])
    if view.state not in _CLOSED:
        view = await services.approval.lock(view.id, actor)
    list_ = request.query_params.get(LIST, "")
    return render(
        request,
        "draft.html.j2",
        view=view,
        page=DraftPage(view, actor),
        review=view.shown.review,
        action=Action,
        verdicts=tuple(Verdict),
        price_classes=tuple(PriceClass),
        editing=request.query_params.get("edit", ""),
        safe_href=safe_href,
        wording=wording,
        notice=await read_notice(request),
        list=list_,
        back=filters_of_list(list_, services.personas).url(),
    )


async def show_preview(request: Request) -> Response:
    """Show the page as readers will see it, for a sandboxed frame."""
    services = services_of(request)
    view = await services.approval.view(request.path_params["draft"])
    approval = view.current.approval
    editorial = Editorial(
        marks=view.shown.marks,
        approved_by=approval.by if approval else None,
        approved_at=view.history[approval.place].at if approval else None,
    )
    headers = {"content-security-policy": f"{policy()}; frame-ancestors 'self'; sandbox"}
    return HTMLResponse(review_html(view.shown.review, services.report_context, editorial), headers=headers)


async def show_history(request: Request) -> Response:
    """Show all events of a draft, the latest first."""
    view = await services_of(request).approval.view(request.path_params["draft"])
    entries = reversed(history_entries(view))
    return render(request, "history.html.j2", view=view, entries=entries, wording=wording)


def anchor(found: NumberedFinding) -> str:
    """Return the id of a finding's element, which does not change with the finding's number."""
    return f"finding-{found.finding.id[:12]}"


class SeatSection(NamedTuple):
    """A seat as the page shows it.

    Attributes:
        text: the take, or the reason of a recusal.
        quotes: the evidence.
        in_listing: number of its claims that stand in the listing.
        sourced: number of its claims that a checked fact supports.
        marks: edits by field.
        changes: the text compared with the model's; None if it was not edited.
    """

    seat: Seat
    text: list[Piece]
    quotes: tuple[list[Piece], ...]
    findings: tuple[NumberedFinding, ...]
    in_listing: int
    sourced: int
    marks: dict[str, EditMark]
    changes: list[Change] | None

    @property
    def editable(self) -> bool:
        """Whether there is a text to edit: a take, or the reason of a recusal."""
        outcome = self.seat.outcome
        return not isinstance(outcome, NoTake) or outcome.reason is NoTakeReason.RECUSED

    @property
    def open(self) -> int:
        """Number of open findings."""
        return sum(found.resolution is None for found in self.findings)


@dataclass(frozen=True)
class DraftPage:
    """A draft as one user sees it."""

    view: DraftView
    actor: Actor

    anchor = staticmethod(anchor)

    @cached_property
    def actions(self) -> frozenset[Action]:
        """Actions that the user may take."""
        return self.view.allowed(self.actor)

    @property
    def reserved_for_other(self) -> bool:
        """Whether the draft is reserved for another user."""
        return not self.view.is_free_for(self.actor)

    @property
    def can_approve(self) -> bool:
        """Whether the user may approve the draft as it is."""
        return self.view.can_approve(self.actor)

    @property
    def refusal(self) -> str | None:
        """Reason why the user may not take the next step, as the end of a sentence about the draft."""
        return self.view.why_next_refused(self.actor)

    @property
    def by_number(self) -> dict[int, NumberedFinding]:
        """Map finding number to finding."""
        return {found.number: found for found in self.view.numbered}

    @property
    def listing_findings(self) -> tuple[NumberedFinding, ...]:
        """Findings in the listing."""
        return self.view.numbered_in(LISTING)

    @property
    def panel_findings(self) -> tuple[NumberedFinding, ...]:
        """Findings about the takes together."""
        return self.view.numbered_in(PANEL)

    @cached_property
    def listing(self) -> tuple[tuple[str, list[Piece]], ...]:
        """Label and text of each field of the listing beside its description."""
        tool = self.view.shown.review.tool
        fields = [(title, self.listing_text(name)) for name, title in _LISTING_FIELDS if getattr(tool, name)]
        aliases = (self.listing_text(f"aliases.{index}") for index in range(len(tool.aliases)))
        return (*fields, *(("Also called", alias) for alias in aliases))

    def listing_text(self, field: str) -> list[Piece]:
        """Return a text of the listing, with its findings and the quotes that takes make of it highlighted."""
        text = dict(_listing_texts(self.view.shown.review.tool)).get(field, "") or ""
        return highlight(text, [*self._highlights(None, field), *self._quotes_in(text)])

    def mark(self, field: str) -> EditMark | None:
        """Return the edit of a field of the tool, or None."""
        return self.view.shown.mark(None, field)

    @cached_property
    def seats(self) -> tuple[SeatSection, ...]:
        """The seats, in the order of the roster."""
        return tuple(map(self._seat, self.view.shown.review.seats))

    def _seat(self, seat: Seat) -> SeatSection:
        persona, outcome = seat.persona, seat.outcome
        field, text = ("detail", outcome.detail) if isinstance(outcome, NoTake) else ("take", outcome.take)
        quotes = () if isinstance(outcome, NoTake) else outcome.evidence
        marks = {mark.field: mark for mark in self.view.shown.marks if mark.persona == persona}
        statuses = [found.status for found in self.view.findings if found.where.persona == persona]
        return SeatSection(
            seat=seat,
            text=highlight(text, self._highlights(persona, field)),
            quotes=tuple(
                highlight(quote, self._highlights(persona, f"evidence.{index}"))
                for index, quote in enumerate(quotes)
            ),
            findings=self.view.numbered_in(persona),
            in_listing=statuses.count(Status.IN_LISTING),
            sourced=statuses.count(Status.SOURCED),
            marks=marks,
            changes=word_diff(str(marks[field].original.value), text) if field in marks else None,
        )

    def _highlights(self, persona: str | None, field: str) -> Iterator[Highlight]:
        numbered = {found.finding.id: found for found in self.view.numbered}
        for finding in self.view.findings:
            if finding.span and (finding.where.persona, finding.where.field) == (persona, field):
                yield _highlight(finding, numbered.get(finding.id), finding.span.start, finding.span.end)

    def _quotes_in(self, text: str) -> Iterator[Highlight]:
        for seat in self.view.shown.review.seats:
            for quote in seat.take.evidence if seat.take else ():
                yield from find_quote(text, quote, f"Quoted by {seat.name}")


def _highlight(finding: Finding, found: NumberedFinding | None, start: int, end: int) -> Highlight:
    if found is None:
        return Highlight(start, end, finding.status.value, finding.note)
    tone = "resolved" if found.resolution else finding.status.value
    return Highlight(start, end, tone, f"{found.label}: {found.status}", found.number)


def _listing_texts(tool: Tool) -> Iterator[tuple[str, str | None]]:
    for field in ("name", "description", *(name for name, _ in _LISTING_FIELDS)):
        yield field, getattr(tool, field)
    for index, alias in enumerate(tool.aliases):
        yield f"aliases.{index}", alias
    for index, fact in enumerate(tool.facts):
        yield f"facts.{index}.claim", fact.claim
