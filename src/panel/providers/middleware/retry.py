"""Failed calls: `Retry` repeats one while that may help, and `CircuitBreaker` stops a run when calls keep failing."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import tenacity

from panel.errors import (
    CallNotMade,
    OverBudget,
    ProviderBusy,
    ProviderDown,
    ProviderError,
    ProviderGarbled,
    ProviderTransient,
)
from panel.providers.base import Middleware

if TYPE_CHECKING:
    from panel.core.completion import Completion, ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Provider, StopSignal

LONGEST_WAIT_SECONDS = 30.0
MOST_FAILURES_IN_A_ROW = 3


class Retry(Middleware):
    """Repeats a call after the wait that the provider asks for or a growing, jittered one. A stop ends a wait early.

    `attempts` includes the first call.
    """

    def __init__(self, inner: Provider, attempts: int, stop: StopSignal) -> None:
        super().__init__(inner)
        self._attempts = attempts
        self._policy = tenacity.AsyncRetrying(
            wait=_wait,
            retry=tenacity.retry_if_exception_type(ProviderTransient),
            sleep=stop.sleep,
            reraise=True,
        )

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`. The completion or the error counts all attempts."""
        failures: list[ProviderError] = []

        async def attempt() -> Completion:
            try:
                return await self._inner.complete(prompt, config)
            except ProviderError as error:
                failures.append(error)
                raise

        try:
            policy = self._policy.copy(stop=lambda _state: self._gives_up(failures))
            completion: Completion = await policy(attempt)
        except ProviderError as error:
            final = failures[-2] if isinstance(error, CallNotMade) and len(failures) > 1 else error
            final.attempts, final.lost_calls = _totals(failures)
            raise final from error.__cause__
        if not failures:
            return completion
        attempts, lost = _totals(failures)
        usage = completion.usage.model_copy(update={"lost_calls": completion.usage.lost_calls + lost})
        return completion.model_copy(update={"attempts": completion.attempts + attempts, "usage": usage})

    def _gives_up(self, failures: list[ProviderError]) -> bool:
        """Whether these are the most attempts of all, or of the kind of the last failure."""
        last = failures[-1]
        most = last.most_attempts if isinstance(last, ProviderTransient) else 1
        alike = sum(type(failure) is type(last) for failure in failures)
        return len(failures) >= self._attempts or alike >= most


class CircuitBreaker(Middleware):
    """Turns repeated failures, with no answer between them, into ProviderDown.

    - A call that failed in all its attempts: at once if no call has been answered yet, else the third in a row.
    - A response that is not the API's, such as a proxy's page, twice for one call, while no other call was answered.
    - The same 4xx answer to a request three times in a row; once a call has been answered, for two listings or more.
    """

    def __init__(self, inner: Provider) -> None:
        super().__init__(inner)
        self._answers = 0
        self._exhausted = 0
        self._refused: deque[tuple[str, str]] = deque(maxlen=MOST_FAILURES_IN_A_ROW)

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        answers_before = self._answers
        try:
            completion = await self._inner.complete(prompt, config)
        except (ProviderDown, CallNotMade, OverBudget):
            raise
        except ProviderError as error:
            why = self._reason_to_stop(error, prompt, answered_since=self._answers > answers_before)
            if why is None:
                raise
            down = ProviderDown(f"{error} ({why})", attempts=error.attempts, lost_calls=error.lost_calls)
            raise down from error
        self._answers += 1
        self._exhausted = 0
        self._refused.clear()
        return completion

    def _reason_to_stop(self, error: ProviderError, prompt: Prompt, *, answered_since: bool) -> str | None:
        if not isinstance(error, ProviderTransient):
            self._refused.append((str(error), prompt.prefix_digest))
            messages, listings = map(set, zip(*self._refused, strict=True))
            alike = len(self._refused) == MOST_FAILURES_IN_A_ROW and len(messages) == 1
            return "the same for every call" if alike and (len(listings) > 1 or not self._answers) else None
        self._exhausted += 1
        if isinstance(error, ProviderGarbled):
            in_the_way = "something stands between panel and the provider; check the network and the base URL"
            return in_the_way if error.attempts > 1 and not answered_since else None
        is_down = not self._answers or self._exhausted >= MOST_FAILURES_IN_A_ROW
        return "it seems to be down" if is_down else None


_grow = tenacity.wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT_SECONDS)
_grow_from_longer = tenacity.wait_random_exponential(multiplier=2.0, max=LONGEST_WAIT_SECONDS)


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, ProviderBusy):
        return _grow(state)
    if error.retry_after is not None:
        return error.retry_after
    return _grow_from_longer(state) if error.slow_down else _grow(state)


def _totals(failures: list[ProviderError]) -> tuple[int, int]:
    return sum(error.attempts for error in failures), sum(error.lost_calls for error in failures)
