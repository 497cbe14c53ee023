"""Signing in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from panel.core.actor import MAX_NAME_CHARS
from panel.core.text import canonical
from panel.web.auth import LOGIN, SESSION_COOKIE, hash_token, new_token, read_cookie, set_cookie
from panel.web.rendering import render
from panel.web.requests import form_of, services_of
from panel.web.security import client_address, network_of

if TYPE_CHECKING:
    from panel.web.passwords import PasswordChecker
    from panel.web.security import RateLimiter

SESSION_SECONDS = 12 * 60 * 60
PER_NAME = "10 per 15 minutes"
PER_ADDRESS = "50 per 15 minutes"
"""Failed attempts. Offices and proxies share an address, so that it gets more."""
_WRONG = "Name or password is wrong. Check both and try again."


async def _show_form(request: Request) -> Response:
    target = _local_path(request.query_params.get("next", "/"))
    if request.state.user:
        return RedirectResponse(target, 303)
    page = _page(request, target)
    if request.headers.get("sec-fetch-site") == "cross-site" and "own" not in request.query_params:
        # The session cookie does not come along from another site's link; it does when this page reloads itself.
        page.headers["refresh"] = f"0; url={LOGIN}?own=1&next={quote(target, safe='')}"
    return page


async def _sign_in(request: Request) -> Response:
    form, state, users = form_of(request), request.app.state, services_of(request).store.users
    name, target = form.text("name"), _local_path(form.text("next"))
    attempts: RateLimiter = state.sign_in_attempts
    passwords: PasswordChecker = state.passwords
    # One character more than a name may have, so that long ones share a key without being somebody's.
    keys = (
        (PER_NAME, canonical(name[: MAX_NAME_CHARS + 1])),
        (PER_ADDRESS, network_of(client_address(request))),
    )
    if wait := max(attempts.wait(limit, key) for limit, key in keys):
        minutes = -(-wait // 60)
        problem = f"Too many attempts. Try again in {minutes} minute{'' if minutes == 1 else 's'}."
        page = _page(request, target, name=name, problem=problem, status=429)
        page.headers["retry-after"] = str(wait)
        return page
    # Counted before the password is compared, so that parallel requests do not get around the limit.
    for limit, key in keys:
        attempts.hit(limit, key)
    user = await users.get(name) if len(name) <= MAX_NAME_CHARS else None
    if user and user.disabled_at is not None:
        user = None
    if not await passwords.match(form.text("password"), user.password if user else None) or user is None:
        return _page(request, target, name=name, problem=_WRONG, status=401)
    for limit, key in keys:
        attempts.refund(limit, key)
    # Always a new token, so that nobody can have planted it.
    token = new_token()
    await _end_session(request)
    await users.begin_session(user.id, hash_token(token), SESSION_SECONDS)
    response = RedirectResponse(target, 303)
    set_cookie(request, response, SESSION_COOKIE, token, SESSION_SECONDS)
    return response


async def _sign_out(request: Request) -> Response:
    await _end_session(request)
    response = RedirectResponse(LOGIN, 303)
    set_cookie(request, response, SESSION_COOKIE, "", 0)
    return response


async def _end_session(request: Request) -> None:
    if token := read_cookie(request, SESSION_COOKIE):
        await services_of(request).store.users.end_session(hash_token(token))


def _page(request: Request, target: str, *, name: str = "", problem: str = "", status: int = 200) -> Response:
    values = {"csrf": request.state.csrf_token, "next": target, "name": name, "problem": problem}
    return render(request, "login.html.j2", status=status, **values)


def _local_path(path: str) -> str:
    """Return the path if it is on this server; one that begins with two slashes, either way round, names another host."""
    local = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if local else "/"


LOGIN_ROUTES = (
    Route(LOGIN, _show_form, methods=["GET"]),
    Route(LOGIN, _sign_in, methods=["POST"]),
    Route("/logout", _sign_out, methods=["POST"]),
)
