from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

import builders
from panel.report import ReportContext, html_report

if TYPE_CHECKING:
    from collections.abc import Iterator

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
CONTEXT = ReportContext(generator="panel 0", mottos=dict.fromkeys(builders.ROSTER, "A motto in one line."))

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


def pages() -> dict[str, str]:
    long = builders.tool("Antidisestablishmentarianism" * 4, description="x" * 3_000, tagline="word " * 39)
    verbose = builders.review(*(builders.take(text="w" * 2_500),) * 5, of=long)
    doubted = builders.known(builders.doubtful(), *builders.everything_edited())
    approval: dict[str, Any] = {"approved_by": "Ada", "approved_at": builders.REVIEWED_AT}
    approved = builders.known(builders.smollm3(), *builders.everything_edited()[:2], **approval)
    alike, copied = builders.known(builders.review())
    right_to_left = builders.review(of=builders.tool("כתבן", tagline="עורך טקסט בעברית"))
    return {
        "seed": html_report(builders.seed_comparison(), CONTEXT),
        "embedded": html_report(
            builders.comparison(
                builders.embedded_review(), builders.embedded_review(builders.tool("Sextant"))
            ),
            CONTEXT,
        ),
        "four": html_report(
            builders.comparison(builders.smollm3(), builders.skillclaw(), verbose, right_to_left), CONTEXT
        ),
        "models": html_report(builders.two_models(), CONTEXT),
        "mixed": html_report(builders.mixed_jury(), CONTEXT),
        "review": html_report(builders.smollm3(), CONTEXT),
        "doubtful": html_report(doubted[0], CONTEXT, (doubted[1],)),
        "approved": html_report(
            builders.comparison(approved[0], doubted[0], alike), CONTEXT, (approved[1], doubted[1], copied)
        ),
        "empty": html_report(builders.review(*(builders.no_take(),) * 5), CONTEXT),
    }


@pytest.fixture(params=sorted(pages()))
def page_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A page on disk."""
    path = tmp_path / f"{request.param}.html"
    path.write_text(pages()[request.param], "utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_page_has_no_accessibility_violation(
    scheme: Literal["light", "dark"], width: int, browser: Any, page_file: Path
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True)
    page.goto(page_file.as_uri())
    options = {"rules": {"color-contrast-enhanced": {"enabled": True}, "target-size": {"enabled": True}}}
    found = Axe().run(page, options=options)
    page.close()
    assert found.violations_count == 0, found.generate_report()


def test_page_stays_within_a_phone(browser: Any, page_file: Path) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(page_file.as_uri())
    width = page.evaluate("document.documentElement.scrollWidth")
    page.close()
    assert width <= 390


def test_page_asks_for_nothing(browser: Any, page_file: Path) -> None:
    page = browser.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(page_file.as_uri())
    style = page.evaluate(
        "getComputedStyle(document.body).maxWidth + getComputedStyle(document.body).fontFamily"
    )
    page.close()
    assert asked == [page_file.as_uri()]
    assert said == []
    assert style
