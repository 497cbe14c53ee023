"""The page of a draft, the page that readers will see, and what happened to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request  # noqa: TC002 - starlette looks at what handlers take
from starlette.responses import HTMLResponse

from panel.core.draft_rules import Action, State
from panel.core.take import Verdict
from panel.core.tool import PriceClass
from panel.report import Editorial, review_html
from panel.report.html import policy
from panel.report.page import safe_href
from panel.web import wording
from panel.web.draft_page import Sheet
from panel.web.filters import filters_of
from panel.web.history import happenings
from panel.web.notes import LIST, note_of
from panel.web.render import render
from panel.web.services import services_of, visitor_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from panel.store import DraftView

_SETTLED = frozenset({State.PUBLISHED, State.REJECTED, State.RETRACTED})


async def draft(request: Request) -> Response:
    """Answer with a draft's page; who opens it has it for ten minutes, unless somebody else has."""
    services, actor = services_of(request), visitor_of(request).actor
    number = request.path_params["draft"]
    view = await services.store.approval.view(number, services.checks)
    if view.standing.state not in _SETTLED:
        claim = await services.store.locks.claim(number, actor)
        view = view.model_copy(update={"claim": claim})
    return render(
        request,
        "draft.html.j2",
        view=view,
        sheet=Sheet(view, actor),
        review=view.shown.review,
        action=Action,
        verdicts=tuple(Verdict),
        price_classes=tuple(PriceClass),
        editing=request.query_params.get("edit", ""),
        safe_href=safe_href,
        wording=wording,
        note=await note_of(request),
        list=request.query_params.get(LIST, ""),
        back=filters_of(request.query_params.get(LIST, ""), services.personas).url(),
    )


async def page(request: Request) -> Response:
    """Answer with the page as readers will see it, for a frame of the draft's page that can do nothing."""
    services = services_of(request)
    view = await services.store.approval.view(request.path_params["draft"], services.checks)
    text = review_html(view.shown.review, services.context, _editorial(view))
    headers = {"content-security-policy": f"{policy()}; frame-ancestors 'self'; sandbox"}
    return HTMLResponse(text, headers=headers)


async def history(request: Request) -> Response:
    """Answer with all that happened to a draft, the latest first."""
    services = services_of(request)
    view = await services.store.approval.view(request.path_params["draft"], services.checks)
    told = tuple(reversed(happenings(view)))
    return render(request, "history.html.j2", view=view, happenings=told, wording=wording)


def _editorial(view: DraftView) -> Editorial:
    """Return what readers are told beside the review: no findings, which are for editors."""
    approval = view.standing.approval
    return Editorial(
        marks=view.shown.marks,
        approved_by=approval.by if approval else None,
        approved_at=view.history[approval.place].at if approval else None,
    )
