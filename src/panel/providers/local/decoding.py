"""Reading and writing with the embedded model: token probabilities of a listing become a score, and drawn sentences a take.

All personas use the same arithmetic with their own words and scales. On the tools of `fixtures/embedded/calibration.jsonl`, the
reading of the whole separates great tools from average ones, and the readings of sentences separate bad ones from average ones;
the sum ranks better than either. `bench/ranking.py` prints how well.

Each sentence of a take is written from one sentence of the listing, which the model found to speak for or against the tool. The model
sees a rule, a few worked examples, one fact and the first words, and the words of the fact are made likelier. Without these, a model
of this size invents things after half a line. A drawn sentence that breaks a rule of `language` is dropped; if none is left, the
listing's own words are used.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from panel.core.frozen import Frozen
from panel.core.prompt import About, Calibration, Scale
from panel.providers.local.language import (
    as_clause,
    as_fact,
    broken_rules,
    closeness,
    expects_clause,
    sentences_of,
    stands_alone,
    words_of,
)
from panel.providers.local.runtime import Lane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from panel.core.prompt import Opener, Probe, Prompt, Scaffold
    from panel.providers.local.runtime import Engine, EnginePool, Generation, Tokens

LIKELIEST = 1_500
"""Next words that are looked at, out of 49,152; the words of the personas are nearly always among them."""

UNLISTED = 0.5
"""A word that is not among the likeliest counts as this much less likely than the last of these, in logarithms."""

UNCALIBRATED = Calibration(
    model="any",
    whole=Scale(centre=0.0, spread=1.0),
    sentences=Scale(centre=0.0, spread=1.0),
    judgement=Scale(centre=0.0, spread=1.0),
)

CLOSE = 0.95
TOO_FAR = 0.89
"""A draw at least as close to its fact as `CLOSE` is taken at once; one below `TOO_FAR` is dropped."""

GIVEN = 2
"""Words of the fact that are given after the opener; otherwise the model begins at the end of the fact or not at all."""

MOST_TOKENS = 48
LIKELIEST_SHARE = 0.05
"""Next words with less than this share of the likeliest word's probability are never drawn (min-p)."""

NEVER = -100.0
UNWANTED = (" I", " we", " our", " us", " my", " We", " Our", '"', ' "', " “", ":", "\n")
STOPS = [". ", "\n", ";", "!", "?", "<"]

TRIES = ((0.3, 2.0), (0.5, 3.0))
"""Temperature of each draw, and the amount that is added to the logits of the fact's words."""


class Reading(Frozen):
    """The model's opinion of a listing, and of each of its sentences in order, in log odds; above 0 speaks for the tool."""

    whole: float
    sentences: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the sentences."""
        return sum(self.sentences) / len(self.sentences)

    def judgement(self, calibration: Calibration) -> float:
        """Return the sum of both opinions, each in units of its scale."""
        return calibration.whole.normalise(self.whole) + calibration.sentences.normalise(self.mean)

    def probability(self, calibration: Calibration | None) -> float:
        """Return the probability of a ship: the logistic function of the judgement."""
        calibration = calibration or UNCALIBRATED
        odds = calibration.judgement.normalise(self.judgement(calibration))
        return 1 / (1 + math.exp(-max(min(odds, 50.0), -50.0)))


@dataclass(frozen=True, slots=True)
class SentenceTask:
    """The material of one sentence: its first words, a sentence of the listing as worded by `as_fact`, and the take `before` it.

    The seeds of later draws follow from `seed`.
    """

    scaffold: Scaffold
    opener: str
    fact: str
    before: str
    seed: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a take with its full stop, or an empty text if none could be written; and all draws.

    `drawn` is whether the model worded it; otherwise it is the fact in the listing's own words.
    """

    text: str
    drawn: bool
    draws: tuple[Generation, ...]


async def probe_sentences(pool: EnginePool, prompt: Prompt, scaffold: Scaffold) -> list[Generation]:
    """Probe each sentence of a listing, after the whole of it. The result is the same for all seats of a panel."""
    sentences = sentences_of(scaffold.prose)
    probes = [scaffold.sentence.text.replace("{sentence}", sentence) for sentence in sentences]
    jobs = [partial(_probe, prompt=prompt, own="", probe=probe) for probe in probes]
    return await asyncio.gather(*(pool.run(job, (prompt.system, prompt.shared)) for job in jobs))


async def probe_whole(pool: EnginePool, prompt: Prompt, scaffold: Scaffold) -> Generation:
    """Probe the listing as a whole, with the words of the persona."""
    job = partial(_probe, prompt=prompt, own=prompt.own, probe=scaffold.whole.text)
    return await pool.run(job, (prompt.system, prompt.shared))


def reading_of(scaffold: Scaffold, whole: Generation, sentences: Sequence[Generation]) -> Reading:
    """Return the log odds of the probes."""
    return Reading(
        whole=log_odds(whole.likely, scaffold.whole),
        sentences=tuple(log_odds(one.likely, scaffold.sentence) for one in sentences),
    )


def log_odds(likely: Mapping[str, float], probe: Probe) -> float:
    """Return the mean log probability of a probe's favourable words minus that of its unfavourable words."""
    lowest = min(likely.values()) - UNLISTED

    def mean(words: Sequence[str]) -> float:
        return sum(likely.get(word, lowest) for word in words) / len(words)

    return mean(probe.favourable) - mean(probe.unfavourable)


