"""Actions on a draft: each form is answered with a redirect, or with a page that gives back what the user wrote."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers
from starlette.responses import RedirectResponse, Response

from panel.approval import DraftCommand, StaleDraft, history_entries, outcome_message, parse_resolution
from panel.approval.history import field_diff, field_name
from panel.core.draft_edits import parse_change
from panel.core.draft_state import Action
from panel.core.text import prose
from panel.core.tool import PriceClass
from panel.errors import InputError, PanelError, Problem, StorageError
from panel.web.draft_page import anchor
from panel.web.errors import sentences, status_of
from panel.web.queue_page import LIST, filters_of_list, with_notice
from panel.web.rendering import render
from panel.web.requests import current_user, form_of, services_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from weakref import WeakValueDictionary

    from panel.approval import DraftView
    from panel.core.actor import Actor
    from panel.core.draft_edits import Change
    from panel.core.review import PanelReview
    from panel.core.take import Seat
    from panel.web.queue_page import Filters
    from panel.web.requests import Form, Services

RELEASE = "release"
SEAT_FIELDS = ("take", "score", "verdict", "detail")
FACT_FIELDS = ("claim", "source", "checked_on")
_DECISIONS = frozenset({Action.APPROVE, Action.REJECT, Action.REQUEST_CHANGES})
_STAYS_ON_PAGE = frozenset({Action.EDIT, Action.RESOLVE, Action.RERUN_SEAT})


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """A form that a user sent to act on a draft, and the list that they work through."""

    request: Request
    services: Services
    draft: int
    action: Action
    actor: Actor
    form: Form
    filters: Filters

    async def next_draft(self) -> int | None:
        """Return the next draft of the list."""
        return await self.services.approval.next_draft(self.actor, {self.draft}, self.filters.query)


async def act(request: Request) -> Response:
    """Carry out the action of a form."""
    draft, name = request.path_params["draft"], request.path_params["action"]
    services, actor, form = services_of(request), current_user(request).actor, form_of(request)
    filters = filters_of_list(form.text(LIST), services.personas)
    if name == RELEASE:
        await services.approval.release(draft, actor)
        return RedirectResponse(filters.url(), 303)
    action = Action.named(name)
    if action is None:
        raise HTTPException(404)
    locks: WeakValueDictionary[Any, asyncio.Lock] = request.app.state.action_locks
    # A second click waits for the first, and then finds that it was done.
    async with locks.setdefault((draft, name, form.text("persona")), asyncio.Lock()):
        return await _respond(ActionRequest(request, services, draft, action, actor, form, filters))


async def _respond(sent: ActionRequest) -> Response:
    approval, action, path = sent.services.approval, sent.action, f"/drafts/{sent.draft}"
    view = await approval.view(sent.draft)
    try:
        command = _read_command(sent, view.shown.review)
        if action is not Action.TAKE_OVER and (done := view.repeat_of(command)):
            if action in _STAYS_ON_PAGE:
                return RedirectResponse(path, 303)
            return render(
                sent.request,
                "already_done.html.j2",
                view=view,
                done=done,
                outcome=outcome_message(view, action),
                following=await sent.next_draft(),
            )
        view = await approval.execute(sent.draft, command)
    except StorageError:
        raise
    except PanelError as error:
        return _conflict_page(sent, await approval.view(sent.draft), error)
    return RedirectResponse(await _next_url(sent, view, path), 303)


async def _next_url(sent: ActionRequest, view: DraftView, path: str) -> str:
    """Return the page to show next: after a decision, that of the next draft."""
    action, draft, list_ = sent.action, sent.draft, sent.form.text(LIST)
    if action in _DECISIONS:
        following = await sent.next_draft()
        if following:
            return with_notice(f"/drafts/{following}", action, draft, list_=list_)
        return sent.filters.url(done=action.value, was=str(draft))
    here, fragment, persona = sent.form.number("here"), "", sent.form.text("persona")
    if action is Action.PUBLISH and here is not None:
        path = f"/drafts/{here}" if here else "/"
    elif action is Action.RESOLVE:
        fragment = anchor(view.unresolved[0]) if view.unresolved else "decide"
    elif action in _STAYS_ON_PAGE and persona:
        fragment = f"seat-{persona}"
    return with_notice(path, action, draft, fragment, list_=list_)


def _read_command(sent: ActionRequest, review: PanelReview) -> DraftCommand:
    """Return the command that a form asks for; an edit holds every field of the form, changed or not.

    Raises:
        InputError: a value cannot be used; the lines say why.
    """
    action, form = sent.action, sent.form
    resolution = None
    if action is Action.RESOLVE:
        resolution = parse_resolution(form.text("finding"), form.text("kind"), form.text("source"))
    try:
        return DraftCommand(
            action=action,
            actor=sent.actor,
            seen=form.text("seen"),
            seen_resolutions=form.text("seen_resolutions") or None,
            reason=form.text("reason") or None,
            changes=_changes(form, review) if action is Action.EDIT else (),
            resolution=resolution,
            persona=form.text("persona") if action is Action.RERUN_SEAT else None,
            undoes=form.number("undoes") if action is Action.UNDO else None,
        )
    except ValidationError as error:
        raise InputError(
            Problem(action.label, each["msg"].removeprefix("Value error, ")) for each in error.errors()
        ) from None


def _changes(form: Form, review: PanelReview) -> tuple[Change, ...]:
    problems: list[Problem] = []
    changes: list[Change] = []
    seat = review.seat_of(form.text("persona"))
    for data in _edited_fields(form, seat):
        try:
            changes.append(parse_change(data, seat.name if seat else "tool"))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return tuple(changes)


def _edited_fields(form: Form, seat: Seat | None) -> Iterator[dict[str, Any]]:
    if persona := form.text("persona"):
        for field in (name for name in SEAT_FIELDS if name in form):
            value = form.number(field) if field == "score" else form.text(field)
            yield {"field": field, "persona": persona, "value": value}
        if "evidence" in form:
            # A browser changes line ends: a quote that differs in nothing else is as it was.
            known = {prose(quote): quote for quote in reversed(_quotes(seat))}
            quotes = map(prose, filter(str.strip, form.getlist("evidence")))
            values = tuple(known.get(quote, quote) for quote in quotes)
            yield {"field": "evidence", "persona": persona, "value": values}
        return
    if "price_class" in form:
        yield {"field": "price_class", "value": form.text("price_class")}
    if "claim" in form:
        rows = zip_longest(*map(form.getlist, FACT_FIELDS), fillvalue="")
        facts = [dict(zip(FACT_FIELDS, row, strict=True)) for row in rows if row[0].strip() or row[1].strip()]
        yield {"field": "facts", "value": facts}


def _conflict_page(sent: ActionRequest, view: DraftView, error: PanelError) -> Response:
    """Return the page of an action that failed, with the user's text in a form to try again; `view` is the draft now."""
    form, shown, before = sent.form, view.shown.review, view.review_at(sent.form.text("seen"))
    stale = isinstance(error, StaleDraft)
    seat = shown.seat_of(form.text("persona"))
    seat_before = before.seat_of(form.text("persona")) if before else None
    now, then = _values(seat), _values(seat_before)
    written = {name: form.text(name).replace("\r\n", "\n") for name in SEAT_FIELDS if name in form}
    unsaved = {
        name: text for name, text in written.items() if name not in then or prose(text) != prose(then[name])
    }
    evidence = [prose(quote) for quote in form.getlist("evidence") if quote.strip()]
    if evidence == [prose(quote) for quote in _quotes(seat_before)]:
        evidence = _quotes(seat)
    facts = zip(*map(form.getlist, FACT_FIELDS), strict=False)
    return render(
        sent.request,
        "conflict.html.j2",
        status=status_of(error),
        view=view,
        free=view.is_free_for(sent.actor),
        action=sent.action,
        problems=sentences(error.message if isinstance(error, StaleDraft) else str(error)),
        stale=stale,
        since=history_entries(view, since=form.text("seen")) if stale else (),
        seat=seat,
        unsaved=[
            (field_name(name), now.get(name, ""), field_diff(name, now.get(name, ""), text))
            for name, text in unsaved.items()
        ],
        values=now | unsaved,
        evidence=evidence,
        facts=[dict(zip(FACT_FIELDS, row, strict=True)) for row in facts if any(row)],
        has_text=sent.action is Action.EDIT or any(form.text(name).strip() for name in ("source", "reason")),
        form=form,
        list=form.text(LIST),
        price_classes=tuple(PriceClass),
    )


def _values(seat: Seat | None) -> dict[str, str]:
    outcome = seat.outcome if seat else None
    return {name: str(getattr(outcome, name)) for name in SEAT_FIELDS if hasattr(outcome, name)}


def _quotes(seat: Seat | None) -> list[str]:
    return list(seat.take.evidence) if seat and seat.take else []
