"""The circuit breaker: it stops a run when calls keep failing although each one by itself looks worth another attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from panel.errors import (
    CallNotMade,
    OverBudget,
    ProviderDown,
    ProviderError,
    ProviderGarbled,
    ProviderTransient,
)
from panel.providers.middleware.base import Middleware

if TYPE_CHECKING:
    from panel.core.completion import Completion, ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Provider

MOST_FAILURES_IN_A_ROW = 3


class CircuitBreaker(Middleware):
    """Turns repeated failures, with no answer between them, into ProviderDown.

    - A call that failed in all its attempts: at once if no call has been answered yet, else the third in a row.
    - A response that the API does not send, twice for the same call, while no other call was answered.
    - The same refusal of a request three times in a row; once a call has been answered, for two listings or more.
    """

    def __init__(self, inner: Provider) -> None:
        super().__init__(inner)
        self._answers = 0
        self._exhausted = 0
        self._refused: list[tuple[str, str]] = []

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        answers_before = self._answers
        try:
            completion = await self._inner.complete(prompt, config)
        except (ProviderDown, CallNotMade, OverBudget):
            raise
        except ProviderGarbled as error:
            self._exhausted += 1
            if error.attempts > 1 and self._answers == answers_before:
                self._trip(
                    error,
                    "something stands between panel and the provider; check the network and the base URL",
                )
            raise
        except ProviderTransient as error:
            self._exhausted += 1
            if not self._answers or self._exhausted >= MOST_FAILURES_IN_A_ROW:
                self._trip(error, "it seems to be down")
            raise
        except ProviderError as error:
            self._refused.append((str(error), prompt.prefix_digest))
            if self._same_refusals():
                self._trip(error, "the same for every call")
            raise
        self._answers += 1
        self._exhausted = 0
        self._refused.clear()
        return completion

    def _same_refusals(self) -> bool:
        last = self._refused[-MOST_FAILURES_IN_A_ROW:]
        messages, listings = {message for message, _ in last}, {listing for _, listing in last}
        alike = len(last) == MOST_FAILURES_IN_A_ROW and len(messages) == 1
        return alike and (len(listings) > 1 or not self._answers)

    @staticmethod
    def _trip(error: ProviderError, why: str) -> NoReturn:
        down = ProviderDown(f"{error} ({why})", attempts=error.attempts, lost_calls=error.lost_calls)
        raise down from error
