"""The rate limiter: how many calls to one model are in flight, and how many begin in a minute."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from aiolimiter import AsyncLimiter

from panel.errors import CallNotMade, ProviderBusy, ProviderDown
from panel.providers.base import Middleware

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from panel.core.completion import Completion, ModelConfig, RateLimits
    from panel.core.prompt import Prompt
    from panel.providers.base import Provider, StopSignal

MINUTE = 60.0
BURST_SECONDS = 6.0
"""The burst that is allowed, as seconds' worth of the rate per minute: no minute then exceeds it by more than a tenth."""


@dataclass(frozen=True, slots=True)
class CallLimits:
    """Limits on the calls to one model: calls in flight, requests a minute, and input and output tokens a minute together.

    None stands for the limit in the provider's headers.
    """

    concurrency: int
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


class RateLimiter:
    """Admits calls up to a limit, and none after the run is stopped.

    The number in flight follows additive increase and multiplicative decrease, as TCP does (Chiu and Jain 1989): one more for
    each round of good answers, half as many after a 429 or an overload. Several of these from calls sent before a halving count as one.
    """

    def __init__(self, limits: CallLimits, stop: StopSignal) -> None:
        self.stop = stop
        self._concurrency = limits.concurrency
        self._limit = float(limits.concurrency)
        self._slots = anyio.CapacityLimiter(limits.concurrency)
        self._requests = _bucket(limits.requests_per_minute)
        self._tokens = _bucket(limits.tokens_per_minute)
        self._unrecorded = 0
        self._recorded = asyncio.Event()
        self._resume_at = self._slowed_at = 0.0
        self._mean_output: float | None = None

    @property
    def limit(self) -> int:
        """The calls in flight that are allowed at the moment."""
        return int(self._limit)

    @property
    def in_flight(self) -> int:
        """The calls that were admitted and have not ended."""
        return self._slots.borrowed_tokens

    @asynccontextmanager
    async def slot(self, prompt: Prompt, config: ModelConfig) -> AsyncIterator[None]:
        """Wait for a slot, and hold it while the block runs; raise CallNotMade if the run was stopped."""
        holder = object()
        await self._slots.acquire_on_behalf_of(holder)
        try:
            await self._wait(prompt, config)
            while self._unrecorded and self._unrecorded + self.in_flight > self._concurrency:
                await self._recorded.wait()
            if self.stop.reason is not None:
                raise CallNotMade(f"not asked: {self.stop.reason}")
            began = time.monotonic()
            try:
                yield
            except ProviderBusy as error:
                self._slow_down(error, began)
                raise
            except ProviderDown as error:
                # Before the slot goes to the next call, which could not succeed either.
                self.stop.set(str(error))
                raise
        finally:
            self._slots.release_on_behalf_of(holder)

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Count an answer that is being stored as a call in flight while the block runs."""
        self._unrecorded += 1
        try:
            yield
        finally:
            self._unrecorded -= 1
            self._recorded.set()
            self._recorded = asyncio.Event()

    def observe(self, completion: Completion) -> None:
        """Adapt the limits to an answer: its arrival, its length, and the rate limits in its headers."""
        output = completion.usage.output_tokens
        if output is not None:
            mean = self._mean_output
            self._mean_output = output if mean is None else 0.9 * mean + 0.1 * output
        if self._limit < self._concurrency:
            self._set_limit(self._limit + 1 / self._limit)
        if completion.limits is not None:
            self._observe_limits(completion.limits, completion.usage.input_tokens or 0)

    async def _wait(self, prompt: Prompt, config: ModelConfig) -> None:
        if self._requests is not None:
            await self._take(self._requests, 1)
        if self._tokens is not None:
            output = config.max_output_tokens if self._mean_output is None else self._mean_output
            await self._take(self._tokens, prompt.estimated_tokens + output)
        while self.stop.reason is None and (seconds := self._resume_at - time.monotonic()) > 0:
            await self.stop.sleep(seconds)

    async def _take(self, bucket: AsyncLimiter, amount: float) -> None:
        """Take an amount from a bucket, in parts if it is larger than the bucket."""
        while amount > 0 and self.stop.reason is None:
            part = min(amount, bucket.max_rate)
            if bucket.has_capacity(part):
                await bucket.acquire(part)
            else:
                await self.stop.wait_for(bucket.acquire(part))
            amount -= part

    def _slow_down(self, error: ProviderBusy, began: float) -> None:
        if not error.slow_down:
            return
        if error.retry_after:
            self._pause(error.retry_after)
        if began >= self._slowed_at:
            self._slowed_at = time.monotonic()
            self._set_limit(self._limit / 2)

    def _observe_limits(self, limits: RateLimits, input_tokens: int) -> None:
        self._requests = self._requests or _bucket(limits.requests_per_minute)
        self._tokens = self._tokens or _bucket(limits.tokens_per_minute)
        others = self.in_flight - 1
        each = input_tokens + (self._mean_output or 0)
        self._make_room(others, limits.requests_left, limits.requests_per_minute, limits.requests_reset)
        self._make_room(others * each, limits.tokens_left, limits.tokens_per_minute, limits.tokens_reset)

    def _make_room(
        self, needed: float, left: int | None, per_minute: int | None, reset: float | None
    ) -> None:
        """Pause until the provider's gradual refill covers the calls in flight."""
        if left is None or left >= needed:
            return
        waits = [reset] if reset is not None else []
        waits += [(needed - left) * MINUTE / per_minute] if per_minute else []
        self._pause(min([*waits, MINUTE]))

    def _pause(self, seconds: float) -> None:
        self._resume_at = max(self._resume_at, time.monotonic() + seconds)

    def _set_limit(self, limit: float) -> None:
        self._limit = min(max(limit, 1.0), float(self._concurrency))
        self._slots.total_tokens = int(self._limit)


class RateLimit(Middleware):
    """Makes each call in a slot of the rate limiter."""

    def __init__(self, inner: Provider, limiter: RateLimiter) -> None:
        super().__init__(inner)
        self._limiter = limiter

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt when there is a slot; see `Provider.complete`."""
        async with self._limiter.slot(prompt, config):
            completion = await self._inner.complete(prompt, config)
            self._limiter.observe(completion)
        return completion


def _bucket(per_minute: int | None) -> AsyncLimiter | None:
    if not per_minute:
        return None
    burst = per_minute * BURST_SECONDS / MINUTE
    return AsyncLimiter(burst, BURST_SECONDS) if burst >= 1 else AsyncLimiter(1, MINUTE / per_minute)
