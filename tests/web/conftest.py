"""The web application on a real store, with clients that behave like browsers."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

import builders
from panel.approval import ApprovalService
from panel.checks import check_review
from panel.core.actor import Actor, Role
from panel.report import ReportContext
from panel.store import open_store
from panel.web.app import create_app
from panel.web.auth import AccessPolicy, Accounts, SingleUser
from panel.web.passwords import hash_password
from panel.web.requests import Services, current_user, form_of
from store.editing import ADA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.applications import Starlette
    from starlette.requests import Request

    from panel.core.take import Seat
    from panel.store import DraftRecord, Store

LOOPBACK = "http://127.0.0.1:8377"
KIM = Actor(name="Kim", role=Role.PUBLISHER)
PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
HTML = {"accept": "text/html,application/xhtml+xml"}
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')


FIXTURE = Path(__file__).parents[2] / "fixtures" / "web" / "approval.jsonl"
ROWS = {row["id"]: row for row in map(json.loads, FIXTURE.read_text("utf-8").splitlines())}


def add_page(app: Starlette, handler: Callable[[Request], Any], path: str = "/page") -> None:
    app.router.routes.append(Route(path, handler, methods=["GET", "POST"]))


def raising(error: Exception) -> Callable[[Request], Any]:
    async def handler(_request: Request) -> Response:
        raise error

    return handler


def with_test_pages(app: Starlette) -> Starlette:
    """Add `/echo`, a form that answers with its field `word`, and `/who`, which names the user."""
    add_page(app, _echo, "/echo")
    add_page(app, _who, "/who")
    return app


async def _echo(request: Request) -> Response:
    if request.method == "GET":
        return Response(f'<input name="csrf" value="{current_user(request).csrf_token}">')
    return PlainTextResponse(form_of(request).text("word"))


async def _who(request: Request) -> Response:
    user = current_user(request)
    return PlainTextResponse(f"{user.actor.name} {user.actor.role} {user.can_sign_out} {user.csrf_token}")


async def who(browser: httpx2.AsyncClient, headers: Any = None) -> str:
    """Return name, role and whether the user can sign out, or else the status."""
    answer = await browser.get("/who", headers=headers)
    return answer.text.rpartition(" ")[0] if answer.status_code == 200 else str(answer.status_code)


AGAIN = "Whoever asks this seat again reads these words, which nobody has written before in any of the tests."


async def _answer_again(_record: DraftRecord, persona: str) -> Seat:
    return builders.seat(persona, builders.take(30, "skip", AGAIN))


def services_for(store: Store) -> Services:
    """Return services on a store that ask no model."""
    personas = {name: name.title() for name in builders.ROSTER}
    return Services(
        ApprovalService(store, partial(check_review, never_says={}), _answer_again), ReportContext(), personas
    )


class Browser(httpx2.AsyncClient):
    """A browser that keeps cookies, and knows how to sign in.

    Args:
        app: the application.
        url: where it is, as the address bar has it.
        address: the browser's own IP address.
    """

    def __init__(self, app: Starlette, url: str = LOOPBACK, address: str = "127.0.0.1") -> None:
        transport = httpx2.ASGITransport(app, client=(address, 50_000))
        super().__init__(transport=transport, base_url=url, headers=HTML)

    async def token(self, path: str = "/login") -> str:
        """Open a page, and return the token of its form."""
        found = _CSRF.search((await self.get(path)).text)
        assert found
        return found[1]

    async def sign_in(self, name: str = "Kim", password: str = PASSWORD, **more: Any) -> httpx2.Response:
        """Fill in the form and send it."""
        form = {"csrf": await self.token(), "name": name, "password": password, **more}
        return await self.post("/login", data=form)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store on SQLite."""
    async with open_store(tmp_path / "panel.db") as opened:
        yield opened


@pytest.fixture
def services(store: Store) -> Services:
    return services_for(store)


@pytest.fixture
def app(services: Services) -> Starlette:
    """The application for Kim alone."""
    return with_test_pages(create_app(services, AccessPolicy(SingleUser(KIM))))


@pytest.fixture
async def browser(app: Starlette) -> AsyncIterator[Browser]:
    """A browser on the same machine."""
    async with Browser(app) as opened:
        yield opened


@pytest.fixture(scope="session")
def hash_() -> str:
    """The hash of `PASSWORD`, made once."""
    return hash_password(PASSWORD)


@pytest.fixture
async def accounts(services: Services, hash_: str) -> Starlette:
    """The application for those who sign in: Kim, who publishes, and Ada, who drafts."""
    await services.store.users.add(KIM, hash_)
    await services.store.users.add(Actor(name="Ada", role=Role.DRAFTER), hash_)
    return with_test_pages(create_app(services, AccessPolicy(Accounts(), frozenset({"reviews.example"}))))


@pytest.fixture
def away(accounts: Starlette) -> Callable[..., Browser]:
    """Make browsers on other machines, which come through a proxy that speaks HTTPS."""
    return lambda address="192.0.2.7": Browser(accounts, "https://reviews.example", address)


@pytest.fixture
async def ada(store: Store) -> AsyncIterator[Browser]:
    """The browser of Ada, an editor."""
    async with Browser(create_app(services_for(store), AccessPolicy(SingleUser(ADA)))) as opened:
        yield opened
