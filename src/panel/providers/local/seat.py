"""One answer: read, judge, choose what to say, say it sentence by sentence, and put the JSON together.

The model reads the listing and weighs it; each sentence of the take is then drawn from one sentence of the listing, which the
model held to speak for or against the tool. The host asks, checks and assembles, so every answer has the right form.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from panel.domain.completion import Usage
from panel.domain.take import Verdict
from panel.providers.local.engine import Lane
from panel.providers.local.judge import UNCALIBRATED, Reading, leaning, score_of, verdict_of
from panel.providers.local.language import about_it, expects_clause, sentences_of, shared_content
from panel.providers.local.writing import Line, Task, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.domain.prompt import Prompt, Scaffold
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
    """

    text: str
    usage: Usage
    lines: tuple[Line, ...]


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
    score = score_of(reading, scaffold.calibration or UNCALIBRATED)
    verdict = verdict_of(score)
    lines: list[Line] = []
    for number, (opener, fact) in enumerate(plan(scaffold, verdict, weighed.sentences, reading.sentences)):
        task = Task(
            lesson=scaffold.lesson,
            examples=scaffold.examples,
            opener=opener,
            fact=about_it(fact, scaffold.name),
            source=scaffold.source,
            before=" ".join(line.text for line in lines),
            seed=_seed(prompt, seed, number),
        )
        lines.append(await pool.run(partial(write, task=task)))
    text = _json(scaffold, verdict, score, lines, weighed.sentences)
    return Result(text, usage_of([whole, *(draw for line in lines for draw in line.answers)]), tuple(lines))


def plan(
    scaffold: Scaffold, verdict: Verdict, sentences: Sequence[str], leanings: Sequence[float]
) -> list[tuple[str, str]]:
    """Return each opener of a verdict with the sentence that it goes with; no sentence is used twice while others are left.

    The first opener goes with the first sentence, or, if it needs one about the tool, with the first of those; the last with the
    sentence that speaks most for the verdict, those between with what speaks most against it.
    """
    openers = getattr(scaffold.openers, verdict.value)
    for_it = sorted(range(len(sentences)), key=lambda index: leanings[index], reverse=verdict is Verdict.SHIP)
    first = _opening(sentences, scaffold.name, openers[0])
    chosen = [first]
    last = next((index for index in for_it if index not in chosen), for_it[0])
    chosen.append(last)
    between = []
    for _ in openers[1:-1]:
        index = next((index for index in reversed(for_it) if index not in chosen), None)
        if index is not None:
            chosen.append(index)
            between.append(index)
    order = [first, *between, last]
    kept = [openers[0], *openers[1 : 1 + len(between)], openers[-1]]
    return [(opener, sentences[index]) for opener, index in zip(kept, order, strict=True)]


def usage_of(answers: Sequence[Answer]) -> Usage:
    """Return what answers took together."""
    return Usage(
        input_tokens=sum(one.read for one in answers),
        cached_tokens=sum(one.cached for one in answers),
        output_tokens=sum(one.wrote for one in answers),
    )


async def _all(pool: Pool, reads: Sequence[partial[Answer]], prompt: Prompt) -> list[Answer]:
    key = (prompt.system, prompt.shared)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(pool.run(one, key)) for one in reads]
    return [task.result() for task in tasks]


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
    return engine.ask(Lane.READ, (*_prefix(engine, prompt), tail), max_tokens=1, logprobs=LIKELIEST)


def _prefix(engine: Engine, prompt: Prompt) -> Levels:
    system: Tokens = (
        *engine.tokens("<|im_start|>system\n", special=True),
        *engine.tokens(prompt.system),
        *engine.tokens("<|im_end|>\n", special=True),
    )
    return system, (*engine.tokens("<|im_start|>user\n", special=True), *engine.tokens(prompt.shared))


def _opening(sentences: Sequence[str], name: str, opener: str) -> int:
    if expects_clause(opener):
        return 0
    return next((index for index, one in enumerate(sentences) if about_it(one, name).startswith("It ")), 0)


def _seed(prompt: Prompt, seed: int, number: int) -> int:
    digest = hashlib.sha256(f"{seed}:{prompt.digest}:{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def _json(scaffold: Scaffold, verdict: Verdict, score: int, lines: Sequence[Line], sentences: Sequence[str]) -> str:
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
