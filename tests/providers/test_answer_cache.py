"""Calls that are written down before they are made, and what came of them."""

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


class Notebook:
    """A journal in memory that tells what was done to it, and fails where it is told to.

    Attributes:
        told: what was done, in order; the provider writes into it too.
        entries: what steps brought, by key.
        open: calls of which nothing came yet.
        elsewhere: what comes of the same step where somebody else asks it: seconds to wait, and an answer.
        failing: methods that raise.
    """

    def __init__(self, *failing: str) -> None:
        self.told: list[str] = []
        self.entries: dict[str, CallRecord] = {}
        self.open: dict[int, CallKey] = {}
        self.begun: list[CallKey] = []
        self.elsewhere: list[float | Completion] = []
        self.failing = set(failing)

    async def find(self, step: CallKey) -> CallRecord | None:
        self._try("find")
        return self.entries.get(step.key)

    async def begin(self, step: CallKey, wait: Wait) -> int | Completion:
        self._try("begin")
        while self.elsewhere:
            if isinstance(came := self.elsewhere.pop(0), Completion):
                return came
            await wait(came)
        self.begun.append(step)
        self.open[len(self.begun)] = step
        await asyncio.sleep(0)
        self.told.append("begun")
        return len(self.begun)

    async def settle(self, call: int, entry: CallRecord) -> None:
        self._try("settle")
        self.entries[self.open.pop(call).key] = entry

    async def withdraw(self, call: int, entry: CallRecord) -> None:
        self._try("withdraw")
        assert entry.key == self.open.pop(call).key

    def _try(self, what: str) -> None:
        self.told.append(what)
        if what in self.failing:
            raise FULL


class Telling(ScriptedProvider):
    """A provider that writes into a notebook's list when it is called and when it has answered."""

    def __init__(self, notebook: Notebook, *lines: Any) -> None:
        super().__init__(chain(lines, repeat(answer())), name="scripted")
        self._notebook = notebook

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        self._notebook.told.append("called")
        completion = await super().complete(prompt, config)
        self._notebook.told.append("answered")
        return completion


class CachedCalls:
    """A provider that is journaled, and all that is around it."""

    def __init__(self, *lines: Any, failing: tuple[str, ...] = (), base_url: str | None = None) -> None:
        self.notebook = Notebook(*failing)
        self.inner = Telling(self.notebook, *lines)
        self.stop = StopSignal()
        self.provider = AnswerCache(self.inner, self.notebook, self.stop, base_url=base_url)


async def test_the_intent_is_kept_before_the_call_and_the_answer_after(
    prompt: Prompt, config: ModelConfig
) -> None:
    """The journal has the intent in full before the provider is called, and is told of the answer once it is there."""
    calls = CachedCalls()
    await calls.provider.complete(prompt, config)
    assert calls.notebook.told == ["find", "begin", "begun", "called", "answered", "settle"]


async def test_an_intent_says_what_is_asked_of_whom(prompt: Prompt, config: ModelConfig) -> None:
    """An intent names the seat, the time of asking, the provider, the model, the prompt, the worst price and how many calls it may take."""
    calls = CachedCalls()
    provider = AnswerCache(
        calls.inner, calls.notebook, calls.stop, worst_case=lambda _prompt, _config: 0.25, most_calls=8
    )
    await provider.complete(prompt, config)
    (step,) = calls.notebook.begun
    assert (step.label, step.provider, step.model) == ("lantern.builder.1", "scripted", "some-model")
    assert (step.prompt_digest, step.worst_usd, step.most_calls) == (prompt.digest, 0.25, 8)


async def test_an_answer_that_is_there_is_not_asked_for_again(prompt: Prompt, config: ModelConfig) -> None:
    """The same question is answered from the journal as it was then, with no intent and no call."""
    calls = CachedCalls(answer("first", attempts=3, request_id="req-1"), answer("second"))
    first = await calls.provider.complete(prompt, config)
    calls.notebook.told.clear()
    assert await calls.provider.complete(prompt, config) == first
    assert (calls.inner.calls, calls.notebook.told) == (1, ["find"])


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
async def test_one_changed_character_is_another_step(
    change: dict[str, Any], prompt: Prompt, config: ModelConfig
) -> None:
    """A prompt that differs in one character of any part is asked anew."""
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
async def test_each_setting_of_a_model_makes_another_step(
    change: dict[str, Any], prompt: Prompt, config: ModelConfig
) -> None:
    """A question that is asked with any other setting of the model is asked anew."""
    calls = CachedCalls()
    await calls.provider.complete(prompt, config)
    await calls.provider.complete(prompt, config.model_copy(update=change))
    assert calls.inner.calls == 2


