"""Signing in and out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.requests import Request  # noqa: TC002 - starlette looks at what handlers take
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel.core.draft_rules import MAX_NAME_CHARS
from panel.core.text import canonical
from panel.web.limits import Limits
from panel.web.origins import address_of
from panel.web.passwords import Passwords
from panel.web.render import render
from panel.web.services import services_of
from panel.web.sessions import SESSION, SESSION_SECONDS, cookie, forget, keep, new_token, token_hash

if TYPE_CHECKING:
    from panel.store import User

PER_NAME, PER_ADDRESS = 10, 50
"""Failures in a quarter of an hour; offices and proxies share an address."""
_NETWORK_BITS = 64
WRONG = "That name and password do not belong together. Check both, and try again."


@dataclass(frozen=True, slots=True)
class Desk:
    """What signing in works with, one for each server.

    Attributes:
        passwords: compares them.
        names: attempts by name.
        addresses: attempts by IP address.
    """

    passwords: Passwords = field(default_factory=Passwords)
    names: Limits = field(default_factory=lambda: Limits(PER_NAME))
    addresses: Limits = field(default_factory=lambda: Limits(PER_ADDRESS))


def routes() -> list[Route]:
    """Return the form, what it sends, and the way out."""
    return [
        Route("/login", _form, methods=["GET"]),
        Route("/login", _sign_in, methods=["POST"]),
        Route("/logout", _sign_out, methods=["POST"]),
    ]


async def _form(request: Request) -> Response:
    place = _local(request.query_params.get("next", "/"))
    if request.state.visitor:
        return RedirectResponse(place, 303)
    page = _page(request, place)
    if request.headers.get("sec-fetch-site") == "cross-site" and "own" not in request.query_params:
        # A link on another site brings no session along; this very page, which asks again, does.
        page.headers["refresh"] = f"0; url=/login?own=1&next={quote(place, safe='')}"
    return page


async def _sign_in(request: Request) -> Response:
    async with request.form() as form:
        name, password, place = (str(form.get(key, "")) for key in ("name", "password", "next"))
    desk: Desk = request.app.state.desk
    limited = (desk.names, _name_key(name)), (desk.addresses, _address_key(request))
    if wait := max(limits.wait(key) for limits, key in limited):
        return _later(request, _local(place), name, wait)
    for limits, key in limited:
        limits.take(key)
    user = await _user(request, name)
    if not await desk.passwords.match(password, user.password if user else None) or user is None:
        return _page(request, _local(place), name=name, problem=WRONG, status=401)
    for limits, key in limited:
        limits.give_back(key)
    return await _welcome(request, user, _local(place))


async def _user(request: Request, name: str) -> User | None:
    if len(name) > MAX_NAME_CHARS:
        return None
    user = await services_of(request).store.users.get(name)
    return user if user and user.disabled_at is None else None


async def _welcome(request: Request, user: User, place: str) -> Response:
    """Begin a session under a new token, whatever the browser had before, so that nobody can have chosen it."""
    token = new_token()
    await _end(request)
    await services_of(request).store.users.begin_session(user.id, token_hash(token), SESSION_SECONDS)
    response = RedirectResponse(place, 303)
    keep(request, response, SESSION, token)
    return response


async def _sign_out(request: Request) -> Response:
    await _end(request)
    response = RedirectResponse("/login", 303)
    forget(request, response, SESSION)
    return response


async def _end(request: Request) -> None:
    if token := cookie(request, SESSION):
        await services_of(request).store.users.end_session(token_hash(token))


def _later(request: Request, place: str, name: str, wait: int) -> Response:
    minutes = -(-wait // 60)
    problem = f"Too many attempts. Try again in {minutes} minute{'' if minutes == 1 else 's'}."
    page = _page(request, place, name=name, problem=problem, status=429)
    page.headers["retry-after"] = str(wait)
    return page


def _page(request: Request, place: str, *, name: str = "", problem: str = "", status: int = 200) -> Response:
    values = {"csrf": request.state.token, "next": place, "name": name, "problem": problem}
    return render(request, "login.html.j2", status=status, **values)


def _local(place: str) -> str:
    """Return a place on this server; two slashes, either way round, begin the name of another one."""
    ours = place.startswith("/") and not place.startswith(("//", "/\\")) and place.isprintable()
    return place if ours else "/"


def _name_key(name: str) -> bytes:
    return hashlib.sha256(canonical(name[: MAX_NAME_CHARS + 1]).encode()).digest()


def _address_key(request: Request) -> bytes:
    """Return the key of an address; in IPv6 that is the network, of which one home has all addresses."""
    address = address_of(request)
    if address and isinstance(ip_address(address), IPv6Address):
        address = str(ip_network(f"{address.partition('%')[0]}/{_NETWORK_BITS}", strict=False))
    return hashlib.sha256(address.encode()).digest()
