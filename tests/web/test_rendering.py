"""Static files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from panel.web.rendering import CACHE_FOREVER, REVALIDATE, age, ago, assets

if TYPE_CHECKING:
    from web.conftest import Browser

pytestmark = pytest.mark.anyio


async def test_files_are_cached_by_their_content(browser: Browser) -> None:
    for name, asset in assets().items():
        versioned = await browser.get(f"/static/{name}", params={"v": asset.digest})
        assert (versioned.headers["cache-control"], versioned.content) == (CACHE_FOREVER, asset.content)
        assert (await browser.get(f"/static/{name}", params={"v": "x"})).headers[
            "cache-control"
        ] == REVALIDATE


@pytest.mark.parametrize("name", ["../app.py", "..%2fapp.py", "%2e%2e/app.py", "", "a/b", "nothing.css"])
async def test_no_other_file_is_served(name: str, browser: Browser) -> None:
    assert (await browser.get(f"/static/{name}")).status_code == 404


NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "short", "long"),
    [
        (5, "< 1 min", "just now"),
        (60, "1 min", "1 minute ago"),
        (7_300, "2 h", "2 hours ago"),
        (200_000, "2 d", "2 days ago"),
    ],
)
def test_ages_have_their_largest_unit(seconds: int, short: str, long: str) -> None:
    then = NOW - timedelta(seconds=seconds)
    assert (age(then, NOW), ago(then, NOW)) == (short, long)
