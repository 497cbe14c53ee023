"""How many calls go to a model at once, and how fast: the one gate through which every attempt passes."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from aiolimiter import AsyncLimiter

from panel.errors import CallNotMade, ProviderBusy, ProviderDown
from panel.providers.middleware.base import Wrapper
from panel.providers.tokens import estimate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from panel.core.completion import Completion, ModelConfig, RateLimits
    from panel.core.prompt import Prompt
    from panel.providers.base import Provider, StopSignal

MINUTE = 60.0
BURST_SECONDS = 6.0
"""What may go out at once, as seconds' worth of the rate per minute: no minute then sees more than a tenth above it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Limits on the calls to one model.

    Attributes:
        concurrency: calls in flight at most.
        requests_per_minute: calls begun in a minute at most; None for what the provider says.
        tokens_per_minute: tokens, read and written, at most; None for what the provider says.
    """

    concurrency: int
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


class RateLimiter:
    """Admits calls: as many at once as the provider bears, no more than the cap, and none after a halt.

    The number at once follows additive increase and multiplicative decrease, as TCP does (Chiu and Jain 1989): one more for
    each round of good answers, half as many after a 429 or an overload, but once only for calls that went out before.
    """

    def __init__(self, pace: Pace, halt: StopSignal) -> None:
        self._pace = pace
        self._halt = halt
        self._limit = float(pace.concurrency)
        self._slots = anyio.CapacityLimiter(pace.concurrency)
        self._requests = _bucket(pace.requests_per_minute)
        self._tokens = _bucket(pace.tokens_per_minute)
        self._unkept = 0
        self._kept = asyncio.Event()
        self._resume_at = self._slowed_at = 0.0
        self._written: float | None = None

    @property
    def limit(self) -> int:
        """Calls in flight that are admitted at the moment."""
        return int(self._limit)

    @property
    def in_flight(self) -> int:
        """Calls that are admitted and have not ended."""
        return self._slots.borrowed_tokens

    @property
    def waiting(self) -> int:
        """Calls that wait for their turn."""
        return self._slots.statistics().tasks_waiting

    @asynccontextmanager
    async def passage(self, prompt: Prompt, config: ModelConfig) -> AsyncIterator[None]:
        """Wait for a turn, and hold it for as long as the block runs.

        Raises:
            CallNotMade: the run was halted.
        """
        turn = object()
        await self._slots.acquire_on_behalf_of(turn)
        try:
            await self._wait(prompt, config)
            while self._unkept and self._unkept + self.in_flight > self._pace.concurrency:
                await self._kept.wait()
            if self._halt.reason is not None:
                raise CallNotMade(f"not asked: {self._halt.reason}")
            began = time.monotonic()
            try:
                yield
            except ProviderBusy as error:
                self._slow_down(error, began)
                raise
            except ProviderDown as error:
                # Before the turn is given to the next call, which could not succeed either.
                self._halt.set(str(error))
                raise
        finally:
            self._slots.release_on_behalf_of(turn)

    @contextmanager
    def unkept(self) -> Iterator[None]:
        """Count an answer that is still to be kept as if its call were in flight, for as long as the block runs."""
        self._unkept += 1
        try:
            yield
        finally:
            self._unkept -= 1
            self._kept.set()
            self._kept = asyncio.Event()

    def heed(self, completion: Completion) -> None:
        """Take note of an answer: that it came, how long it was, and what it says about limits."""
        written = completion.usage.output_tokens
        if written is not None:
            self._written = written if self._written is None else 0.9 * self._written + 0.1 * written
        if self._limit < self._pace.concurrency:
            self._set_limit(self._limit + 1 / self._limit)
        if completion.limits is not None:
            self._heed_limits(completion.limits, completion.usage.input_tokens or 0)

    async def _wait(self, prompt: Prompt, config: ModelConfig) -> None:
        if self._requests is not None:
            await self._draw(self._requests, 1)
        if self._tokens is not None:
            written = config.max_output_tokens if self._written is None else self._written
            await self._draw(self._tokens, estimate(prompt) + written)
        while self._halt.reason is None and (seconds := self._resume_at - time.monotonic()) > 0:
            await self._halt.sleep(seconds)

    async def _draw(self, bucket: AsyncLimiter, amount: float) -> None:
        """Take an amount from a bucket, in several draughts if it holds less."""
        while amount > 0 and self._halt.reason is None:
            draught = min(amount, bucket.max_rate)
            if bucket.has_capacity(draught):
                await bucket.acquire(draught)
            else:
                await self._halt.cut_short(bucket.acquire(draught))
            amount -= draught

    def _slow_down(self, error: ProviderBusy, began: float) -> None:
        if not error.slow_down:
            return
        if error.retry_after:
            self._pause(error.retry_after)
        if began >= self._slowed_at:
            self._slowed_at = time.monotonic()
            self._set_limit(self._limit / 2)

    def _heed_limits(self, limits: RateLimits, read: int) -> None:
        if self._requests is None:
            self._requests = _bucket(limits.requests_per_minute)
        if self._tokens is None:
            self._tokens = _bucket(limits.tokens_per_minute)
        others = self.in_flight - 1
        each = read + (self._written or 0)
        self._make_room(others, limits.requests_left, limits.requests_per_minute, limits.requests_reset)
        self._make_room(others * each, limits.tokens_left, limits.tokens_per_minute, limits.tokens_reset)

    def _make_room(
        self, needed: float, left: int | None, per_minute: int | None, reset: float | None
    ) -> None:
        """Pause until what the calls in flight may still use up is back, which providers refill little by little."""
        if left is None or left >= needed:
            return
        waits = [reset] if reset is not None else []
        waits += [(needed - left) * MINUTE / per_minute] if per_minute else []
        self._pause(min([*waits, MINUTE]))

    def _pause(self, seconds: float) -> None:
        self._resume_at = max(self._resume_at, time.monotonic() + seconds)

    def _set_limit(self, limit: float) -> None:
        self._limit = min(max(limit, 1.0), float(self._pace.concurrency))
        self._slots.total_tokens = int(self._limit)


class RateLimited(Wrapper):
    """Passes each call through the gate."""

    def __init__(self, inner: Provider, gate: RateLimiter) -> None:
        super().__init__(inner)
        self._gate = gate

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt when its turn has come; see `Provider.complete`."""
        async with self._gate.passage(prompt, config):
            completion = await self._inner.complete(prompt, config)
            self._gate.heed(completion)
        return completion


def _bucket(per_minute: int | None) -> AsyncLimiter | None:
    if not per_minute:
        return None
    burst = per_minute * BURST_SECONDS / MINUTE
    return AsyncLimiter(burst, BURST_SECONDS) if burst >= 1 else AsyncLimiter(1, MINUTE / per_minute)
