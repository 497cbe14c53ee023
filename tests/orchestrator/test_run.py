"""The run service as a library calls it: plain values in, events out, nothing printed."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from acting import Memory
from panel.checks import check_review
from panel.core.take import NoTakeReason
from panel.core.tool import Tool
from panel.errors import SettingsError
from panel.orchestrator.report_files import report_files
from panel.orchestrator.run import BatchOptions, Finished, Reviewed, RunService, Started
from panel.orchestrator.setup import build_setup
from panel.orchestrator.store_access import configured_store
from panel.providers.base import StopSignal
from panel.settings.resolve import resolve
from panel.store import RunState

if TYPE_CHECKING:
    from pathlib import Path

    from panel.orchestrator.run import ReviewRun, RunEvent
    from panel.orchestrator.setup import PanelSetup
    from panel.store import Store

pytestmark = pytest.mark.anyio


def setup(model: str = "mock:mixed", **settings: Any) -> PanelSetup:
    return build_setup(resolve({"model": model, **settings}, None))


def tools(count: int) -> list[Tool]:
    return [Tool(name=f"Tool {n}", description=f"It shows run history {n} times.") for n in range(count)]


async def events(run: ReviewRun | None) -> list[RunEvent]:
    assert run is not None
    async with aclosing(run.events()) as following:
        return [event async for event in following]


async def stopped_batch(store: Store, made: PanelSetup, count: int = 4) -> int:
    """Stop a batch after its first review, and return its number."""
    service = RunService(store, stop=StopSignal())
    run = await service.batch(made, tools(count))
    assert run is not None
    async with aclosing(run.events()) as following:
        async for event in following:
            if isinstance(event, Reviewed):
                service.stop.set("enough")
    assert isinstance(event, Finished)
    assert (event.state, service.stop.reason) == ("stopped", "enough")
    assert event.run is not None
    return event.run


async def test_a_review_without_a_store_yields_events_and_leaves_nothing(
    capfd: pytest.CaptureFixture[str], own_world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    memory = Memory()
    run = await RunService(observer=memory).review(setup(), tools(2))
    started, *reviewed, finished = await events(run)
    assert isinstance(started, Started)
    assert (started.run, started.tools) == (None, 2)
    assert [event.draft for event in reviewed if isinstance(event, Reviewed)] == [None, None]
    assert finished == Finished(None, "done")
    assert Counter(kind for kind, *_ in memory.events) == {"asked": 10, "answered": 10}
    assert capfd.readouterr() == ("", "")
    assert [path.name for path in own_world.rglob("*") if path.is_file()] == ["secret"]
    assert list(tmp_path.iterdir()) == []


async def test_a_stored_review_is_checked_once_kept_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    def counted(review: Any, **more: Any) -> Any:
        checked.append(review.tool.name)
        return check_review(review, **more)

    monkeypatch.setattr("panel.checks.check_review", counted)
    made = setup(out=str(tmp_path / "out"), format="json")
    async with configured_store(made.resolved) as store:
        run = await RunService(store).review(
            made, tools(2), reports=report_files(made.settings, made.available, "-by-mock")
        )
        reviewed = [event for event in await events(run) if isinstance(event, Reviewed)]
        assert {event.draft for event in reviewed} == {1, 2}
        assert (await store.runs.get(1)).state is RunState.DONE
    assert sorted(checked) == ["Tool 0", "Tool 1"]
    written = sorted(path.name for event in reviewed for path in event.reports or ())
    assert written == ["tool-0-by-mock.json", "tool-1-by-mock.json"]


async def test_a_stopped_batch_is_resumed_and_asks_the_rest() -> None:
    made = setup(concurrency=1)
    async with configured_store(made.resolved) as store:
        number = await stopped_batch(store, made)
        memory = Memory()
        run = await RunService(store, memory).resume(number)
        started, *reviewed, finished = await events(run)
        assert isinstance(started, Started)
        assert started.done + len(reviewed) == started.tools == 4
        assert finished == Finished(number, "done", {}, finished.reused)  # type: ignore[union-attr] # the last one
        assert (await store.run_stats.progress(number)).drafts == 4


async def test_a_cancelled_task_releases_the_run() -> None:
    made = setup()
    async with configured_store(made.resolved) as store:
        run = await RunService(store).batch(made, tools(3))
        assert run is not None

        begun = asyncio.Event()

        async def begin() -> None:
            async with aclosing(run.events()) as following:
                async for event in following:
                    if isinstance(event, Started):
                        begun.set()
                        await asyncio.Event().wait()

        task = asyncio.create_task(begin())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        summary = await store.run_stats.summary(1)
        assert summary is not None
        assert summary.holder is None
        assert [type(event) for event in await events(await RunService(store).resume(1))][-1] is Finished


async def test_known_tools_are_left_out_and_the_observer_is_told() -> None:
    class Skips(Memory):
        def skipped(self, reason: str) -> None:
            self.events.append(("skipped", reason, None))

    made = setup()
    async with configured_store(made.resolved) as store:
        await events(await RunService(store).batch(made, tools(2)))
        skips = Skips()
        assert await RunService(store, skips).batch(made, tools(2)) is None
        told = [text.partition(" (draft")[0] for _, text, _ in skips.events]
        assert told == [f"Tool {n}: drafted already, in run 1" for n in range(2)]
        fresh = await RunService(store).batch(made, tools(2), BatchOptions(fresh=True))
        assert isinstance((await events(fresh))[-1], Finished)


async def test_failed_seats_are_retried_and_only_they() -> None:
    broken = setup("mock:invalid", roster="builder,skeptic")
    async with configured_store(broken.resolved) as store:
        finished = (await events(await RunService(store).batch(broken, tools(1))))[-1]
        assert isinstance(finished, Finished)
        assert finished.failed == {NoTakeReason.INVALID: 2}
        assert await RunService(store).retry(1, [NoTakeReason.TIMED_OUT]) is None
        memory = Memory()
        await events(await RunService(store, memory).retry(1, [NoTakeReason.INVALID]))
        assert len([1 for kind, *_ in memory.events if kind == "answered"]) == 2
        with pytest.raises(SettingsError, match="is a retry itself"):
            await RunService(store).retry(2)


async def test_settings_of_earlier_versions_are_ignored() -> None:
    made = setup(concurrency=1)
    async with configured_store(made.resolved) as store:
        number = await stopped_batch(store, made)
        stored = (await store.runs.get(number)).settings
        earlier = {**stored["settings"], "hedge": 20.0, "logprobs": False}
        await store.runs.set_settings(number, {**stored, "settings": earlier})
        finished = (await events(await RunService(store).resume(number)))[-1]
        assert isinstance(finished, Finished)
        assert finished.state == "done"
        record = await store.drafts.read(1, lambda record, _lock: record)
        seat = await RunService(store).rerun(made.resolved, record, "skeptic")
        assert seat.persona == "skeptic"


async def test_a_run_that_is_kept_needs_a_store() -> None:
    with pytest.raises(SettingsError, match="needs a store"):
        await RunService().batch(setup(), tools(1))
