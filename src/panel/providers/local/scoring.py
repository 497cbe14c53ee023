"""The score: the model reads the listing and each of its sentences, and word probabilities become a score and a verdict.

All personas use the same arithmetic with their own words and scales. On the tools of `fixtures/embedded/calibration.jsonl`, the
reading of the whole separates great tools from average ones, and the readings of sentences separate bad ones from average ones;
the sum ranks better than either. `bench/ranking.py` prints how well.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from panel.core.frozen import Frozen
from panel.core.prompt import Calibration, Scale
from panel.core.take import Verdict
from panel.providers.local.engine import Lane
from panel.providers.local.language import sentences_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from panel.core.prompt import Probe, Prompt, Scaffold
    from panel.providers.local.engine import Answer, Engine, EnginePool, Levels

LIKELIEST = 1_500
"""Next words that are looked at, out of 49,152; the words of the personas are nearly always among them."""

LOWEST_SHIP_SCORE = 50
UNLISTED = 0.5
"""A word that is not among the likeliest counts as this much less likely than the last of these, in logarithms."""

UNCALIBRATED = Calibration(
    model="any",
    whole=Scale(centre=0.0, spread=1.0),
    sentences=Scale(centre=0.0, spread=1.0),
    judgement=Scale(centre=0.0, spread=1.0),
)


class Reading(Frozen):
    """The model's opinion of a listing, and of each of its sentences in order, in log odds; above 0 speaks for the tool."""

    whole: float
    sentences: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the sentences."""
        return sum(self.sentences) / len(self.sentences)


@dataclass(frozen=True, slots=True)
class ReadSentences:
    """The sentences of a listing, with the model's answer to a probe of each."""

    sentences: tuple[str, ...]
    answers: tuple[Answer, ...]


async def read_sentences(pool: EnginePool, prompt: Prompt, scaffold: Scaffold) -> ReadSentences:
    """Probe each sentence of a listing, after the whole of it. The result is the same for all seats of a panel."""
    sentences = sentences_of(scaffold.prose)
    probes = [scaffold.sentence.text.replace("{sentence}", sentence) for sentence in sentences]
    return ReadSentences(sentences, tuple(await _probe(pool, prompt, "", probes)))


async def read_listing(
    pool: EnginePool, prompt: Prompt, scaffold: Scaffold, read: ReadSentences
) -> tuple[Reading, Answer]:
    """Probe the listing as a whole; return the log odds of both readings, and the answer for its usage."""
    [answer] = await _probe(pool, prompt, prompt.own, [scaffold.whole.text])
    reading = Reading(
        whole=log_odds(answer.likely, scaffold.whole),
        sentences=tuple(log_odds(one.likely, scaffold.sentence) for one in read.answers),
    )
    return reading, answer


def log_odds(likely: Mapping[str, float], probe: Probe) -> float:
    """Return the mean log probability of a probe's favourable words minus that of its unfavourable words."""
    lowest = min(likely.values()) - UNLISTED

    def mean(words: Sequence[str]) -> float:
        return sum(likely.get(word, lowest) for word in words) / len(words)

    return mean(probe.favourable) - mean(probe.unfavourable)


def judgement_of(reading: Reading, calibration: Calibration) -> float:
    """Return the sum of both readings, each in units of its scale."""
    return calibration.whole.of(reading.whole) + calibration.sentences.of(reading.mean)


def probability_of(reading: Reading, calibration: Calibration) -> float:
    """Return the probability of a ship: the logistic function of the judgement."""
    odds = calibration.judgement.of(judgement_of(reading, calibration))
    return 1 / (1 + math.exp(-max(min(odds, 50.0), -50.0)))


def score_of(probability: float) -> int:
    """Return the score: the probability in percent, rounded."""
    return round(100 * probability)


def verdict_of(score: int) -> Verdict:
    """Return ship for a score of 50 or more, else skip."""
    return Verdict.SHIP if score >= LOWEST_SHIP_SCORE else Verdict.SKIP


async def _probe(pool: EnginePool, prompt: Prompt, own: str, probes: Sequence[str]) -> list[Answer]:
    jobs = [partial(_ask_probe, prompt=prompt, own=own, probe=probe) for probe in probes]
    key = (prompt.system, prompt.shared)
    return list(await asyncio.gather(*(pool.run(job, key) for job in jobs)))


def _ask_probe(engine: Engine, prompt: Prompt, own: str, probe: str) -> Answer:
    tail = (
        *engine.tokens(own),
        *engine.tokens("<|im_end|>\n<|im_start|>assistant\n", special=True),
        *engine.tokens(probe),
    )
    answer = engine.ask(Lane.READ, (*_prefix(engine, prompt), tail), max_tokens=1, logprobs=LIKELIEST)
    return replace(answer, wrote=0)  # the runtime always generates a token, and it is thrown away


def _prefix(engine: Engine, prompt: Prompt) -> Levels:
    system = (
        *engine.tokens("<|im_start|>system\n", special=True),
        *engine.tokens(prompt.system),
        *engine.tokens("<|im_end|>\n", special=True),
    )
    return system, (*engine.tokens("<|im_start|>user\n", special=True), *engine.tokens(prompt.shared))
