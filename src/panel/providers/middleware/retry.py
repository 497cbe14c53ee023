"""Retries of failed calls. The SDKs' own retries are off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tenacity

from panel.errors import CallNotMade, ProviderBusy, ProviderError, ProviderTransient
from panel.providers.middleware.base import Middleware

if TYPE_CHECKING:
    from panel.core.completion import Completion, ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Provider, StopSignal

LONGEST_WAIT_SECONDS = 30.0


class Retry(Middleware):
    """Repeats a call while another attempt may help, after the wait that the provider asks for or a growing, jittered one.

    `attempts` includes the first call. A stop ends a wait early.
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
            policy = self._policy.copy(stop=lambda _state: self._enough(failures))
            completion: Completion = await policy(attempt)
        except ProviderError as error:
            final = failures[-2] if isinstance(error, CallNotMade) and len(failures) > 1 else error
            final.attempts, final.lost_calls = _totals(failures)
            raise final from error.__cause__
        if not failures:
            return completion
        attempts, lost = _totals(failures)
        usage = completion.usage
        return completion.model_copy(
            update={
                "attempts": completion.attempts + attempts,
                "usage": usage.model_copy(update={"lost_calls": usage.lost_calls + lost}),
            }
        )

    def _enough(self, failures: list[ProviderError]) -> bool:
        """Whether to give up: after the most attempts of all, or of the kind of the last failure."""
        last = failures[-1]
        most = last.most_attempts if isinstance(last, ProviderTransient) else 1
        alike = sum(type(failure) is type(last) for failure in failures)
        return len(failures) >= self._attempts or alike >= most


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