def plan_sentences(
    openers: Sequence[Opener], name: str, sentences: Sequence[str], readings: Sequence[float]
) -> list[tuple[str, str]]:
    """Return the words of each opener with a fact; openers for which no sentence is left are dropped.

    Sentences that depend on others, say very little or are too long are used only if there are no others.
    """
    alone = [index for index, one in enumerate(sentences) if stands_alone(one)] or list(range(len(sentences)))
    left = sorted(alone, key=lambda index: readings[index])
    chosen: dict[int, int] = {}
    for number in sorted(range(len(openers)), key=lambda one: openers[one].about is not About.FIRST):
        if left:
            chosen[number] = _choose(openers[number], name, sentences, left)
            left.remove(chosen[number])
    return [
        (words := openers[number].words, as_fact(sentences[index], name, named=not expects_clause(words)))
        for number, index in sorted(chosen.items())
    ]


def write_sentence(engine: Engine, task: SentenceTask) -> Sentence:
    """Write one sentence."""
    source = task.scaffold.source
    quoted = _fitted(engine, task, task.fact)
    start = " ".join(quoted.split()[:GIVEN])
    path = (_head(engine, task.scaffold), _tail(engine, task.fact, f"{task.opener} {start}"))
    draws: list[Generation] = []
    best, best_closeness = "", TOO_FAR
    for number, (temperature, pull) in enumerate(TRIES):
        draw = engine.generate(
            Lane.WRITE,
            path,
            again=number > 0,
            max_tokens=MOST_TOKENS,
            temperature=temperature,
            min_p=LIKELIEST_SHARE,
            seed=(task.seed + number) % 2**31,
            stop=STOPS,
            logit_bias=_logit_bias(engine, task, pull),
        )
        draws.append(draw)
        text = _fitted(engine, task, start + draw.text)
        if not draw.finished or broken_rules(task.opener, text, quoted, source, task.before):
            continue
        if closeness(text, quoted) > best_closeness:
            best, best_closeness = text, closeness(text, quoted)
        if best_closeness >= CLOSE:
            break
    # The listing's own words, if they can follow the opener.
    follows = expects_clause(task.opener) or task.fact.startswith(f"{task.scaffold.name} ")
    usable = follows and not broken_rules(task.opener, quoted, quoted, source, task.before)
    text = best or (quoted if usable else "")
    return Sentence(f"{task.opener} {text}." if text else "", drawn=bool(best), draws=tuple(draws))


def _probe(engine: Engine, prompt: Prompt, own: str, probe: str) -> Generation:
    system = (
        *engine.tokens("<|im_start|>system\n", special=True),
        *engine.tokens(prompt.system),
        *engine.tokens("<|im_end|>\n", special=True),
    )
    listing = (*engine.tokens("<|im_start|>user\n", special=True), *engine.tokens(prompt.shared))
    tail = (
        *engine.tokens(own),
        *engine.tokens("<|im_end|>\n<|im_start|>assistant\n", special=True),
        *engine.tokens(probe),
    )
    generation = engine.generate(Lane.READ, (system, listing, tail), max_tokens=1, logprobs=LIKELIEST)
    return replace(generation, wrote=0)  # the runtime always generates a token, and it is thrown away


def _choose(opener: Opener, name: str, sentences: Sequence[str], left: Sequence[int]) -> int:
    """Return one of the remaining sentences, which are sorted from the least favourable to the most."""
    if opener.about is not About.FIRST:
        last_word = words_of(opener.words)[-1:]
        fit = [index for index in left if words_of(sentences[index])[:1] != last_word] or left
        return fit[-1 if opener.about is About.STRONG else 0]
    about_tool = [index for index in sorted(left) if as_fact(sentences[index], name).startswith("It ")]
    return min(left) if expects_clause(opener.words) or not about_tool else about_tool[0]


def _fitted(engine: Engine, task: SentenceTask, text: str) -> str:
    """Return words that fit after the opener, without a subject that it names already."""
    words = text.strip()
    if not expects_clause(task.opener):
        words = words.removeprefix(f"{task.scaffold.name} ").removeprefix("It ").removeprefix("it ")
    return as_clause(words, partial(_is_word, engine))


def _is_word(engine: Engine, word: str) -> bool:
    """Whether a word in small letters is one token, as most common words are and few names."""
    return any(len(engine.tokens(f" {form}")) == 1 for form in (word, word.removesuffix("s")))


def _logit_bias(engine: Engine, task: SentenceTask, pull: float) -> list[list[float]]:
    fact = as_clause(task.fact, partial(_is_word, engine))
    wanted = {*engine.tokens(f" {task.fact}"), *engine.tokens(f" {fact}")}
    unwanted = [engine.tokens(text) for text in UNWANTED]
    banned = {tokens[0] for tokens in unwanted if len(tokens) == 1}
    return [
        *([token, pull] for token in sorted(wanted - banned)),
        *([token, NEVER] for token in sorted(banned)),
    ]


def _head(engine: Engine, scaffold: Scaffold) -> Tokens:
    """Return the tokens before the fact: rules and examples."""
    start = (*engine.tokens("<|im_end|>\n<|im_start|>user\n", special=True), *engine.tokens("Fact:"))
    turns = [*engine.tokens("<|im_start|>system\n", special=True), *engine.tokens(scaffold.lesson)]
    for example in scaffold.examples:
        turns += start
        turns += _tail(engine, example.fact, example.opener)
        turns += engine.tokens(f" {example.rest}.")
    return (*turns, *start)


def _tail(engine: Engine, fact: str, opener: str) -> Tokens:
    return (
        *engine.tokens(f" {fact}"),
        *engine.tokens("<|im_end|>\n<|im_start|>assistant\n", special=True),
        *engine.tokens(opener),
    )
