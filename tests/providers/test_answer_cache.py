"""The answer cache: calls are recorded before they are made, and their outcomes after."""

from __future__ import annotations

import asyncio
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import pytest

from panel.core.completion import CallKey, CallRecord, Completion, Effort, Failure, Verbosity
from panel.errors import (
    CallNotMade,
    OverBudget,
    ProviderBusy,
    ProviderDown,
    ProviderError,
    ProviderTimeout,
    StorageError,
)
from panel.providers.base import StopSignal
from panel.providers.middleware.answer_cache import AnswerCache
from panel.providers.middleware.budget import Budget, BudgetLimit
from panel.providers.recording import Recording
from parts import ScriptedProvider, answer, scripted, until

if TYPE_CHECKING:
    from pathlib import Path

    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.middleware.answer_cache import Wait

pytestmark = pytest.mark.anyio

FULL = StorageError("panel.db: the disk is full")


class MemoryJournal:
    """A journal in memory that logs its method calls, and raises in the `failing` ones.

    `other_process` holds the fate of the same call in another process: seconds to wait, and an answer.
    """

    def __init__(self, *failing: str) -> None:
        self.log: list[str] = []
        self.records: dict[str, CallRecord] = {}
        self.open: dict[int, CallKey] = {}
        self.begun: list[CallKey] = []
        self.other_process: list[float | Completion] = []
        self.failing = set(failing)

    async def find(self, key: CallKey) -> CallRecord | None:
        self._try("find")
        return self.records.get(key.key)

    async def begin(self, key: CallKey, wait: Wait) -> int | Completion:
        self._try("begin")
        while self.other_process:
            if isinstance(came := self.other_process.pop(0), Completion):
                return came
            await wait(came)
        self.begun.append(key)
        self.open[len(self.begun)] = key
        await asyncio.sleep(0)
        self.log.append("begun")
        return len(self.begun)

    async def settle(self, call: int, record: CallRecord) -> None:
        self._try("settle")
        self.records[self.open.pop(call).key] = record

    async def withdraw(self, call: int, record: CallRecord) -> None:
        self._try("withdraw")
        assert record.key == self.open.pop(call).key

    def _try(self, what: str) -> None:
        self.log.append(what)
        if what in self.failing:
            raise FULL


class LoggedProvider(ScriptedProvider):
    """A provider that adds its calls and answers to a journal's log."""

    def __init__(self, journal: MemoryJournal, *lines: Any) -> None:
        super().__init__(chain(lines, repeat(answer())), name="scripted")
        self._journal = journal

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        self._journal.log.append("called")
        completion = await super().complete(prompt, config)
        self._journal.log.append("answered")
        return completion


class CachedCalls:
    """A provider with an answer cache, and everything around it."""

    def __init__(self, *lines: Any, failing: tuple[str, ...] = (), base_url: str | None = None) -> None:
        self.journal = MemoryJournal(*failing)
        self.inner = LoggedProvider(self.journal, *lines)
        self.stop = StopSignal()
        self.provider = AnswerCache(self.inner, self.journal, self.stop, base_url=base_url)


async def test_journal_has_the_call_before_it_is_made_and_its_answer_after(
    prompt: Prompt, config: ModelConfig
) -> None:
    calls = CachedCalls()
    await calls.provider.complete(prompt, config)
    assert calls.journal.log == ["find", "begin", "begun", "called", "answered", "settle"]


async def test_call_key_names_seat_provider_model_prompt_and_risk(
    prompt: Prompt, config: ModelConfig
) -> None:
    calls = CachedCalls()
    provider = AnswerCache(
        calls.inner, calls.journal, calls.stop, worst_case=lambda _prompt, _config: 0.25, most_calls=8
    )
    await provider.complete(prompt, config)
    (key,) = calls.journal.begun
    assert (key.label, key.provider, key.model) == ("lantern.builder.1", "scripted", "some-model")
    assert (key.prompt_digest, key.worst_usd, key.most_calls) == (prompt.digest, 0.25, 8)


