"""What was not done: why, what somebody wrote, what is there by now, and the form to try again with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panel.core.draft_rules import Action
from panel.core.draft_state import fold
from panel.core.edits import edited
from panel.core.text import prose
from panel.core.tool import PriceClass
from panel.errors import GateError, InputError
from panel.store import StaleDraft
from panel.web import wording
from panel.web.draft_page import Sheet
from panel.web.history import diff_of, happenings
from panel.web.notes import LIST
from panel.web.render import render
from panel.web.services import visitor_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from panel.core.review import PanelReview
    from panel.core.word_diff import Piece
    from panel.errors import PanelError
    from panel.store import DraftView
    from panel.web.fields import Sent

_TEXTS = ("take", "detail", "score", "verdict")
_FACT = ("claim", "source", "checked_on")
_INPUT, _GATE, _DOWN = 400, 409, 503


class Mine(NamedTuple):
    """Something that somebody wrote, and what is there by now.

    Attributes:
        field: what it is of.
        text: what they wrote.
        now: what is there.
        changes: from what is there to what they wrote.
    """

    field: str
    text: str
    now: str
    changes: list[Piece]

    @property
    def label(self) -> str:
        """What it is called on pages."""
        return "Reason" if self.field == "detail" else self.field.capitalize()


async def kept_page(
    request: Request, view: DraftView, action: Action, sent: Sent, error: PanelError
) -> Response:
    """Return the page of something that was not done.

    Args:
        request: what is answered.
        view: the draft as it is now.
        action: what somebody wanted to do.
        sent: what their form holds.
        error: why it was not done.
    """
    shown = view.shown.review
    before = _shown_at(view, sent.text("seen"))
    mine = _mine(sent, shown, before)
    return render(
        request,
        "kept.html.j2",
        status=_status(error),
        view=view,
        sheet=Sheet(view, visitor_of(request).actor),
        action=action,
        why=str(error).partition("\nWhat you wrote:")[0],
        stale=isinstance(error, StaleDraft),
        since=happenings(view, after=sent.text("seen")) if isinstance(error, StaleDraft) else (),
        seat=shown.seat_of(sent.text("persona")),
        mine=mine,
        said=_said(sent, shown, mine),
        evidence=_evidence(sent, shown, before),
        facts=[
            dict(zip(_FACT, row, strict=True))
            for row in zip(*map(sent.texts, _FACT), strict=False)
            if any(row)
        ],
        kept=_wrote(sent, action),
        sent=sent,
        list=sent.text(LIST),
        price_classes=tuple(PriceClass),
        wording=wording,
    )


def _status(error: PanelError) -> int:
    if isinstance(error, InputError):
        return _INPUT
    return _GATE if isinstance(error, GateError) else _DOWN


def _mine(sent: Sent, shown: PanelReview, before: PanelReview | None) -> list[Mine]:
    """Return what somebody changed: what they left as they were shown it stays as it is now."""
    now, then = _fields(shown, sent), _fields(before, sent) if before else {}
    written = {name: sent.text(name).replace("\r\n", "\n") for name in _TEXTS if sent.has(name)}
    return [
        Mine(name, text, now.get(name, ""), diff_of(name, now.get(name, ""), text))
        for name, text in written.items()
        if name not in then or prose(text) != prose(then[name])
    ]


def _said(sent: Sent, shown: PanelReview, mine: list[Mine]) -> dict[str, str]:
    """Return what a form holds to try again: what somebody changed, and all else as it is now."""
    return {**_fields(shown, sent), **{each.field: each.text for each in mine}}


def _evidence(sent: Sent, shown: PanelReview, before: PanelReview | None) -> list[str]:
    """Return the quotes to try again with, likewise."""
    mine = [prose(quote) for quote in sent.texts("evidence") if quote.strip()]
    now, then = (_quotes(review, sent) for review in (shown, before))
    return now if mine == [prose(quote) for quote in then] else mine


def _quotes(review: PanelReview | None, sent: Sent) -> list[str]:
    seat = review.seat_of(sent.text("persona")) if review else None
    return list(seat.take.evidence) if seat and seat.take else []


def _wrote(sent: Sent, action: Action) -> bool:
    """Whether somebody wrote anything that would be lost."""
    return action is Action.EDIT or bool(sent.text("source").strip() or sent.text("reason").strip())


def _fields(review: PanelReview, sent: Sent) -> dict[str, str]:
    seat = review.seat_of(sent.text("persona"))
    outcome = seat.outcome if seat else None
    return {name: str(getattr(outcome, name)) for name in _TEXTS if hasattr(outcome, name)}


def _shown_at(view: DraftView, seen: str) -> PanelReview | None:
    """Return what somebody was shown; None if the panel has answered again since."""
    places = (place for place, event in enumerate(view.history, 1) if event.hash_after == seen)
    last = max(places, default=0)
    if not last:
        return None
    then = edited(view.shown.original, fold(view.history[:last]).edits)
    return then.review if then.hash == seen else None