async def test_another_provider_is_another_step(prompt: Prompt, config: ModelConfig) -> None:
    """Two providers that share a journal do not give each other's answers."""
    calls = CachedCalls()
    other = Telling(calls.notebook, answer("theirs"))
    other.name = "other"
    await calls.provider.complete(prompt, config)
    completion = await AnswerCache(other, calls.notebook, calls.stop).complete(prompt, config)
    assert (completion.text, other.calls) == ("theirs", 1)


async def test_another_address_is_another_step(prompt: Prompt, config: ModelConfig) -> None:
    """The same provider at another address, or at its own, does not give the answers of the first."""
    calls = CachedCalls()
    for url in ("http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1", None):
        await AnswerCache(calls.inner, calls.notebook, calls.stop, base_url=url).complete(prompt, config)
    assert calls.inner.calls == 3


async def test_the_label_is_no_part_of_the_question(prompt: Prompt, config: ModelConfig) -> None:
    """A tool that is filed under another slug is not asked about again."""
    calls = CachedCalls()
    await calls.provider.complete(prompt, config)
    await calls.provider.complete(prompt.model_copy(update={"label": "lantern-2.builder"}), config)
    assert calls.inner.calls == 1


async def test_what_somebody_else_asks_is_waited_for(prompt: Prompt, config: ModelConfig) -> None:
    """A question that is in flight elsewhere is given the answer that comes there, and no call is made."""
    calls = CachedCalls()
    calls.notebook.elsewhere = [0.0, 0.0, answer("theirs")]
    assert (await calls.provider.complete(prompt, config)).text == "theirs"
    assert (calls.inner.calls, calls.notebook.open) == (0, {})


async def test_a_halt_ends_the_waiting_for_somebody_else(prompt: Prompt, config: ModelConfig) -> None:
    """Who waits for another's answer leaves as soon as the run is stopped."""
    calls = CachedCalls()
    calls.notebook.elsewhere = [3600.0]
    waiting = asyncio.create_task(calls.provider.complete(prompt, config))
    await until(lambda: calls.notebook.elsewhere == [])
    calls.stop.set("interrupted")
    with pytest.raises(CallNotMade, match="not asked: interrupted"):
        await waiting
    assert calls.inner.calls == 0


async def test_no_call_without_an_intent(prompt: Prompt, config: ModelConfig) -> None:
    """When the intent cannot be kept no call is made, and the run is stopped by the storage error."""
    calls = CachedCalls(failing=("begin",))
    with pytest.raises(CallNotMade, match=r"not asked: panel\.db: the disk is full") as caught:
        await calls.provider.complete(prompt, config)
    assert (calls.inner.calls, caught.value.attempts) == (0, 0)
    assert (calls.stop.storage_error, calls.stop.reason) == (FULL, str(FULL))


async def test_no_call_if_it_cannot_be_told_what_is_there(prompt: Prompt, config: ModelConfig) -> None:
    """When the journal cannot be read nothing is asked, since the answer might be there already."""
    calls = CachedCalls(failing=("find",))
    with pytest.raises(CallNotMade, match="the disk is full"):
        await calls.provider.complete(prompt, config)
    assert (calls.inner.calls, calls.notebook.begun, calls.stop.storage_error) == (0, [], FULL)


async def test_an_answer_that_cannot_be_kept_is_handed_on(prompt: Prompt, config: ModelConfig) -> None:
    """When a paid answer cannot be kept it is still handed on, and the run is stopped by the storage error."""
    calls = CachedCalls(answer("paid"), failing=("settle",))
    assert (await calls.provider.complete(prompt, config)).text == "paid"
    assert calls.stop.storage_error == FULL


