"""Static files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from panel.web.rendering import CACHE_FOREVER, REVALIDATE, assets

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
