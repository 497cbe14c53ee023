"""Every call is written down before it is made, and what came of it right after; an answer that is there is not asked for again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from panel.core.call_record import CallKey, CallRecord, Failure
from panel.core.completion import Completion, Usage
from panel.errors import CallNotMade, OverBudget, ProviderError, StorageError
from panel.providers.middleware.base import Wrapper

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Provider, StopSignal
    from panel.providers.middleware.budget import Worst
    from panel.providers.middleware.rate_limit import RateLimiter

Call = TypeVar("Call")
Wait = Callable[[float], Awaitable[None]]


class CallJournal(Protocol[Call]):
    """Where calls and answers are written down; each method raises StorageError if it cannot be done."""

    async def find(self, step: CallKey) -> CallRecord | None:
        """Return what a step brought earlier, or None."""
        ...

    async def begin(self, step: CallKey, wait: Wait) -> Call | Completion:
        """Keep that a step is about to be asked, and return what `settle` wants to know of it.

        If somebody else asks it at this moment, wait for what comes of it, a number of seconds at a time; an answer is returned.
        """
        ...

    async def settle(self, call: Call, entry: CallRecord) -> None:
        """Keep what came of it."""
        ...

    async def withdraw(self, call: Call, entry: CallRecord) -> None:
        """Keep that no call was made after all."""
        ...


class AnswerCached(Wrapper, Generic[Call]):
    """Keeps a journal of all calls.

    After the first error of storage no call is begun; answers of calls in flight are still handed on.

    Args:
        inner: the provider.
        journal: where calls are written down.
        halt: set when the journal cannot be kept.
        base_url: where the provider answers, if not at the vendor's own address.
        worst: tells what a call may cost at most.
        most_calls: calls that may be made for one answer at most.
        gate: admits calls; an answer that is not kept yet takes a place there, so that a process that is killed loses no more answers
            than calls may be in flight.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - each is a fact of its own, and none belongs to another
        self,
        inner: Provider,
        journal: CallJournal[Call],
        halt: StopSignal,
        base_url: str | None = None,
        worst: Worst | None = None,
        most_calls: int = 1,
        gate: RateLimiter | None = None,
    ) -> None:
        super().__init__(inner)
        self._journal = journal
        self._halt = halt
        self._base_url = base_url
        self._worst = worst
        self._most_calls = most_calls
        self._unkept = gate.unkept if gate is not None else nullcontext

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt, from the journal if it can be; see `Provider.complete`."""
        step = CallKey.of(prompt, config, self.name, self._base_url)
        if self._worst is not None:
            stake = {"worst_usd": self._worst(prompt, config), "most_calls": self._most_calls}
            step = step.model_copy(update=stake)
        earlier = await self._find(step)
        if earlier is not None and earlier.completion is not None:
            return earlier.completion
        failure = earlier.failure if earlier is not None else None
        call = await self._begin(step)
        if isinstance(call, Completion):
            return call
        try:
            completion = _with_earlier(await self._inner.complete(prompt, config), failure)
        except ProviderError as error:
            if failure is not None:
                error.attempts += failure.attempts
                error.lost_calls += failure.lost_calls
            await self._settle(call, CallRecord(key=step.key, failure=Failure.of(error)), error)
            raise
        await self._settle(call, CallRecord(key=step.key, completion=completion))
        return completion

    async def _find(self, step: CallKey) -> CallRecord | None:
        try:
            return await self._journal.find(step)
        except StorageError as error:
            raise self._stopped(error) from error

    async def _begin(self, step: CallKey) -> Call | Completion:
        self._heed()
        try:
            return await self._journal.begin(step, self._wait)
        except StorageError as error:
            raise self._stopped(error) from error

    async def _wait(self, seconds: float) -> None:
        await self._halt.sleep(seconds)
        self._heed()

    def _heed(self) -> None:
        if self._halt.reason is not None:
            raise CallNotMade(f"not asked: {self._halt.reason}")

    async def _settle(self, call: Call, entry: CallRecord, error: ProviderError | None = None) -> None:
        unasked = isinstance(error, CallNotMade | OverBudget) and not error.attempts
        keep = self._journal.withdraw if unasked else self._journal.settle
        with self._unkept():
            try:
                await keep(call, entry)
            except StorageError as fault:
                self._halt.fail(fault)

    def _stopped(self, error: StorageError) -> CallNotMade:
        self._halt.fail(error)
        return CallNotMade(f"not asked: {error}")


def _with_earlier(completion: Completion, earlier: Failure | None) -> Completion:
    """Return an answer with what an earlier, failed asking of the same question took."""
    if earlier is None:
        return completion
    update = {
        "attempts": completion.attempts + earlier.attempts,
        "usage": completion.usage + Usage.lost(earlier.lost_calls),
    }
    return completion.model_copy(update=update)
