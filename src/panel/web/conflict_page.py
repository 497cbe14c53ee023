"""The page of an action that was not carried out: the reason, the user's text, and a form to try again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panel.approval import StaleDraft, history_entries
from panel.approval.history import field_diff, field_name
from panel.core.draft_state import Action
from panel.core.text import prose
from panel.core.tool import PriceClass
from panel.web import wording
from panel.web.auth import current_user
from panel.web.draft_forms import FACT_FIELDS, SEAT_FIELDS
from panel.web.draft_page import DraftPage
from panel.web.errors import sentence, status_of
from panel.web.notices import LIST
from panel.web.rendering import render

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from panel.approval import DraftView
    from panel.approval.history import Piece
    from panel.core.review import PanelReview
    from panel.errors import PanelError
    from panel.web.forms import Form


class Unsaved(NamedTuple):
    """A field that the user changed, its present value, and the changes between the two."""

    label: str
    text: str
    now: str
    changes: list[Piece]


async def conflict_page(
    request: Request, view: DraftView, action: Action, form: Form, error: PanelError
) -> Response:
    """Return the page of an action that failed; `view` is the draft as it is now."""
    stale = isinstance(error, StaleDraft)
    message = error.message if isinstance(error, StaleDraft) else str(error)
    shown, before = view.shown.review, view.review_at(form.text("seen"))
    unsaved = _unsaved(form, shown, before)
    facts = zip(*map(form.texts, FACT_FIELDS), strict=False)
    return render(
        request,
        "conflict.html.j2",
        status=status_of(error),
        view=view,
        page=DraftPage(view, current_user(request).actor),
        action=action,
        problems=[sentence(line) for line in message.splitlines() if line],
        stale=stale,
        since=history_entries(view, since=form.text("seen")) if stale else (),
        seat=shown.seat_of(form.text("persona")),
        unsaved=[
            Unsaved(field_name(name), text, now, field_diff(name, now, text))
            for name, (text, now) in unsaved.items()
        ],
        values={**_values(shown, form), **{name: text for name, (text, _) in unsaved.items()}},
        evidence=_evidence(form, shown, before),
        facts=[dict(zip(FACT_FIELDS, row, strict=True)) for row in facts if any(row)],
        has_text=action is Action.EDIT or any(form.text(name).strip() for name in ("source", "reason")),
        form=form,
        list=form.text(LIST),
        price_classes=tuple(PriceClass),
        wording=wording,
    )


def _unsaved(form: Form, shown: PanelReview, before: PanelReview | None) -> dict[str, tuple[str, str]]:
    """Return the user's text and the present value of each field that they changed from what they were shown."""
    now, then = _values(shown, form), _values(before, form) if before else {}
    sent = {name: form.text(name).replace("\r\n", "\n") for name in SEAT_FIELDS if form.has(name)}
    return {
        name: (text, now.get(name, ""))
        for name, text in sent.items()
        if name not in then or prose(text) != prose(then[name])
    }


def _values(review: PanelReview, form: Form) -> dict[str, str]:
    seat = review.seat_of(form.text("persona"))
    outcome = seat.outcome if seat else None
    return {name: str(getattr(outcome, name)) for name in SEAT_FIELDS if hasattr(outcome, name)}


def _evidence(form: Form, shown: PanelReview, before: PanelReview | None) -> list[str]:
    """Return the user's quotes, or the present ones if the user changed none."""
    sent = [prose(quote) for quote in form.texts("evidence") if quote.strip()]
    now, then = (_quotes(review, form) for review in (shown, before))
    return now if sent == [prose(quote) for quote in then] else sent


def _quotes(review: PanelReview | None, form: Form) -> list[str]:
    seat = review.seat_of(form.text("persona")) if review else None
    return list(seat.take.evidence) if seat and seat.take else []