async def test_recorded_answer_is_returned_without_a_call(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls(answer("first", attempts=3, request_id="req-1"), answer("second"))
    first = await calls.provider.complete(prompt, config)
    calls.journal.log.clear()
    assert await calls.provider.complete(prompt, config) == first
    assert (calls.inner.calls, calls.journal.log) == (1, ["find"])


@pytest.mark.parametrize(
    "change",
    [
        {"system": "RULES!"},
        {"shared": "LISTING"},
        {"own": "SEAT "},
        {"ask": 2},
        {"answer_schema": {}},
        {"canary": "c"},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_prompt_with_one_changed_character_is_another_call(
    change: dict[str, Any], prompt: Prompt, config: ModelConfig
) -> None:
    calls = CachedCalls()
    await calls.provider.complete(prompt, config)
    await calls.provider.complete(prompt.model_copy(update=change), config)
    assert calls.inner.calls == 2


@pytest.mark.parametrize(
    "change",
    [
        {"model": "some-model2"},
        {"max_output_tokens": 1_235},
        {"effort": Effort.HIGH},
        {"verbosity": Verbosity.HIGH},
        {"seed": 1},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_each_parameter_of_a_model_makes_another_call(
    change: dict[str, Any], prompt: Prompt, config: ModelConfig
) -> None:
    calls = CachedCalls()
    await calls.provider.complete(prompt, config)
    await calls.provider.complete(prompt, config.model_copy(update=change))
    assert calls.inner.calls == 2


async def test_another_provider_is_another_call(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls()
    other = LoggedProvider(calls.journal, answer("theirs"))
    other.name = "other"
    await calls.provider.complete(prompt, config)
    completion = await AnswerCache(other, calls.journal, calls.stop).complete(prompt, config)
    assert (completion.text, other.calls) == ("theirs", 1)


async def test_another_address_is_another_call(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls()
    for url in ("http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1", None):
        await AnswerCache(calls.inner, calls.journal, calls.stop, base_url=url).complete(prompt, config)
    assert calls.inner.calls == 3


async def test_label_does_not_change_the_call(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls()
    await calls.provider.complete(prompt, config)
    await calls.provider.complete(prompt.model_copy(update={"label": "lantern-2.builder"}), config)
    assert calls.inner.calls == 1


async def test_call_in_flight_elsewhere_is_waited_for(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls()
    calls.journal.other_process = [0.0, 0.0, answer("theirs")]
    assert (await calls.provider.complete(prompt, config)).text == "theirs"
    assert (calls.inner.calls, calls.journal.open) == (0, {})


async def test_stop_ends_the_wait_for_another_process(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls()
    calls.journal.other_process = [3600.0]
    waiting = asyncio.create_task(calls.provider.complete(prompt, config))
    await until(lambda: calls.journal.other_process == [])
    calls.stop.set("interrupted")
    with pytest.raises(CallNotMade, match="not asked: interrupted"):
        await waiting
    assert calls.inner.calls == 0


async def test_no_call_is_made_if_it_cannot_be_recorded(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls(failing=("begin",))
    with pytest.raises(CallNotMade, match=r"not asked: panel\.db: the disk is full") as caught:
        await calls.provider.complete(prompt, config)
    assert (calls.inner.calls, caught.value.attempts) == (0, 0)
    assert (calls.stop.storage_error, calls.stop.reason) == (FULL, str(FULL))


async def test_no_call_is_made_if_the_journal_cannot_be_read(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls(failing=("find",))
    with pytest.raises(CallNotMade, match="the disk is full"):
        await calls.provider.complete(prompt, config)
    assert (calls.inner.calls, calls.journal.begun, calls.stop.storage_error) == (0, [], FULL)


async def test_paid_answer_that_cannot_be_recorded_is_returned(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls(answer("paid"), failing=("settle",))
    assert (await calls.provider.complete(prompt, config)).text == "paid"
    assert calls.stop.storage_error == FULL


async def test_failure_that_cannot_be_recorded_is_still_raised(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls(ProviderBusy("busy"), failing=("settle",))
    with pytest.raises(ProviderBusy, match="busy"):
        await calls.provider.complete(prompt, config)
    assert calls.stop.storage_error == FULL


async def test_no_call_begins_after_a_storage_error(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls(failing=("settle",))
    await calls.provider.complete(prompt, config)
    calls.journal.failing.clear()
    with pytest.raises(CallNotMade, match=r"not asked: panel\.db: the disk is full"):
        await calls.provider.complete(prompt.model_copy(update={"own": "NEXT"}), config)
    assert (calls.inner.calls, len(calls.journal.begun)) == (1, 1)


async def test_answers_in_flight_outlive_a_storage_error(prompt: Prompt, config: ModelConfig) -> None:
    released = asyncio.Event()
    calls = CachedCalls(released)
    slow = asyncio.create_task(calls.provider.complete(prompt, config))
    await until(lambda: calls.inner.in_flight == 1)
    calls.stop.fail(FULL)
    released.set()
    assert (await slow).text == "answer"
    assert calls.journal.log[-1] == "settle"
    assert calls.journal.open == {}


async def test_stopped_run_still_returns_recorded_answers(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls(answer("kept"))
    await calls.provider.complete(prompt, config)
    calls.stop.set("interrupted")
    assert (await calls.provider.complete(prompt, config)).text == "kept"


async def test_stopped_run_begins_no_call(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls()
    calls.stop.set("interrupted")
    with pytest.raises(CallNotMade, match="not asked: interrupted"):
        await calls.provider.complete(prompt, config)
    assert (calls.inner.calls, calls.journal.begun) == (0, [])


async def test_a_call_that_was_not_made_is_withdrawn(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls(CallNotMade("not asked: interrupted"))
    with pytest.raises(CallNotMade):
        await calls.provider.complete(prompt, config)
    assert (calls.journal.open, calls.journal.records) == ({}, {})
    assert "withdraw" in calls.journal.log
    assert "settle" not in calls.journal.log


async def test_call_that_the_budget_does_not_cover_is_withdrawn(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls(OverBudget("not asked: the budget does not cover it"))
    with pytest.raises(OverBudget):
        await calls.provider.complete(prompt, config)
    assert (calls.journal.open, calls.journal.records, calls.stop.reason) == ({}, {}, None)
    assert "withdraw" in calls.journal.log
    assert "settle" not in calls.journal.log


async def test_attempts_made_before_the_budget_ended_are_recorded(
    prompt: Prompt, config: ModelConfig
) -> None:
    error = OverBudget("not asked: the budget does not cover it")
    error.attempts = error.lost_calls = 2
    calls = CachedCalls(error)
    with pytest.raises(OverBudget):
        await calls.provider.complete(prompt, config)
    (record,) = calls.journal.records.values()
    assert record.failure
    assert (record.failure.attempts, record.failure.lost_calls) == (2, 2)


async def test_recording_has_no_file_for_a_call_that_the_budget_did_not_cover(
    tmp_path: Path, prompt: Prompt, config: ModelConfig
) -> None:
    for budget, kept in ((Budget(0.001), 0), (Budget(1.0), 1)):
        inner = BudgetLimit(scripted(), budget, lambda _prompt, _config: 0.01)
        provider = AnswerCache(inner, Recording(tmp_path), StopSignal())
        (outcome,) = await asyncio.gather(provider.complete(prompt, config), return_exceptions=True)
        assert (isinstance(outcome, OverBudget), len(list(tmp_path.iterdir()))) == (not kept, kept)


async def test_call_that_cannot_be_withdrawn_stops_the_run(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls(CallNotMade("not asked: interrupted"), failing=("withdraw",))
    with pytest.raises(CallNotMade, match="interrupted"):
        await calls.provider.complete(prompt, config)
    assert calls.stop.storage_error == FULL


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ProviderTimeout("slow", attempts=4, lost_calls=3), "timeout"),
        (ProviderDown("no key"), "down"),
        (ProviderError("bad request"), "error"),
    ],
    ids=["timeout", "down", "error"],
)
async def test_failure_is_recorded_with_its_attempts(
    error: ProviderError, kind: str, prompt: Prompt, config: ModelConfig
) -> None:
    calls = CachedCalls(error)
    with pytest.raises(type(error)):
        await calls.provider.complete(prompt, config)
    (record,) = calls.journal.records.values()
    assert record.failure == Failure(
        kind=kind, message=str(error), attempts=error.attempts, lost_calls=error.lost_calls
    )
    assert record.completion is None


async def test_a_failure_is_asked_again(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls(ProviderTimeout("slow", attempts=4, lost_calls=3), answer("now", attempts=2))
    with pytest.raises(ProviderTimeout):
        await calls.provider.complete(prompt, config)
    completion = await calls.provider.complete(prompt, config)
    assert (completion.text, completion.attempts, completion.usage.lost_calls) == ("now", 6, 3)
    assert calls.inner.calls == 2
    assert await calls.provider.complete(prompt, config) == completion


async def test_second_failure_counts_the_attempts_of_both(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls(*[ProviderTimeout("slow", attempts=4, lost_calls=3) for _ in range(2)])
    for _ in range(2):
        with pytest.raises(ProviderTimeout) as caught:
            await calls.provider.complete(prompt, config)
    assert (caught.value.attempts, caught.value.lost_calls) == (8, 6)


async def test_a_cancelled_call_stays_open(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls(asyncio.Event())
    task = asyncio.create_task(calls.provider.complete(prompt, config))
    await until(lambda: calls.inner.in_flight == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [key.label for key in calls.journal.open.values()] == ["lantern.builder.1"]
    assert (calls.journal.records, calls.stop.reason) == ({}, None)


async def test_a_bug_leaves_the_call_open(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls(RuntimeError("a bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        await calls.provider.complete(prompt, config)
    assert len(calls.journal.open) == 1


async def test_answer_of_either_of_two_journals_is_returned_without_a_call(
    prompt: Prompt, config: ModelConfig
) -> None:
    calls = CachedCalls(answer("once"))
    await calls.provider.complete(prompt, config)
    outer = MemoryJournal()
    around = AnswerCache(calls.provider, outer, calls.stop)
    for _ in range(2):
        assert (await around.complete(prompt, config)).text == "once"
    assert calls.inner.calls == 1
    assert [record.completion and record.completion.text for record in outer.records.values()] == ["once"]


async def test_recording_withdraws_a_call_that_the_store_refused(prompt: Prompt, config: ModelConfig) -> None:
    calls = CachedCalls(failing=("begin",))
    outer = MemoryJournal()
    with pytest.raises(CallNotMade, match="the disk is full"):
        await AnswerCache(calls.provider, outer, calls.stop).complete(prompt, config)
    assert (calls.inner.calls, outer.open, outer.records) == (0, {}, {})
