from __future__ import annotations

import asyncio
import doctest
import importlib
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from panel import AsyncPanel, AsyncStore, Panel, Store, api, compare, read_tools, render, review
from panel.errors import GateError, InputError, NotFound, RunStopped, SettingsError

if TYPE_CHECKING:
    from panel import Tool
    from panel.api import Format

ROOT = Path(__file__).parents[2]
SMOLLM3, SKILLCLAW = ROOT / "fixtures/tools/smollm3.yaml", ROOT / "fixtures/tools/skillclaw.yaml"


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder that has the fixtures of a clone."""
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tools() -> list[Tool]:
    return read_tools(SMOLLM3, SKILLCLAW)


@pytest.mark.usefixtures("clone")
def test_the_examples_of_the_docstrings_run() -> None:
    failed, tried = doctest.testmod(api)
    assert (failed, tried >= 6) == (0, True)


@pytest.mark.usefixtures("clone")
def test_the_examples_of_the_documentation_run() -> None:
    failed, tried = doctest.testfile(str(ROOT / "docs" / "api.md"), module_relative=False)
    assert (failed, tried >= 15) == (0, True)


def test_every_public_name_can_be_imported_and_is_documented() -> None:
    package = importlib.import_module("panel")
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    for name in set(package.__all__) - {"__version__"}:
        assert getattr(package, name) is not None
        assert f"`{name}" in text
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, panel; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"pydantic", "sqlalchemy", "openai", "jinja2", "anyio"}.isdisjoint(done.stdout.split())


def test_a_comparison_takes_tools_files_and_reviews(tools: list[Tool]) -> None:
    done = review(tools[0], model="mock")
    page = compare(done, SKILLCLAW, model="mock")
    assert [one.tool.name for one in page.reviews] == ["SmolLM3", "SkillClaw"]
    assert page.reviews[0] == done
    with pytest.raises(SettingsError, match="at least 2"):
        compare(SMOLLM3, model="mock")


@pytest.mark.parametrize(("ending", "start"), [("html", "<!doctype html>"), ("md", "# "), ("json", "{")])
def test_a_review_is_rendered_in_each_format(ending: Format, start: str, tools: list[Tool]) -> None:
    assert render(review(tools[0], model="mock"), ending).lower().startswith(start)


def test_wrong_input_and_settings_are_errors_before_any_call(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: Lantern\n", "utf-8")
    with pytest.raises(InputError, match="description"):
        read_tools(bad)
    with pytest.raises(InputError, match="holds 2 tools"):
        review(ROOT / "fixtures" / "tools", model="mock")
    with pytest.raises(SettingsError, match="OPENAI_API_KEY"):
        Panel(model="openai")
    with pytest.raises(SettingsError, match="concurrency"):
        Panel(model="mock", concurrency=0)


def test_objects_are_used_in_a_with_statement(tools: list[Tool]) -> None:
    with pytest.raises(SettingsError, match="with"):
        Panel(model="mock").review(tools[0])
    with pytest.raises(SettingsError, match="with"):
        Store("reviews.db").runs()


@pytest.mark.usefixtures("clone")
def test_a_batch_is_drafted_once(tools: list[Tool]) -> None:
    with Store("reviews.db") as store, Panel(store, model="mock") as critics:
        assert {found.draft for found in critics.batch(tools)} == {1, 2}
        assert list(critics.batch(tools)) == []
        assert [run.kind for run in store.runs()] == ["batch"]


@pytest.mark.usefixtures("clone")
def test_a_caller_that_leaves_a_batch_keeps_what_was_answered_and_can_resume(tools: list[Tool]) -> None:
    with Store("reviews.db") as store, Panel(store, model="mock", concurrency=1) as critics:
        for _found in critics.batch(tools):
            break
        kept = [row.id for row in store.drafts()]
        rest = list(critics.resume(store.runs()[0].id))
        assert kept
        assert len(kept) + len(rest) == len(tools) == len(list(store.drafts()))


def test_a_stopped_panel_says_so(tools: list[Tool]) -> None:
    async def stopped() -> None:
        async with (
            AsyncPanel(model="mock", concurrency=1) as critics,
            aclosing(critics.reviews(tools)) as reviews,
        ):
            async for _found in reviews:
                critics.stop("enough")

    with pytest.raises(RunStopped, match="enough"):
        asyncio.run(stopped())


@pytest.mark.usefixtures("clone")
def test_drafts_are_acted_on_as_in_the_queue(tools: list[Tool]) -> None:
    with Store("reviews.db", editor="Kim") as store, Panel(store, model="mock") as critics:
        list(critics.batch(tools[:1]))
        stale = store.draft(1)
        requested = store.act(stale, "request_changes", reason="Ask the skeptic again")
        assert requested.state.label == "changes requested"
        with pytest.raises(GateError):
            store.act(requested, "publish")
        with pytest.raises(SettingsError, match="unknown 'forget'"):
            store.act(requested, "forget")
        with pytest.raises(GateError, match="reason"):
            store.act(requested, "reject")
        rejected = store.act(requested, "reject", actor="Ada", reason="Too thin")
        assert [event.actor for event in rejected.history][-1] == "Ada"
        with pytest.raises(NotFound):
            store.draft(99)


@pytest.mark.usefixtures("clone")
def test_an_action_needs_an_actor(tools: list[Tool]) -> None:
    with Store("reviews.db") as store, Panel(store, model="mock") as critics:
        list(critics.batch(tools[:1]))
        with pytest.raises(SettingsError, match="editor"):
            store.act(store.draft(1), "reject", reason="Too thin")


@pytest.mark.usefixtures("clone")
def test_a_seat_is_asked_again_through_the_store(tools: list[Tool]) -> None:
    with Store("reviews.db", editor="Kim") as store, Panel(store, model="mock") as critics:
        list(critics.batch(tools[:1]))
        before = store.draft(1)
        after = store.act(before, "rerun_seat", persona="skeptic")
        assert len(after.history) > len(before.history)


@pytest.mark.usefixtures("clone")
def test_the_core_is_async(tools: list[Tool]) -> None:
    async def jobs() -> list[str]:
        async with AsyncStore("reviews.db") as store, AsyncPanel(store, model="mock") as critics:
            estimate = await critics.estimate(tools)
            assert estimate is not None
            async for _found in critics.batch(tools):
                pass
            return sorted([row.name async for row in store.drafts()])

    assert asyncio.run(jobs()) == ["SkillClaw", "SmolLM3"]
