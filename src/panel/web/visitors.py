"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from panel.web.access import Accounts, Open, Proxy
from panel.web.origins import address_of
from panel.web.services import Visitor
from panel.web.sessions import BROWSER, SESSION, cookie, form_token, new_token, token_hash

if TYPE_CHECKING:
    from starlette.requests import Request

    from panel.core.draft_rules import Actor
    from panel.store import Store, User
    from panel.web.access import Access


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, known or not.

    Attributes:
        visitor: who it is; None if nobody knows.
        token: what their forms must send.
        browser: what their browser is to keep to be told from others; None if it has that, or a session.
    """

    visitor: Visitor | None
    token: str
    browser: str | None = None


async def caller_of(request: Request, access: Access, store: Store) -> Caller:
    """Return who asks.

    Raises:
        StorageError: the store does not answer.
    """
    if isinstance(access.way, Accounts) and (session := cookie(request, SESSION)):
        user = await store.users.session_user(token_hash(session))
        if user:
            token = form_token(access.secret, SESSION, session)
            return Caller(Visitor(user.actor, token, leaves=True), token)
    actor = await _actor(request, access, store)
    kept = cookie(request, BROWSER)
    browser = kept or new_token()
    token = form_token(access.secret, BROWSER, browser, actor.name if actor else "")
    return Caller(Visitor(actor, token) if actor else None, token, None if kept else browser)


async def _actor(request: Request, access: Access, store: Store) -> Actor | None:
    match access.way:
        case Open(actor):
            return actor
        case Proxy(header, addresses) if address_of(request) in addresses:
            user = await _user(store, request.headers.getlist(header))
            return user.actor if user else None
    return None


async def _user(store: Store, names: list[str]) -> User | None:
    """Return who a proxy says it is; nobody if it says so twice, or in a name that cannot be read."""
    if len(names) != 1:
        return None
    try:
        user = await store.users.get(names[0].encode("latin-1").decode())
    except UnicodeDecodeError:
        return None
    return user if user and user.disabled_at is None else None
