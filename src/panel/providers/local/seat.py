"""One answer: read, judge, choose what to say, say it sentence by sentence, and put the JSON together.

The model reads the listing and weighs it; each sentence of the take is then drawn from one sentence of the listing, which the
model held to speak for or against the tool. The host asks, checks and assembles, so every answer has the right form.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from panel.core.completion import Usage
from panel.core.prompt import About
from panel.core.take import Verdict
from panel.providers.local.engine import Lane
from panel.providers.local.judge import UNCALIBRATED, Reading, leaning, probability_of, score_of, verdict_of
from panel.providers.local.language import (
    as_fact,
    expects_clause,
    sentences_of,
    shared_content,
    stands_alone,
    words_of,
)
from panel.providers.local.writing import Line, Task, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.prompt import Opener, Prompt, Scaffold
    from panel.providers.local.engine import Answer, Engine, Levels, Tokens
    from panel.providers.local.pool import Pool

LIKELIEST = 1_500
"""Next words that are looked at for a judgement, out of 49,152; the words of the personas are nearly always among them."""

MOST_QUOTES = 2


@dataclass(frozen=True, slots=True)
class Weighed:
    """A listing's sentences, with what may follow a probe of each."""

    sentences: tuple[str, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """An answer as JSON text, and what it took.

    Attributes:
        text: the JSON object.
        usage: tokens; those of the shared weighing are not in it.
        lines: the sentences of the take.
        probability: of a ship, from which the score was made.
    """

    text: str
    usage: Usage
    lines: tuple[Line, ...]
    probability: float


async def weigh(pool: Pool, prompt: Prompt, scaffold: Scaffold) -> Weighed:
    """Read every sentence of a listing by itself, after the whole; this is the same for all seats of a panel."""
    sentences = sentences_of(scaffold.prose)
    reads = [_read_sentence(prompt, scaffold.sentence.text, sentence) for sentence in sentences]
    return Weighed(sentences, tuple(await _all(pool, reads, prompt)))


async def read(pool: Pool, prompt: Prompt, scaffold: Scaffold, weighed: Weighed) -> tuple[Reading, Answer]:
    """Read the listing as a whole, and put both readings into numbers."""
    [answer] = await _all(pool, [partial(_read_whole, prompt=prompt, probe=scaffold.whole.text)], prompt)
    reading = Reading(
        whole=leaning(answer.likely, scaffold.whole),
        sentences=tuple(leaning(one.likely, scaffold.sentence) for one in weighed.answers),
    )
    return reading, answer


async def answer(pool: Pool, prompt: Prompt, scaffold: Scaffold, weighed: Weighed, seed: int) -> Result:
    """Answer one prompt over a listing that was weighed.

    Raises:
        ProviderError: the listing is too long, or the runtime fails.
    """
    reading, whole = await read(pool, prompt, scaffold, weighed)
    probability = probability_of(reading, scaffold.calibration or UNCALIBRATED)
    score = score_of(probability)
    verdict = verdict_of(score)
    lines: list[Line] = []
    openers = scaffold.openers.ship if verdict is Verdict.SHIP else scaffold.openers.skip
    for number, (opener, fact) in enumerate(
        plan(openers, scaffold.name, weighed.sentences, reading.sentences)
    ):
        task = Task(
            lesson=scaffold.lesson,
            examples=scaffold.examples,
            opener=opener,
            fact=fact,
            name=scaffold.name,
            source=scaffold.source,
            before=" ".join(line.text for line in lines),
            seed=_seed(prompt, seed, number),
        )
        lines.append(await pool.run(partial(write, task=task)))
    text = _json(scaffold, verdict, score, lines, weighed.sentences)
    usage = usage_of([whole, *(draw for line in lines for draw in line.answers)])
    return Result(text, usage, tuple(lines), probability)


def plan(
    openers: Sequence[Opener], name: str, sentences: Sequence[str], leanings: Sequence[float]
) -> list[tuple[str, str]]:
    """Return each opener's words with the fact that they go with; openers for which no sentence is left are dropped.

    Sentences that lean on others, say next to nothing or are too long are used only if there are no others.
    """
    alone = [index for index, one in enumerate(sentences) if stands_alone(one)] or list(range(len(sentences)))
    ranked = sorted(alone, key=lambda index: leanings[index])
    chosen: dict[int, int] = {}
    for number in sorted(range(len(openers)), key=lambda one: openers[one].about is not About.FIRST):
        left = [index for index in ranked if index not in chosen.values()]
        if left:
            chosen[number] = _pick(openers[number], name, sentences, left)
    return [
        (words := openers[number].words, as_fact(sentences[index], name, named=not expects_clause(words)))
        for number, index in sorted(chosen.items())
    ]


def usage_of(answers: Sequence[Answer]) -> Usage:
    """Return what answers took together."""
    return Usage(
        input_tokens=sum(one.read for one in answers),
        cached_tokens=sum(one.cached for one in answers),
        output_tokens=sum(one.wrote for one in answers),
    )


async def _all(pool: Pool, reads: Sequence[partial[Answer]], prompt: Prompt) -> list[Answer]:
    key = (prompt.system, prompt.shared)
    return list(await asyncio.gather(*(pool.run(one, key) for one in reads)))


def _read_sentence(prompt: Prompt, probe: str, sentence: str) -> partial[Answer]:
    return partial(_read, prompt=prompt, own="", probe=probe.replace("{sentence}", sentence))


def _read_whole(engine: Engine, prompt: Prompt, probe: str) -> Answer:
    return _read(engine, prompt=prompt, own=prompt.own, probe=probe)


def _read(engine: Engine, prompt: Prompt, own: str, probe: str) -> Answer:
    tail = (
        *engine.tokens(own),
        *engine.tokens("<|im_end|>\n<|im_start|>assistant\n", special=True),
        *engine.tokens(probe),
    )
    answer = engine.ask(Lane.READ, (*_prefix(engine, prompt), tail), max_tokens=1, logprobs=LIKELIEST)
    return replace(answer, wrote=0)  # the runtime writes one token at least; it is thrown away


def _prefix(engine: Engine, prompt: Prompt) -> Levels:
    system: Tokens = (
        *engine.tokens("<|im_start|>system\n", special=True),
        *engine.tokens(prompt.system),
        *engine.tokens("<|im_end|>\n", special=True),
    )
    return system, (*engine.tokens("<|im_start|>user\n", special=True), *engine.tokens(prompt.shared))


def _pick(opener: Opener, name: str, sentences: Sequence[str], left: Sequence[int]) -> int:
    """Return one of the sentences that are left, which are in the order of what speaks for the tool, least first."""
    if opener.about is not About.FIRST:
        said = words_of(opener.words)[-1:]
        fit = [index for index in left if words_of(sentences[index])[:1] != said] or left
        return fit[-1 if opener.about is About.STRONG else 0]
    about_it = [index for index in sorted(left) if as_fact(sentences[index], name).startswith("It ")]
    return min(left) if expects_clause(opener.words) or not about_it else about_it[0]


def _seed(prompt: Prompt, seed: int, number: int) -> int:
    digest = hashlib.sha256(f"{seed}:{prompt.digest}:{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def _json(
    scaffold: Scaffold, verdict: Verdict, score: int, lines: Sequence[Line], sentences: Sequence[str]
) -> str:
    take = " ".join(line.text for line in lines if line.text)
    quotes = sorted(sentences, key=lambda one: shared_content(one, take), reverse=True)[:MOST_QUOTES]
    fields = {
        "recusal": None,
        "evidence": [quote for quote in quotes if shared_content(quote, take)],
        "reasoning": _reasoning(scaffold),
        "take": take,
        "score": score,
        "verdict": verdict.value,
    }
    return json.dumps(fields, ensure_ascii=False)


def _reasoning(scaffold: Scaffold) -> str:
    whole, sentence = scaffold.whole, scaffold.sentence
    words = f"{_listed(whole.favourable)} against {_listed(whole.unfavourable)} after {whole.text!r}"
    more = f"of {_listed(sentence.favourable)} against {_listed(sentence.unfavourable)} for each sentence"
    scale = "" if scaffold.calibration else " The scale was not measured for this persona."
    return f"Score read from the probabilities of {words}, and {more}.{scale}"


def _listed(words: Sequence[str]) -> str:
    return ", ".join(word.strip() for word in words)