async def test_a_failure_that_cannot_be_kept_is_still_that_failure(
    prompt: Prompt, config: ModelConfig
) -> None:
    """When a failed call cannot be kept its own error comes through, and the run is stopped by the storage error."""
    calls = CachedCalls(ProviderBusy("busy"), failing=("settle",))
    with pytest.raises(ProviderBusy, match="busy"):
        await calls.provider.complete(prompt, config)
    assert calls.stop.storage_error == FULL


async def test_nothing_is_begun_after_a_storage_error(prompt: Prompt, config: ModelConfig) -> None:
    """After the first storage error no call begins, though the disk may have room again."""
    calls = CachedCalls(failing=("settle",))
    await calls.provider.complete(prompt, config)
    calls.notebook.failing.clear()
    with pytest.raises(CallNotMade, match=r"not asked: panel\.db: the disk is full"):
        await calls.provider.complete(prompt.model_copy(update={"own": "NEXT"}), config)
    assert (calls.inner.calls, len(calls.notebook.begun)) == (1, 1)


async def test_answers_in_flight_outlive_a_storage_error(prompt: Prompt, config: ModelConfig) -> None:
    """A call that was under way when storage failed is waited for, kept if it can be, and handed on."""
    released = asyncio.Event()
    calls = CachedCalls(released)
    slow = asyncio.create_task(calls.provider.complete(prompt, config))
    await until(lambda: calls.inner.in_flight == 1)
    calls.stop.fail(FULL)
    released.set()
    assert (await slow).text == "answer"
    assert calls.notebook.told[-1] == "settle"
    assert calls.notebook.open == {}


async def test_answers_that_are_there_are_given_in_a_halt(prompt: Prompt, config: ModelConfig) -> None:
    """A stopped run still gives what is kept already, because that costs nothing."""
    calls = CachedCalls(answer("kept"))
    await calls.provider.complete(prompt, config)
    calls.stop.set("interrupted")
    assert (await calls.provider.complete(prompt, config)).text == "kept"


async def test_a_halted_run_begins_no_step(prompt: Prompt, config: ModelConfig) -> None:
    """In a stopped run no intent is kept and no call is made."""
    calls = CachedCalls()
    calls.stop.set("interrupted")
    with pytest.raises(CallNotMade, match="not asked: interrupted"):
        await calls.provider.complete(prompt, config)
    assert (calls.inner.calls, calls.notebook.begun) == (0, [])


async def test_a_call_that_was_not_made_is_withdrawn(prompt: Prompt, config: ModelConfig) -> None:
    """A call that was not made because the run stopped is withdrawn, so that it counts as neither open nor lost."""
    calls = CachedCalls(CallNotMade("not asked: interrupted"))
    with pytest.raises(CallNotMade):
        await calls.provider.complete(prompt, config)
    assert (calls.notebook.open, calls.notebook.entries) == ({}, {})
    assert "withdraw" in calls.notebook.told
    assert "settle" not in calls.notebook.told


async def test_a_call_that_the_budget_did_not_cover_is_withdrawn(prompt: Prompt, config: ModelConfig) -> None:
    """An intent whose call the budget did not cover is withdrawn, and the run is not stopped by it."""
    calls = CachedCalls(OverBudget("not asked: the budget does not cover it"))
    with pytest.raises(OverBudget):
        await calls.provider.complete(prompt, config)
    assert (calls.notebook.open, calls.notebook.entries, calls.stop.reason) == ({}, {}, None)
    assert "withdraw" in calls.notebook.told
    assert "settle" not in calls.notebook.told


async def test_attempts_that_were_made_before_the_budget_ended_are_kept(
    prompt: Prompt, config: ModelConfig
) -> None:
    """A step whose last attempt the budget did not cover is kept with those that were made and may be billed."""
    error = OverBudget("not asked: the budget does not cover it")
    error.attempts = error.lost_calls = 2
    calls = CachedCalls(error)
    with pytest.raises(OverBudget):
        await calls.provider.complete(prompt, config)
    (entry,) = calls.notebook.entries.values()
    assert entry.failure
    assert (entry.failure.attempts, entry.failure.lost_calls) == (2, 2)


