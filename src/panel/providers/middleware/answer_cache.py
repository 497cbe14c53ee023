"""The answer cache: every call is recorded before it is made and after it, and a recorded answer is not asked for again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from panel.core.completion import CallKey, CallRecord, Completion, Failure, Usage
from panel.errors import CallNotMade, OverBudget, ProviderError, StorageError
from panel.providers.base import Middleware

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Provider, StopSignal, WorstCase
    from panel.providers.middleware.rate_limit import RateLimiter

Call = TypeVar("Call")
Wait = Callable[[float], Awaitable[None]]
"""Waits some seconds; raises CallNotMade if the run is stopped meanwhile."""


class CallJournal(Protocol[Call]):
    """The storage of calls and answers, in the store or in a recording. Each method raises StorageError if it fails."""

    async def find(self, key: CallKey, /) -> CallRecord | None:
        """Return the record of an earlier call with the same key, or None."""
        ...

    async def begin(self, key: CallKey, wait: Wait, /) -> Call | Completion:
        """Record that a call begins, and return its handle for `settle`.

        If another process makes the same call at this moment, wait for it, and return its answer if it gets one.
        """
        ...

    async def settle(self, call: Call, record: CallRecord, /) -> None:
        """Record the outcome of a call."""
        ...

    async def withdraw(self, call: Call, record: CallRecord, /) -> None:
        """Record that the call was not made after all."""
        ...


class AnswerCache(Middleware, Generic[Call]):
    """Records all calls in a journal, and answers from it.

    After the first storage error, which sets `stop`, no call is begun; answers of calls in flight are still returned. `worst_case` and
    `most_calls`, the calls that one answer may take, are recorded with each call. An answer counts as a call in flight
    until it is recorded, so that a killed process loses no more answers than calls may be in flight.
    """

    def __init__(  # noqa: PLR0913 - each is a separate fact about the calls
        self,
        inner: Provider,
        journal: CallJournal[Call],
        stop: StopSignal,
        *,
        base_url: str | None = None,
        worst_case: WorstCase | None = None,
        most_calls: int = 1,
        limiter: RateLimiter | None = None,
    ) -> None:
        super().__init__(inner)
        self._journal = journal
        self._stop = stop
        self._base_url = base_url
        self._worst_case = worst_case
        self._most_calls = most_calls
        self._recording = limiter.recording if limiter is not None else nullcontext

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt, from the journal if possible; see `Provider.complete`."""
        key = CallKey.of(prompt, config, self.name, self._base_url)
        if self._worst_case is not None:
            risk = {"worst_usd": self._worst_case(prompt, config), "most_calls": self._most_calls}
            key = key.model_copy(update=risk)
        with self._stopping():
            earlier = await self._journal.find(key)
        if earlier is not None and earlier.completion is not None:
            return earlier.completion
        self._check_stop()
        with self._stopping():
            call = await self._journal.begin(key, self._wait)
        if isinstance(call, Completion):
            return call
        failure = earlier.failure if earlier is not None else None
        try:
            completion = _with_earlier_attempts(await self._inner.complete(prompt, config), failure)
        except ProviderError as error:
            if failure is not None:
                error.attempts += failure.attempts
                error.lost_calls += failure.lost_calls
            not_made = isinstance(error, CallNotMade | OverBudget) and not error.attempts
            settle = self._journal.withdraw if not_made else self._journal.settle
            await self._record(settle, call, CallRecord(key=key.key, failure=Failure.of(error)))
            raise
        await self._record(self._journal.settle, call, CallRecord(key=key.key, completion=completion))
        return completion

    @contextmanager
    def _stopping(self) -> Iterator[None]:
        """Stop the run after a storage error: no call may be made that cannot be recorded."""
        try:
            yield
        except StorageError as error:
            self._stop.fail(error)
            raise CallNotMade(f"not asked: {error}") from error

    async def _wait(self, seconds: float) -> None:
        await self._stop.sleep(seconds)
        self._check_stop()

    def _check_stop(self) -> None:
        if self._stop.reason is not None:
            raise CallNotMade(f"not asked: {self._stop.reason}")

    async def _record(
        self, settle: Callable[[Call, CallRecord], Awaitable[None]], call: Call, record: CallRecord
    ) -> None:
        with self._recording():
            try:
                await settle(call, record)
            except StorageError as error:
                self._stop.fail(error)


def _with_earlier_attempts(completion: Completion, earlier: Failure | None) -> Completion:
    if earlier is None:
        return completion
    usage = completion.usage + Usage.lost(earlier.lost_calls)
    return completion.model_copy(update={"attempts": completion.attempts + earlier.attempts, "usage": usage})
