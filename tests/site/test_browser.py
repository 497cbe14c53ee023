"""The site in a real browser: bookmarks, votes, sign-up, search, redirects, and no script at all."""

from __future__ import annotations

import json
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

import builders
from panel.core.draft_edits import ScoreChange
from panel.core.draft_state import Action
from panel.core.tally import Votes
from panel.store import SubscriptionState, open_store
from panel.web.public.app import create_public_app
from panel.web.public.newsletter import Newsletter
from panel.web.public.requests import PublicServices
from panel.web.server import WebServer, listen
from publishing import Site, copy_store, correct, make_review, publish
from store.editing import do

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.newsletter.mail import MailMessage
    from panel.store import Store

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PATIENCE_MS = 10_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed"),
]
PAGES = (
    "",
    "tools/smollm3/",
    "compare/skillclaw-vs-smollm3/",
    "category/developer-tools/",
    "critics/",
    "critics/skeptic/",
    "methodology/",
    "corrections/",
    "bookmarks/",
    "compare/",
    "tools/gone/",
    "nothing/",
)


class World:
    """A site that is served, and what happened behind it."""

    def __init__(self, portal: BlockingPortal, store: Store, url: str, sent: Queue[MailMessage]) -> None:
        self.portal = portal
        self.store = store
        self.url = url
        self.sent = sent

    def votes(self) -> dict[str, Votes]:
        return self.portal.call(self.store.votes.all_counts)


