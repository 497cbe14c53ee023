"""The embedded model: SmolLM2-135M-Instruct in this process, on one core per server, with no key and no network.

    Prompt ── weigh ── read ── judge ── write … write ── Completion
              each     whole   score,   one sentence     JSON put together by the host
              sentence listing verdict  each

A model of 135 million parameters does not follow instructions well enough to be asked for JSON, so the prompt's scaffold says what
to ask instead. Answers are the same for the same prompt, configuration, weights, runtime and kind of processor.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from typing import TYPE_CHECKING

from panel.core.completion import Completion, Finish, Probabilities, Usage
from panel.errors import ProviderError
from panel.providers.base import Provider
from panel.providers.local.engine import Engine
from panel.providers.local.pool import Pool
from panel.providers.local.seat import Weighed, answer, read, usage_of, weigh
from panel.providers.local.weights import check_weights, find_weights, load_runtime, require_avx2

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt, Scaffold
    from panel.providers.local.judge import Reading

MOST_SERVERS = 4
SEATS_PER_SERVER = 8
"""Prompts in work at one time, per server; further ones wait. A panel has five seats or so."""

LISTINGS_REMEMBERED = 16


class LocalProvider(Provider):
    """A provider that costs nothing and needs no network. Loads the model when it is first asked.

    Args:
        servers: servers with one thread each; by default one for each core that this process may use, at most four.

    Raises:
        SettingsError: the weights or the runtime are not installed.
    """

    name = "local"
    scaffolded = True

    def __init__(self, servers: int | None = None) -> None:
        self._weights = find_weights()
        self._servers = servers or min(usable_cores(), MOST_SERVERS)
        self._seats = asyncio.Semaphore(self._servers * SEATS_PER_SERVER)
        self._loading = asyncio.Lock()
        self._pool: Pool | None = None
        self._weighed: OrderedDict[tuple[str, ...], asyncio.Task[Weighed]] = OrderedDict()

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`.

        Raises:
            ProviderDown: the weights or the runtime cannot be used on this machine.
            ProviderError: the prompt has no scaffold, or the listing is longer than the model can read.
        """
        scaffold = _scaffold_of(prompt)
        async with self._seats:
            pool = await self._loaded()
            weighed, usage = await self._weighing(pool, prompt, scaffold)
            result = await answer(pool, prompt, scaffold, weighed, config.seed)
        return Completion(
            text=result.text,
            finish=Finish.COMPLETE,
            provider=self.name,
            model=config.model,
            usage=usage + result.usage,
            probabilities=Probabilities(
                expected_score=round(100 * result.probability, 2), ship=round(result.probability, 4)
            ),
        )

    async def read(self, prompt: Prompt) -> Reading:
        """Return what the model's probabilities say about a prompt's listing, before any scale is laid on it.

        Raises:
            ProviderDown, ProviderError: as `complete` does.
        """
        scaffold = _scaffold_of(prompt)
        async with self._seats:
            pool = await self._loaded()
            weighed, _ = await self._weighing(pool, prompt, scaffold)
            reading, _ = await read(pool, prompt, scaffold, weighed)
        return reading

    async def aclose(self) -> None:
        """Let the work in hand end, stop the servers and free their memory."""
        for task in self._weighed.values():
            task.cancel()
        self._weighed.clear()
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.aclose()

    async def _loaded(self) -> Pool:
        async with self._loading:
            if self._pool is None:
                self._pool = Pool(await asyncio.to_thread(self._load))
        return self._pool

    def _load(self) -> list[Engine]:
        require_avx2()
        check_weights(self._weights)
        library = load_runtime()
        return [Engine(library, self._weights) for _ in range(self._servers)]

    async def _weighing(self, pool: Pool, prompt: Prompt, scaffold: Scaffold) -> tuple[Weighed, Usage]:
        """Return the weighed listing, and what weighing it took if this call is the one that asked for it."""
        key = (prompt.system, prompt.shared, scaffold.sentence.text)
        task = self._weighed.get(key)
        first = task is None or (task.done() and (task.cancelled() or task.exception() is not None))
        if task is None or first:
            task = asyncio.create_task(weigh(pool, prompt, scaffold))
            self._weighed[key] = task
            while len(self._weighed) > LISTINGS_REMEMBERED:
                self._weighed.popitem(last=False)
        weighed = await asyncio.shield(task)
        return weighed, usage_of(weighed.answers if first else ())


def _scaffold_of(prompt: Prompt) -> Scaffold:
    if prompt.scaffold is None:
        raise ProviderError("the embedded model cannot answer a prompt without a scaffold")
    return prompt.scaffold


def usable_cores() -> int:
    """Return how many cores this process may use."""
    # From Python 3.13; it knows of affinity and of an override.
    count = getattr(os, "process_cpu_count", None)
    if count is not None:
        return count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
