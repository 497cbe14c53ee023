"""The adapter to the embedded model, which runs in this process on one core per engine.

    Prompt ── read sentences ── read listing ── score ── write sentences ── Completion
              scoring.py        scoring.py               writing.py         JSON, assembled here

A model of 135 million parameters does not follow instructions well enough to be asked for JSON, so the prompt's scaffold says what
to ask instead. Answers are the same for the same prompt, configuration, weights, runtime and kind of processor.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from typing import TYPE_CHECKING

from panel.core.completion import Completion, FinishReason, Probabilities, Usage
from panel.errors import ProviderError
from panel.providers.base import Provider
from panel.providers.local.engine import Engine, EnginePool
from panel.providers.local.scoring import ReadSentences, read_listing, read_sentences
from panel.providers.local.weights import check_weights, find_weights, load_runtime, require_avx2
from panel.providers.local.writing import answer, usage_of

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt, Scaffold
    from panel.providers.local.scoring import Reading

MOST_ENGINES = 4
PROMPTS_PER_ENGINE = 8
"""Prompts in work at one time; further ones wait. A panel has about five seats."""

LISTINGS_REMEMBERED = 16


class LocalProvider(Provider):
    """The embedded model. It is loaded at the first call.

    Args:
        servers: engines with one thread each; by default one for each usable core, at most four.

    Raises:
        SettingsError: the weights or the runtime are not installed.
    """

    name = "local"
    scaffolded = True

    def __init__(self, servers: int | None = None) -> None:
        self._weights = find_weights()
        self._servers = servers or min(usable_cores(), MOST_ENGINES)
        self._slots = asyncio.Semaphore(self._servers * PROMPTS_PER_ENGINE)
        self._loading = asyncio.Lock()
        self._pool: EnginePool | None = None
        self._readings: OrderedDict[tuple[str, ...], asyncio.Task[ReadSentences]] = OrderedDict()

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`.

        Raises:
            ProviderDown: the weights or the runtime cannot be used on this machine.
            ProviderError: the prompt has no scaffold, or the listing is longer than the model can read.
        """
        scaffold = _scaffold_of(prompt)
        async with self._slots:
            pool = await self._loaded()
            read, usage = await self._read_sentences(pool, prompt, scaffold)
            result = await answer(pool, prompt, scaffold, read, config.seed)
        return Completion(
            text=result.text,
            finish=FinishReason.COMPLETE,
            provider=self.name,
            model=config.model,
            usage=usage + result.usage,
            probabilities=Probabilities(
                expected_score=round(100 * result.probability, 2), ship=round(result.probability, 4)
            ),
        )

    async def read(self, prompt: Prompt) -> Reading:
        """Return the uncalibrated reading of a prompt's listing.

        Raises:
            ProviderDown, ProviderError: like `complete`.
        """
        scaffold = _scaffold_of(prompt)
        async with self._slots:
            pool = await self._loaded()
            read, _ = await self._read_sentences(pool, prompt, scaffold)
            reading, _ = await read_listing(pool, prompt, scaffold, read)
        return reading

    async def aclose(self) -> None:
        """Let running jobs end, stop the engines and free their memory."""
        for task in self._readings.values():
            task.cancel()
        self._readings.clear()
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.aclose()

    async def _loaded(self) -> EnginePool:
        async with self._loading:
            if self._pool is None:
                self._pool = EnginePool(await asyncio.to_thread(self._load))
        return self._pool

    def _load(self) -> list[Engine]:
        require_avx2()
        check_weights(self._weights)
        library = load_runtime()
        return [Engine(library, self._weights) for _ in range(self._servers)]

    async def _read_sentences(
        self, pool: EnginePool, prompt: Prompt, scaffold: Scaffold
    ) -> tuple[ReadSentences, Usage]:
        """Return the sentence readings that the seats of a panel share; their usage is the first caller's."""
        key = (prompt.system, prompt.shared, scaffold.sentence.text)
        task = self._readings.get(key)
        first = task is None or (task.done() and (task.cancelled() or task.exception() is not None))
        if task is None or first:
            task = asyncio.create_task(read_sentences(pool, prompt, scaffold))
            self._readings[key] = task
            while len(self._readings) > LISTINGS_REMEMBERED:
                self._readings.popitem(last=False)
        read = await asyncio.shield(task)
        return read, usage_of(read.answers if first else ())


def _scaffold_of(prompt: Prompt) -> Scaffold:
    if prompt.scaffold is None:
        raise ProviderError("the embedded model cannot answer a prompt without a scaffold")
    return prompt.scaffold


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    # Python 3.13 and later; it respects affinity and an override.
    count = getattr(os, "process_cpu_count", None)
    if count is not None:
        return count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
