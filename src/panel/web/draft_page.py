"""The page of a draft: the listing, the takes with their findings, and the actions that the user may take."""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers
from starlette.responses import HTMLResponse

from panel.approval import history_entries
from panel.approval.history import word_diff
from panel.approval.view import LISTING, PANEL
from panel.checks.matching import plain
from panel.core.draft_state import Action, State
from panel.core.text import split_at_spans
from panel.core.tool import PriceClass
from panel.report import Editorial, html_report
from panel.report.html import policy
from panel.web.queue_page import LIST, filters_of_list, read_notice
from panel.web.rendering import render
from panel.web.requests import current_user, services_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from starlette.responses import Response

    from panel.approval import DraftView, NumberedFinding

TONES = ("in_listing", "sourced", "quoted", "resolved", "flagged", "unsupported")
"""CSS classes of highlights; where several overlap, the last of these wins."""
_CLOSED = frozenset({State.PUBLISHED, State.REJECTED, State.RETRACTED})
# Marks that may stand between two words of a quote.
_BETWEEN = r"[\s*_`~]*"
_TOKENS = re.compile(r"[^\W_]+|[^\w\s*`~]")
_ELLIPSIS = re.compile(r"\u2026|\.{3,}")
_MIN_CHARS = 3


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
        review=view.shown.review,
        action=Action,
        actions=view.allowed(actor),
        highlights=partial(_highlights, view),
        claims=Counter((found.where.persona, found.status.value) for found in view.findings),
        word_diff=word_diff,
        listing_findings=view.numbered_in(LISTING),
        panel_findings=view.numbered_in(PANEL),
        by_number={found.number: found for found in view.numbered},
        anchor=anchor,
        price_classes=tuple(PriceClass),
        editing=request.query_params.get("edit", ""),
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
    return HTMLResponse(
        html_report(view.shown.review, services.report_context, (editorial,)), headers=headers
    )


async def show_history(request: Request) -> Response:
    """Show all events of a draft, the latest first."""
    view = await services_of(request).approval.view(request.path_params["draft"])
    return render(request, "history.html.j2", view=view, entries=reversed(history_entries(view)))


def anchor(found: NumberedFinding) -> str:
    """Return the id of a finding's element, which does not change with the finding's number."""
    return f"finding-{found.finding.id[:12]}"


class Highlight(NamedTuple):
    """A highlighted span of a text: one of `TONES`, a tooltip, and the number of a finding that the page lists."""

    start: int
    end: int
    tone: str
    title: str
    number: int | None = None


class Piece(NamedTuple):
    """A piece of a text with one highlight or none; `ends` numbers the findings whose span ends with it."""

    text: str
    tone: str = ""
    title: str = ""
    ends: tuple[int, ...] = ()


def _highlights(view: DraftView, persona: str | None, field: str, text: str) -> list[Piece]:
    """Divide a text of a seat, or of the listing, by its findings and by the quotes that takes make of the listing."""
    numbered = {found.finding.id: found for found in view.numbered}
    spans = []
    for finding in view.findings:
        if finding.span and (finding.where.persona, finding.where.field) == (persona, field):
            tone, title, number = finding.status.value, finding.note, None
            if found := numbered.get(finding.id):
                tone = "resolved" if found.resolution else tone
                title, number = f"{found.label}: {found.status}", found.number
            spans.append(Highlight(finding.span.start, finding.span.end, tone, title, number))
    for seat in view.shown.review.seats if persona is None else ():
        for quote in seat.take.evidence if seat.take else ():
            spans += find_quote(text, quote, f"Quoted by {seat.name}")
    return highlight(text, spans)


def highlight(text: str, highlights: Iterable[Highlight]) -> list[Piece]:
    """Divide a text into pieces; highlights that do not lie within the text are left out."""
    inside = [each for each in highlights if 0 <= each.start < each.end <= len(text)]
    spans = {index: (each.start, each.end) for index, each in enumerate(inside)}
    pieces = []
    for part, _, end, keys in split_at_spans(text, spans):
        covering = [inside[key] for key in keys]
        tone = max((each.tone for each in covering), key=TONES.index, default="")
        title = "; ".join(dict.fromkeys(each.title for each in covering))
        ends = tuple(each.number for each in covering if each.number is not None and each.end == end)
        pieces.append(Piece(part, tone, title, ends))
    return pieces


def find_quote(text: str, quote: str, title: str) -> Iterator[Highlight]:
    """Yield the place of a quote in a text, ignoring case, white space and typography; each part of one with an ellipsis.

    This is for display only: the checks decide whether the quote is true to the text.
    """
    position, simple = 0, plain(text)
    for part in _ELLIPSIS.split(plain(quote)):
        tokens = _TOKENS.findall(part)
        if sum(map(len, tokens)) < _MIN_CHARS:
            continue
        found = re.compile(_BETWEEN.join(map(re.escape, tokens)), re.IGNORECASE).search(simple, position)
        if found is None:
            return
        yield Highlight(found.start(), found.end(), "quoted", title)
        position = found.end()
