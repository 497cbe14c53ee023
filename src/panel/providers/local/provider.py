"""The adapter to the embedded model, which runs in this process on one core per engine.

    Prompt ── probe sentences ── probe the whole ── score ── write sentences ── Completion
                                    decoding.py                                 JSON, assembled here

A model of 135 million parameters does not follow instructions well enough to be asked for JSON, so the prompt's scaffold holds other
questions. Answers are the same for the same prompt, configuration, weights, runtime and kind of processor.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING

from panel.core.completion import Completion, FinishReason, Probabilities, Usage
from panel.core.take import Verdict
from panel.errors import ProviderError
from panel.providers.base import Provider
from panel.providers.local.decoding import (
    SentenceTask,
    plan_sentences,
    probe_sentences,
    probe_whole,
    reading_of,
    write_sentence,
)
from panel.providers.local.language import sentences_of, shared_content
from panel.providers.local.runtime import Engine, EnginePool
from panel.providers.local.weights import check_weights, find_weights, load_runtime, require_avx2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt, Scaffold
    from panel.providers.local.decoding import Reading, Sentence
    from panel.providers.local.runtime import Generation

MOST_ENGINES = 4
PROMPTS_PER_ENGINE = 8
"""Prompts in work at one time; further ones wait. A panel has about five seats."""

LISTINGS_REMEMBERED = 16
LOWEST_SHIP_SCORE = 50
MOST_QUOTES = 2


class LocalProvider(Provider):
    """The embedded model, loaded at the first call: one engine with one thread for each usable core, at most four."""

    name = "local"
    scaffolded = True

    def __init__(self, engines: int | None = None) -> None:
        self._weights = find_weights()
        self._engines = engines or min(_usable_cores(), MOST_ENGINES)
        self._slots = asyncio.Semaphore(self._engines * PROMPTS_PER_ENGINE)
        self._loading = asyncio.Lock()
        self._pool: EnginePool | None = None
        self._probes: OrderedDict[tuple[str, ...], asyncio.Task[list[Generation]]] = OrderedDict()

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        scaffold = _scaffold_of(prompt)
        async with self._slots:
            pool = await self._loaded()
            reading, probes = await self._read(pool, prompt, scaffold)
            probability = reading.probability(scaffold.calibration)
            score = score_of(probability)
            verdict = verdict_of(score)
            openers = scaffold.openers.ship if verdict is Verdict.SHIP else scaffold.openers.skip
            sentences = sentences_of(scaffold.prose)
            written: list[Sentence] = []
            plan = plan_sentences(openers, scaffold.name, sentences, reading.sentences)
            for number, (opener, fact) in enumerate(plan):
                before = " ".join(sentence.text for sentence in written)
                seed = _seed(prompt, config.seed, number)
                task = SentenceTask(scaffold, opener, fact, before, seed)
                written.append(await pool.run(partial(write_sentence, task=task)))
        take = " ".join(sentence.text for sentence in written if sentence.text)
        fields = {
            "recusal": None,
            "evidence": _evidence(sentences, take),
            "reasoning": _reasoning(scaffold),
            "take": take,
            "score": score,
            "verdict": verdict.value,
        }
        generations = [*probes, *(draw for sentence in written for draw in sentence.draws)]
        return Completion(
            text=json.dumps(fields, ensure_ascii=False),
            finish=FinishReason.COMPLETE,
            provider=self.name,
            model=config.model,
            usage=Usage(
                input_tokens=sum(one.read for one in generations),
                cached_tokens=sum(one.cached for one in generations),
                output_tokens=sum(one.wrote for one in generations),
            ),
            probabilities=Probabilities(
                expected_score=round(100 * probability, 2), ship=round(probability, 4)
            ),
        )

    async def read(self, prompt: Prompt) -> Reading:
        """Return the uncalibrated reading of a prompt's listing; raise the errors of `complete`."""
        scaffold = _scaffold_of(prompt)
        async with self._slots:
            reading, _ = await self._read(await self._loaded(), prompt, scaffold)
        return reading

    async def aclose(self) -> None:
        """Let running jobs end, stop the engines and free their memory."""
        for task in self._probes.values():
            task.cancel()
        self._probes.clear()
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
        return [Engine(library, self._weights) for _ in range(self._engines)]

    async def _read(
        self, pool: EnginePool, prompt: Prompt, scaffold: Scaffold
    ) -> tuple[Reading, list[Generation]]:
        """Return the reading of a listing, and the generations that this prompt pays for.

        The seats of a panel share the probes of sentences; the first of them pays.
        """
        key = (prompt.system, prompt.shared, scaffold.sentence.text)
        task = self._probes.get(key)
        first = task is None or (task.done() and (task.cancelled() or task.exception() is not None))
        if task is None or first:
            task = asyncio.create_task(probe_sentences(pool, prompt, scaffold))
            self._probes[key] = task
            while len(self._probes) > LISTINGS_REMEMBERED:
                self._probes.popitem(last=False)
        sentences = await asyncio.shield(task)
        whole = await probe_whole(pool, prompt, scaffold)
        return reading_of(scaffold, whole, sentences), [*(sentences if first else ()), whole]


def score_of(probability: float) -> int:
    """Return the score: the probability in percent, rounded."""
    return round(100 * probability)


def verdict_of(score: int) -> Verdict:
    """Return ship for a score of 50 or more, else skip."""
    return Verdict.SHIP if score >= LOWEST_SHIP_SCORE else Verdict.SKIP


def _scaffold_of(prompt: Prompt) -> Scaffold:
    if prompt.scaffold is None:
        raise ProviderError("the embedded model cannot answer a prompt without a scaffold")
    return prompt.scaffold


def _seed(prompt: Prompt, seed: int, number: int) -> int:
    digest = hashlib.sha256(f"{seed}:{prompt.digest}:{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def _evidence(sentences: Sequence[str], take: str) -> list[str]:
    """Return the sentences of the listing that share most content words with the take."""
    quotes = sorted(sentences, key=lambda one: shared_content(one, take), reverse=True)[:MOST_QUOTES]
    return [quote for quote in quotes if shared_content(quote, take)]


def _reasoning(scaffold: Scaffold) -> str:
    def listed(words: Sequence[str]) -> str:
        return ", ".join(word.strip() for word in words)

    whole, sentence = scaffold.whole, scaffold.sentence
    words = f"{listed(whole.favourable)} against {listed(whole.unfavourable)} after {whole.text!r}"
    more = f"of {listed(sentence.favourable)} against {listed(sentence.unfavourable)} for each sentence"
    scale = "" if scaffold.calibration else " The scale was not measured for this persona."
    return f"Score read from the probabilities of {words}, and {more}.{scale}"


def _usable_cores() -> int:
    # Python 3.13 and later; it respects affinity and an override.
    count = getattr(os, "process_cpu_count", None)
    if count is not None:
        return count() or 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
