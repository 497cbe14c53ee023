"""Actions on a draft: each form is answered with a redirect, or with a page that gives back what the user wrote."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from starlette.exceptions import HTTPException
from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers
from starlette.responses import RedirectResponse, Response

from panel.approval import outcome_message
from panel.core.draft_state import Action
from panel.errors import PanelError, StorageError
from panel.web.auth import current_user
from panel.web.conflict_page import conflict_page
from panel.web.draft_forms import read_command
from panel.web.draft_page import anchor
from panel.web.forms import read_form
from panel.web.notices import LIST, with_notice
from panel.web.queue_page import filters_of_list
from panel.web.rendering import render
from panel.web.services import services_of
from panel.web.wording import ago

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

    async def next_draft(self) -> int | None:
        """Return the next draft of that list."""
        return await self.services.approval.next_draft(self.actor, {self.draft}, self.filters.query)


async def act(request: Request) -> Response:
    """Carry out the action of a form."""
    draft, name = request.path_params["draft"], request.path_params["action"]
    services, actor, form = services_of(request), current_user(request).actor, await read_form(request)
    if name == RELEASE:
        await services.approval.release(draft, actor)
        return RedirectResponse(filters_of_list(form.text(LIST), services.personas).url(), 303)
    if name not in set(Action):
        raise HTTPException(404)
    # A second click waits for the first, and then finds that it was done.
    async with _lock(request, (draft, name, form.text("persona"))):
        return await _respond(ActionRequest(request, draft, Action(name), form))


def _lock(request: Request, key: Hashable) -> asyncio.Lock:
    state = request.app.state
    if not hasattr(state, "action_locks"):
        state.action_locks = WeakValueDictionary()
    lock: asyncio.Lock = state.action_locks.setdefault(key, asyncio.Lock())
    return lock


async def _respond(sent: ActionRequest) -> Response:
    approval = sent.services.approval
    view = await approval.view(sent.draft)
    try:
        command = read_command(sent.form, sent.action, sent.actor, view.shown.review)
        if sent.action is not Action.TAKE_OVER and (done := view.repeat_of(command)):
            return await _already_done(sent, view, done)
        view = await approval.execute(sent.draft, command)
    except StorageError:
        raise
    except PanelError as error:
        return await conflict_page(
            sent.request, await approval.view(sent.draft), sent.action, sent.form, error
        )
    return RedirectResponse(await _next_url(sent, view), 303)


async def _next_url(sent: ActionRequest, view: DraftView) -> str:
    """Return the page to show next: after a decision, that of the next draft."""
    action, draft, list_ = sent.action, sent.draft, sent.form.text(LIST)
    if action in _DECISIONS:
        following = await sent.next_draft()
        if following:
            return with_notice(_path(following), action, draft, list_=list_)
        return sent.filters.url(done=action.value, was=str(draft))
    here = sent.form.number("here")
    if action is Action.PUBLISH and here is not None:
        return with_notice(_path(here) if here else "/", action, draft, list_=list_)
    return with_notice(_path(draft), action, draft, _fragment(sent, view), list_=list_)


def _fragment(sent: ActionRequest, view: DraftView) -> str:
    if sent.action is Action.RESOLVE:
        return anchor(view.unresolved[0]) if view.unresolved else "decide"
    persona = sent.form.text("persona")
    return f"seat-{persona}" if persona and sent.action in _STAYS_ON_PAGE else ""


async def _already_done(sent: ActionRequest, view: DraftView, done: RecordedEvent) -> Response:
    if sent.action in _STAYS_ON_PAGE:
        return RedirectResponse(_path(sent.draft), 303)
    return render(
        sent.request,
        "already_done.html.j2",
        view=view,
        outcome=outcome_message(view, sent.action),
        when=ago(done.at),
        following=await sent.next_draft(),
    )


def _path(draft: int) -> str:
    return f"/drafts/{draft}"
