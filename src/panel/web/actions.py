"""Actions on a draft: each form is answered with a redirect, or with a page that gives back what the user wrote."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from starlette.exceptions import HTTPException
from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers
from starlette.responses import RedirectResponse, Response

from panel.core.draft_state import Action
from panel.errors import PanelError, StorageError
from panel.web.auth import current_user
from panel.web.conflict_page import conflict_page
from panel.web.draft_forms import find_repeat, read_command
from panel.web.draft_page import anchor
from panel.web.forms import read_form
from panel.web.notices import LIST, with_notice
from panel.web.queue_page import filters_of_list
from panel.web.rendering import render
from panel.web.services import services_of
from panel.web.wording import DONE, ago

if TYPE_CHECKING:
    from collections.abc import Hashable

    from panel.approval import DraftView
    from panel.core.actor import Actor
    from panel.store import RecordedEvent
    from panel.web.forms import Form
    from panel.web.queue_page import Filters
    from panel.web.services import Services

RELEASE = "release"
_DECISIONS = frozenset({Action.APPROVE, Action.REJECT, Action.REQUEST_CHANGES})
_STAYS_ON_PAGE = frozenset({Action.EDIT, Action.RESOLVE, Action.RERUN_SEAT})


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """A form that a user sent to act on a draft."""

    request: Request
    draft: int
    action: Action
    form: Form

    @property
    def services(self) -> Services:
        """The services of the application."""
        return services_of(self.request)

    @property
    def actor(self) -> Actor:
        """The user."""
        return current_user(self.request).actor

    @property
    def filters(self) -> Filters:
        """The list that the user works through."""
        return filters_of_list(self.form.text(LIST), self.services.personas)

    async def view(self) -> DraftView:
        """Return the draft as it is now."""
        return await self.services.approval.view(self.draft)


async def act(request: Request) -> Response:
    """Carry out the action of a form."""
    draft, name = request.path_params["draft"], request.path_params["action"]
    services, actor, form = services_of(request), current_user(request).actor, await read_form(request)
    if name == RELEASE:
        await services.approval.release(draft, actor)
        return RedirectResponse(filters_of_list(form.text(LIST), services.personas).url(), 303)
    if name not in set(Action):
        raise HTTPException(404)
    sent = ActionRequest(request, draft, Action(name), form)
    if sent.action is Action.TAKE_OVER:
        await _carry_out(sent, await sent.view())
        return RedirectResponse(with_notice(_path(draft), sent.action, draft, list_=form.text(LIST)), 303)
    # A second click waits for the first, and then finds that it was done.
    async with _lock(request, (draft, name, form.text("persona"))):
        return await _respond(sent)


def _lock(request: Request, key: Hashable) -> asyncio.Lock:
    state = request.app.state
    if not hasattr(state, "action_locks"):
        state.action_locks = WeakValueDictionary()
    lock: asyncio.Lock = state.action_locks.setdefault(key, asyncio.Lock())
    return lock


async def _respond(sent: ActionRequest) -> Response:
    view = await sent.view()
    if done := find_repeat(view, sent.action, sent.actor, sent.form):
        return await _already_done(sent, view, done)
    try:
        await _carry_out(sent, view)
    except StorageError:
        raise
    except PanelError as error:
        return await conflict_page(sent.request, await sent.view(), sent.action, sent.form, error)
    return RedirectResponse(await _next_url(sent), 303)


async def _carry_out(sent: ActionRequest, view: DraftView) -> None:
    command = read_command(sent.form, sent.action, sent.actor, view.shown.review)
    await sent.services.approval.execute(sent.draft, command)


async def _next_url(sent: ActionRequest) -> str:
    """Return the page to show next: after a decision, that of the next draft."""
    action, draft, list_ = sent.action, sent.draft, sent.form.text(LIST)
    if action in _DECISIONS:
        following = await _next_draft(sent)
        if following:
            return with_notice(_path(following), action, draft, list_=list_)
        return sent.filters.url(done=action.value, was=str(draft))
    here = sent.form.number("on")
    if action is Action.PUBLISH and here is not None:
        return with_notice(_path(here) if here else "/", action, draft, list_=list_)
    return with_notice(_path(draft), action, draft, await _fragment(sent), list_=list_)


async def _next_draft(sent: ActionRequest) -> int | None:
    """Return the next draft of the user's list."""
    return await sent.services.approval.next_draft(sent.actor, {sent.draft}, sent.filters.query)


async def _fragment(sent: ActionRequest) -> str:
    if sent.action is Action.RESOLVE:
        unresolved = (await sent.view()).unresolved
        return anchor(unresolved[0].finding) if unresolved else "decide"
    persona = sent.form.text("persona")
    return f"seat-{persona}" if persona and sent.action in _STAYS_ON_PAGE else ""


async def _already_done(sent: ActionRequest, view: DraftView, done: RecordedEvent) -> Response:
    if sent.action in _STAYS_ON_PAGE:
        return RedirectResponse(_path(sent.draft), 303)
    return render(
        sent.request,
        "already_done.html.j2",
        view=view,
        done=DONE[done.kind],
        when=ago(done.at),
        following=await _next_draft(sent),
    )


def _path(draft: int) -> str:
    return f"/drafts/{draft}"