async def test_a_call_that_the_budget_did_not_cover_is_not_recorded(
    tmp_path: Path, prompt: Prompt, config: ModelConfig
) -> None:
    """A recording has no file of a question that the budget did not let be asked, so that it is asked another time."""
    for budget, kept in ((Budget(0.001), 0), (Budget(1.0), 1)):
        inner = BudgetLimit(scripted(), budget, lambda _prompt, _config: 0.01)
        provider = AnswerCache(inner, Recording(tmp_path), StopSignal())
        (outcome,) = await asyncio.gather(provider.complete(prompt, config), return_exceptions=True)
        assert (isinstance(outcome, OverBudget), len(list(tmp_path.iterdir()))) == (not kept, kept)


async def test_a_call_that_cannot_be_withdrawn_halts(prompt: Prompt, config: ModelConfig) -> None:
    """When an intent cannot be withdrawn the run is stopped, and the call still counts as not made."""
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
async def test_a_failure_is_kept(
    error: ProviderError, kind: str, prompt: Prompt, config: ModelConfig
) -> None:
    """A call that brought no answer is kept with its words, its attempts and those of them that may be billed."""
    calls = CachedCalls(error)
    with pytest.raises(type(error)):
        await calls.provider.complete(prompt, config)
    (entry,) = calls.notebook.entries.values()
    assert entry.failure == Failure(
        kind=kind, message=str(error), attempts=error.attempts, lost_calls=error.lost_calls
    )
    assert entry.completion is None


async def test_a_failure_is_asked_again(prompt: Prompt, config: ModelConfig) -> None:
    """A step that failed is asked again, and its answer says what both times took."""
    calls = CachedCalls(ProviderTimeout("slow", attempts=4, lost_calls=3), answer("now", attempts=2))
    with pytest.raises(ProviderTimeout):
        await calls.provider.complete(prompt, config)
    completion = await calls.provider.complete(prompt, config)
    assert (completion.text, completion.attempts, completion.usage.lost_calls) == ("now", 6, 3)
    assert calls.inner.calls == 2
    assert await calls.provider.complete(prompt, config) == completion


async def test_a_second_failure_says_what_both_took(prompt: Prompt, config: ModelConfig) -> None:
    """A step that fails again is kept with the attempts of both times."""
    calls = CachedCalls(*[ProviderTimeout("slow", attempts=4, lost_calls=3) for _ in range(2)])
    for _ in range(2):
        with pytest.raises(ProviderTimeout) as caught:
            await calls.provider.complete(prompt, config)
    assert (caught.value.attempts, caught.value.lost_calls) == (8, 6)


async def test_a_cancelled_call_stays_open(prompt: Prompt, config: ModelConfig) -> None:
    """A call that is cancelled on its way stays open in the journal, since it may have been paid for."""
    calls = CachedCalls(asyncio.Event())
    task = asyncio.create_task(calls.provider.complete(prompt, config))
    await until(lambda: calls.inner.in_flight == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [step.label for step in calls.notebook.open.values()] == ["lantern.builder.1"]
    assert (calls.notebook.entries, calls.stop.reason) == ({}, None)


async def test_a_bug_leaves_the_call_open(prompt: Prompt, config: ModelConfig) -> None:
    """An exception that is no provider's comes through as it is, and the call stays open."""
    calls = CachedCalls(RuntimeError("a bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        await calls.provider.complete(prompt, config)
    assert len(calls.notebook.open) == 1


async def test_of_two_journals_the_outer_one_is_asked_first(prompt: Prompt, config: ModelConfig) -> None:
    """With a recording around the store, an answer of either is given without a call, and goes into the outer one."""
    calls = CachedCalls(answer("once"))
    await calls.provider.complete(prompt, config)
    outer = Notebook()
    around = AnswerCache(calls.provider, outer, calls.stop)
    for _ in range(2):
        assert (await around.complete(prompt, config)).text == "once"
    assert calls.inner.calls == 1
    assert [entry.completion and entry.completion.text for entry in outer.entries.values()] == ["once"]


async def test_the_outer_journal_keeps_no_call_that_the_inner_refused(
    prompt: Prompt, config: ModelConfig
) -> None:
    """When the store cannot keep an intent the recording around it withdraws its own, and no call is made."""
    calls = CachedCalls(failing=("begin",))
    outer = Notebook()
    with pytest.raises(CallNotMade, match="the disk is full"):
        await AnswerCache(calls.provider, outer, calls.stop).complete(prompt, config)
    assert (calls.inner.calls, outer.open, outer.entries) == (0, {}, {})
