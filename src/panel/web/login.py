"""Signing in and out."""

from __future__ import annotations

import hashlib
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel.core.actor import MAX_NAME_CHARS
from panel.core.text import canonical
from panel.web.auth import (
    SESSION_COOKIE,
    SESSION_SECONDS,
    delete_cookie,
    hash_token,
    new_token,
    read_cookie,
    set_cookie,
)
from panel.web.origins import address_of
from panel.web.passwords import PasswordChecker
from panel.web.rate_limits import RateLimiter
from panel.web.rendering import render
from panel.web.services import services_of

if TYPE_CHECKING:
    from panel.store import User

PER_NAME = "10 per 15 minutes"
PER_ADDRESS = "50 per 15 minutes"
"""Failed attempts. Offices and proxies share an address, so that it gets more."""
_NETWORK_BITS = 64
_WRONG = "Name or password is wrong. Check both and try again."


class SignIn:
    """The sign-in pages of one server."""

    def __init__(self) -> None:
        self.passwords = PasswordChecker()
        self._limiter = RateLimiter()

    def routes(self) -> list[Route]:
        """Return the routes to sign in and out."""
        return [
            Route("/login", self._form, methods=["GET"]),
            Route("/login", self._sign_in, methods=["POST"]),
            Route("/logout", self._sign_out, methods=["POST"]),
        ]

    async def _form(self, request: Request) -> Response:
        target = _local_path(request.query_params.get("next", "/"))
        if request.state.user:
            return RedirectResponse(target, 303)
        page = _page(request, target)
        if request.headers.get("sec-fetch-site") == "cross-site" and "own" not in request.query_params:
            # The session cookie does not come along from another site's link; it does when this page reloads itself.
            page.headers["refresh"] = f"0; url=/login?own=1&next={quote(target, safe='')}"
        return page

    async def _sign_in(self, request: Request) -> Response:
        async with request.form() as form:
            name, password, target = (str(form.get(key, "")) for key in ("name", "password", "next"))
        target = _local_path(target)
        keys = ((PER_NAME, _name_key(name)), (PER_ADDRESS, _address_key(request)))
        if wait := max(self._limiter.wait(limit, key) for limit, key in keys):
            return _too_many_attempts(request, target, name, wait)
        # Counted before the password is compared, so that parallel requests do not get around the limit.
        for limit, key in keys:
            self._limiter.hit(limit, key)
        user = await _user(request, name)
        if not await self.passwords.match(password, user.password if user else None) or user is None:
            return _page(request, target, name=name, problem=_WRONG, status=401)
        for limit, key in keys:
            self._limiter.refund(limit, key)
        return await _begin_session(request, user, target)

    async def _sign_out(self, request: Request) -> Response:
        await _end_session(request)
        response = RedirectResponse("/login", 303)
        delete_cookie(request, response, SESSION_COOKIE)
        return response


async def _user(request: Request, name: str) -> User | None:
    if len(name) > MAX_NAME_CHARS:
        return None
    user = await services_of(request).store.users.get(name)
    return user if user and user.disabled_at is None else None


async def _begin_session(request: Request, user: User, target: str) -> Response:
    # Always a new token, so that nobody can have planted it.
    token = new_token()
    await _end_session(request)
    await services_of(request).store.users.begin_session(user.id, hash_token(token), SESSION_SECONDS)
    response = RedirectResponse(target, 303)
    set_cookie(request, response, SESSION_COOKIE, token)
    return response


async def _end_session(request: Request) -> None:
    if token := read_cookie(request, SESSION_COOKIE):
        await services_of(request).store.users.end_session(hash_token(token))


def _too_many_attempts(request: Request, target: str, name: str, wait: int) -> Response:
    minutes = -(-wait // 60)
    problem = f"Too many attempts. Try again in {minutes} minute{'' if minutes == 1 else 's'}."
    page = _page(request, target, name=name, problem=problem, status=429)
    page.headers["retry-after"] = str(wait)
    return page


def _page(request: Request, target: str, *, name: str = "", problem: str = "", status: int = 200) -> Response:
    values = {"csrf": request.state.csrf_token, "next": target, "name": name, "problem": problem}
    return render(request, "login.html.j2", status=status, **values)


def _local_path(path: str) -> str:
    """Return the path if it is on this server; one that begins with two slashes, either way round, names another host."""
    local = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if local else "/"


def _name_key(name: str) -> str:
    return hashlib.sha256(canonical(name[: MAX_NAME_CHARS + 1]).encode()).hexdigest()


def _address_key(request: Request) -> str:
    """Return the client's IPv4 address or IPv6 network; one home has all addresses of a network."""
    address = address_of(request)
    if address and isinstance(ip_address(address), IPv6Address):
        address = str(ip_network(f"{address.partition('%')[0]}/{_NETWORK_BITS}", strict=False))
    return hashlib.sha256(address.encode()).hexdigest()
