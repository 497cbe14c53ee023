"""Signing in with a real browser, and what another site can do to somebody who did."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from playwright.sync_api import sync_playwright

from panel.approval import ApprovalService
from panel.core.actor import Actor, Role
from panel.report import ReportContext
from panel.store import open_store
from panel.web.app import create_app
from panel.web.auth import AccessPolicy, Accounts
from panel.web.requests import Services
from panel.web.server import WebServer, listen
from web.conftest import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed"),
]


class Elsewhere(BaseHTTPRequestHandler):
    """A page of another site, with a link and a form that lead to the queue."""

    queue = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        form = f'<form method="post" action="{self.queue}/logout"><button>Win</button></form>'
        self.wfile.write(f'<a href="{self.queue}/nowhere">News</a>{form}'.encode())

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def running(serve: Callable[[], object], stop: Callable[[], object]) -> Iterator[None]:
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join()


@pytest.fixture
def queue(tmp_path: Path, hash_: str) -> Iterator[str]:
    """The address of a server where Kim has an account."""
    servers: list[WebServer] = []

    async def serve() -> None:
        async with open_store(tmp_path / "panel.db") as store:
            await store.users.add(Actor(name="Kim", role=Role.EDITOR), hash_)
            app = create_app(
                Services(ApprovalService(store, lambda _review: ()), ReportContext(), {}),
                AccessPolicy(Accounts()),
            )
            servers.append(WebServer(app))
            await servers[0].serve(sockets=[place])

    def stop() -> None:
        servers[0].should_exit = True

    with listen("127.0.0.1", 0) as place, running(lambda: anyio.run(serve), stop):
        yield f"http://127.0.0.1:{place.getsockname()[1]}"


@pytest.fixture
def elsewhere(queue: str) -> Iterator[str]:
    """The address of another site's page: to browsers, `localhost` is another site than `127.0.0.1`."""
    Elsewhere.queue = queue
    with (
        HTTPServer(("127.0.0.1", 0), Elsewhere) as server,
        running(lambda: server.serve_forever(0.01), server.shutdown),
    ):
        yield f"http://localhost:{server.server_port}/"


@pytest.fixture
def page() -> Iterator[Any]:
    """An empty page of Debian's chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser.new_page()
        browser.close()


def test_people_sign_in_and_stay_signed_in(page: Any, queue: str, elsewhere: str) -> None:
    page.goto(f"{queue}/nowhere")
    assert page.title().startswith("Sign in")
    page.get_by_label("Name").fill("Kim")
    page.get_by_label("Password").fill("wrong horse battery")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert page.get_by_label("Name").input_value() == "Kim"
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{queue}/nowhere")
    page.goto(elsewhere)
    page.get_by_text("News").click()
    page.wait_for_url(f"{queue}/nowhere")
    page.goto(elsewhere)
    page.get_by_text("Win").click()
    page.get_by_role("heading", name="That is not allowed").wait_for()
    page.goto(f"{queue}/nowhere")
    assert page.get_by_role("heading").first.inner_text() == "Page not found"


def test_a_link_from_elsewhere_asks_strangers_once(page: Any, queue: str, elsewhere: str) -> None:
    page.goto(elsewhere)
    page.get_by_text("News").click()
    page.wait_for_url(f"{queue}/login?own=1&next=%2Fnowhere")
    page.get_by_label("Name").fill("Kim")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{queue}/nowhere")