@pytest.fixture(scope="module")
def world(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The seed's two tools, one more, and one that was retracted, on a server of their own."""
    folder = tmp_path_factory.mktemp("world")
    with start_blocking_portal() as portal, ExitStack() as stack:
        store = stack.enter_context(
            portal.wrap_async_context_manager(open_store(copy_store(empty, folder / "panel.db")))
        )
        site, sent = Site(store, folder / "site"), Queue[Any]()

        async def fill() -> None:
            await publish(store, builders.smollm3(), builders.skillclaw(), kind="compare")
            draft, gone = await publish(
                store, make_review("Ölfarbe", tagline="Paints logs"), make_review("Gone")
            )
            await correct(store, draft, ScoreChange(persona="builder", value=71))
            await do(store, gone, Action.RETRACT, reason="It was wrong.")
            await site.build(voting=True, newsletter="panel")

        portal.call(fill)
        place = stack.enter_context(listen("127.0.0.1", 0))
        url = f"http://127.0.0.1:{place.getsockname()[1]}"
        services = PublicServices(store, site.folder, b"s" * 32)
        letter = Newsletter("Panel reviews", url, b"s" * 32, sent.put)
        server = WebServer(create_public_app(services, letter.routes()))
        served = portal.start_task_soon(lambda: server.serve(sockets=[place]))

        def stop() -> None:
            server.should_exit = True
            served.result()

        stack.callback(stop)
        yield World(portal, store, url, sent)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's chromium."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """An empty page; its scripts must not fail, break a page's policy, or ask another host."""
    context = chromium.new_context(accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    opened = context.new_page()
    problems: list[str] = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda message: problems.append(message.text) if "Policy" in message.text else None)
    opened.on(
        "request",
        lambda request: (
            problems.append(request.url)
            if "127.0.0.1" not in request.url and not request.url.startswith("blob:")
            else None
        ),
    )
    yield opened
    context.close()
    assert problems == []


def test_bookmarks_are_kept(page: Any, world: World) -> None:
    """On every page and after a reload, until they are removed."""
    page.goto(f"{world.url}/compare/skillclaw-vs-smollm3/")
    button = page.get_by_role("button", name="Bookmark SmolLM3")
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    page.goto(f"{world.url}/bookmarks/")
    page.get_by_role("link", name="SmolLM3").click()
    page.wait_for_url(f"{world.url}/tools/smollm3/")
    page.go_back()
    page.get_by_role("button", name="Remove SmolLM3").click()
    assert page.get_by_text("No bookmarks yet.").is_visible()
    page.reload()
    assert page.get_by_text("No bookmarks yet.").is_visible()


def test_bookmarks_are_exported_and_imported(page: Any, world: World, tmp_path: Path) -> None:
    """Entries that are no bookmarks are left out, and a wrong file is reported."""
    page.goto(f"{world.url}/tools/skillclaw/")
    page.get_by_role("button", name="Bookmark SkillClaw").click()
    page.goto(f"{world.url}/bookmarks/")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export to a file").click()
    file = tmp_path / "bookmarks.json"
    download.value.save_as(file)
    assert json.loads(file.read_text()) == [{"slug": "skillclaw", "name": "SkillClaw"}]
    evil = [
        *json.loads(file.read_text()),
        {"slug": "smollm3", "name": "<img src=x onerror=alert(1)>"},
        {"slug": "../../x", "name": "x"},
        {"slug": "javascript:alert(1)", "name": "x"},
        {"slug": "a"},
        None,
        7,
    ]
    file.write_text(json.dumps(evil))
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("1 added, 2 in all.").wait_for()
    assert page.locator("[data-bookmarks] li").count() == 2
    assert page.locator("[data-bookmarks] img").count() == 0
    file.write_text("{}")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("This file has no bookmarks").wait_for()


def test_a_reader_votes_changes_and_withdraws_the_vote(page: Any, world: World) -> None:
    """No cookie is set before."""
    page.goto(f"{world.url}/tools/smollm3/")
    assert page.context.cookies() == []
    assert not page.get_by_role("button", name="Withdraw my vote").is_visible()
    page.get_by_role("button", name="Ship", exact=True).click()
    page.get_by_text("You voted ship.").wait_for()
    assert page.locator("#community [data-votes]").inner_text() == "1 vote"
    assert world.votes() == {"smollm3": Votes(ships=1)}
    page.get_by_role("button", name="Skip", exact=True).click()
    page.get_by_text("You voted skip.").wait_for()
    page.reload()
    page.locator("button[value=skip][aria-pressed=true]").wait_for()
    page.get_by_role("button", name="Withdraw my vote").click()
    page.get_by_text("Your vote was withdrawn.").wait_for()
    assert page.locator("#community [data-votes]").inner_text() == "No community votes yet"
    assert world.votes() == {}


def test_a_tool_is_found(page: Any, world: World) -> None:
    """By beginnings of words in name and tagline, without case and accents."""
    page.goto(world.url)
    box = page.get_by_role("searchbox", name="Find a tool")
    for words, name in (
        ("smol", "SmolLM3"),
        ("OLFARBE", "Ölfarbe"),
        ("paints lo", "Ölfarbe"),
        ("skillcl", "SkillClaw"),
    ):
        box.fill(words)
        page.locator("[data-results]").get_by_role("link", name=name).wait_for()
        assert page.locator("[data-found]").inner_text() == "1 found"
    box.fill("zzz")
    page.get_by_text("Nothing found").wait_for()
    page.goto(f"{world.url}/?q=smol")
    page.locator("[data-results]").get_by_role("link", name="SmolLM3").click()
    page.wait_for_url(f"{world.url}/tools/smollm3/")


def test_the_other_order_redirects_to_the_comparison(page: Any, world: World) -> None:
    page.goto(f"{world.url}/compare/smollm3-vs-skillclaw")
    page.wait_for_url(f"{world.url}/compare/skillclaw-vs-smollm3/")
    assert page.get_by_role("heading", level=1).inner_text() == "SkillClaw vs SmolLM3"


def test_a_reader_signs_up(page: Any, world: World) -> None:
    """By the form, the link in the mail, and the button."""
    page.goto(f"{world.url}/tools/smollm3/")
    page.get_by_label("Mail address").fill("kim@example.org")
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("heading", name="Check your mail").wait_for()
    mail = world.sent.get(timeout=PATIENCE_MS / 1_000)
    way = next(line for line in mail.text.splitlines() if line.startswith(world.url))
    page.goto(way)
    page.get_by_role("button", name="Yes, sign me up").click()
    page.get_by_role("heading", name="You are signed up").wait_for()
    (known,) = world.portal.call(world.store.subscribers.page)
    assert known.state is SubscriptionState.CONFIRMED


def test_everything_else_works_without_a_script(chromium: Any, world: World) -> None:
    """Parts that need a script are hidden; votes and links work."""
    context = chromium.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{world.url}/tools/skillclaw/")
    for gone in ("Bookmark", "Loading"):
        assert not page.get_by_text(gone).first.is_visible()
    page.get_by_role("button", name="Ship", exact=True).click()
    page.get_by_role("heading", name="You voted ship").wait_for()
    assert world.votes()["skillclaw"].ships == 1
    page.get_by_role("button", name="Withdraw my vote").click()
    page.get_by_role("heading", name="You have no vote on this tool").wait_for()
    assert "skillclaw" not in world.votes()
    page.get_by_role("link", name="Back to the review").click()
    page.wait_for_url(f"{world.url}/tools/skillclaw/#community")
    page.goto(world.url)
    assert not page.get_by_role("searchbox").is_visible()
    page.goto(f"{world.url}/bookmarks/")
    # What switches scripts off here leaves <noscript> out of sight, other than people's browsers do.
    assert "Bookmarks need JavaScript" in page.locator("noscript").inner_html()
    assert not page.get_by_role("button", name="Export").is_visible()
    context.close()


def test_focus_follows_the_order_of_the_page(page: Any, world: World) -> None:
    page.goto(f"{world.url}/compare/skillclaw-vs-smollm3/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Go to the content"
    tops = []
    for _ in range(12):
        page.keyboard.press("Tab")
        tops.append(page.evaluate("document.activeElement.getBoundingClientRect().top + scrollY"))
    # Links of one line may differ by a few pixels.
    assert all(later >= earlier - 40 for earlier, later in pairwise(tops))


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (390, "dark")])
def test_pages_are_accessible(chromium: Any, world: World, width: int, scheme: str) -> None:
    """Axe finds nothing, enhanced contrast and target sizes included; no page is wider than the window."""
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    options = {
        "runOnly": ["wcag2a", "wcag2aa", "wcag2aaa", "wcag21aa", "wcag22aa", "best-practice"],
        "rules": {"target-size": {"enabled": True}, "color-contrast-enhanced": {"enabled": True}},
    }
    found: dict[str, Any] = {}
    for path in PAGES:
        page.goto(f"{world.url}/{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        violations = Axe().run(page, options=options).response["violations"]
        if violations:
            found[path] = [
                (one["id"], [node["html"][:120] for node in one["nodes"][:2]]) for one in violations
            ]
    context.close()
    assert found == {}
