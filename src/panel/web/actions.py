"""What people do with drafts: one form each, answered with a redirect, or with a page that keeps what they wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request  # noqa: TC002 - starlette looks at what handlers take
from starlette.responses import RedirectResponse, Response

from panel.core.draft_command import DraftCommand
from panel.core.draft_rules import Action
from panel.core.draft_state import opened, opens, refusal
from panel.errors import GateError, PanelError, StorageError
from panel.store import StaleDraft
from panel.web.conflict_page import kept_page
from panel.web.draft_page import anchor
from panel.web.fields import deed_of, sent_by
from panel.web.filters import filters_of
from panel.web.idempotency import repeated
from panel.web.notes import LIST, noted
from panel.web.queue import next_draft
from panel.web.render import render
from panel.web.serialize import turn
from panel.web.services import services_of, visitor_of
from panel.web.wording import DONE, ago

if TYPE_CHECKING:
    from panel.core.draft_rules import Actor
    from panel.store import DraftView, RecordedEvent
    from panel.web.fields import Sent
    from panel.web.filters import Filters
    from panel.web.services import Services

LET_GO = "let_go"
_DECISIONS = frozenset({Action.APPROVE, Action.REJECT, Action.REQUEST_CHANGES})
_QUIET = frozenset({Action.EDIT, Action.TICK, Action.RERUN_SEAT})
_CHANGED_SINCE = "something else was done since; read the draft again"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to do.

    Attributes:
        request: what is answered.
        draft: with which draft.
        action: what.
        sent: what their form holds.
    """

    request: Request
    draft: int
    action: Action
    sent: Sent

    @property
    def services(self) -> Services:
        """What pages work with."""
        return services_of(self.request)

    @property
    def actor(self) -> Actor:
        """Who they are."""
        return visitor_of(self.request).actor

    @property
    def filters(self) -> Filters:
        """The list that they work through."""
        return filters_of(self.sent.text(LIST), self.services.personas)

    async def view(self) -> DraftView:
        """Return the draft as it is now."""
        return await self.services.store.approval.view(self.draft, self.services.checks)


async def act(request: Request) -> Response:
    """Do what a form of a draft's page asks for."""
    draft, name = request.path_params["draft"], request.path_params["action"]
    sent = await sent_by(request)
    if name == LET_GO:
        await services_of(request).store.locks.let_go(draft, visitor_of(request).actor)
        personas = services_of(request).personas
        return RedirectResponse(filters_of(sent.text(LIST), personas).url(), 303)
    if name not in set(Action):
        raise HTTPException(404)
    wish = Wish(request, draft, Action(name), sent)
    if wish.action is Action.TAKE_OVER:
        await wish.services.store.locks.take_over(draft, wish.actor)
        return RedirectResponse(noted(_place(draft), wish.action, draft, list_=sent.text(LIST)), 303)
    async with turn(request, (draft, name, sent.text("persona"))):
        return await _answered(wish)


async def _answered(wish: Wish) -> Response:
    view = await wish.view()
    if done := repeated(view, wish.action, wish.actor, wish.sent):
        return await _already(wish, view, done)
    try:
        await _do(wish, view)
    except StorageError:
        raise
    except PanelError as error:
        return await kept_page(wish.request, await wish.view(), wish.action, wish.sent, error)
    return RedirectResponse(await _onward(wish), 303)


async def _do(wish: Wish, view: DraftView) -> None:
    deed = await _asked_again(wish, view) if wish.action is Action.RERUN_SEAT else _deed(wish, view)
    store, checks = wish.services.store, wish.services.checks
    if opens(view.standing, wish.action):
        if why := refusal(opened(view.standing), wish.action, wish.actor.role, deed.reason):
            raise GateError(f"draft {wish.draft} {why}")
        await store.approval.act(
            wish.draft, DraftCommand(action=Action.OPEN, actor=wish.actor, seen=deed.seen), checks
        )
    await store.approval.act(wish.draft, deed, checks)


def _deed(wish: Wish, view: DraftView) -> DraftCommand:
    last = view.standing.last
    if wish.action is Action.UNDO and last and last.place != wish.sent.number("undoes"):
        raise GateError(_CHANGED_SINCE)
    return deed_of(wish.sent, wish.action, wish.actor, view.shown.review)


async def _asked_again(wish: Wish, view: DraftView) -> DraftCommand:
    """Ask a seat again, unless it can be told before that nothing would come of it."""
    seen, reason = wish.sent.text("seen"), wish.sent.text("reason") or None
    claim = view.claim
    if claim and not claim.is_of(wish.actor.name):
        raise GateError(f"{claim.holder} has this draft; wait, or take it over")
    if seen != view.shown.hash:
        raise StaleDraft(_CHANGED_SINCE, view.shown.hash, reason or "")
    if why := refusal(view.standing, wish.action, wish.actor.role):
        raise GateError(f"draft {wish.draft} {why}")
    seat = await wish.services.rerun(view, wish.sent.text("persona"))
    return DraftCommand(action=wish.action, actor=wish.actor, seen=seen, reason=reason, seat=seat)


async def _onward(wish: Wish) -> str:
    """Return where somebody goes next: after a decision, to the next draft."""
    action, draft = wish.action, wish.draft
    list_ = wish.sent.text(LIST)
    if action in _DECISIONS:
        following = await _following(wish)
        if following:
            return noted(_place(following), action, draft, list_=list_)
        return wish.filters.url(done=action.value, was=str(draft))
    on = wish.sent.number("on")
    if action is Action.PUBLISH and on is not None:
        return noted(_place(on) if on else "/", action, draft, list_=list_)
    return noted(_place(draft), action, draft, await _fragment(wish), list_=list_)


async def _following(wish: Wish) -> int | None:
    return await next_draft(wish.services.store, wish.actor, wish.draft, wish.filters.wanted)


async def _fragment(wish: Wish) -> str:
    if wish.action is Action.TICK:
        missing = (await wish.view()).missing
        return anchor(missing[0]) if missing else "decide"
    persona = wish.sent.text("persona")
    return f"seat-{persona}" if persona and wish.action in _QUIET else ""


async def _already(wish: Wish, view: DraftView, done: RecordedEvent) -> Response:
    if wish.action in _QUIET:
        return RedirectResponse(_place(wish.draft), 303)
    return render(
        wish.request,
        "already.html.j2",
        view=view,
        said=DONE[done.kind],
        when=ago(done.at),
        following=await _following(wish),
    )


def _place(draft: int) -> str:
    return f"/drafts/{draft}"
