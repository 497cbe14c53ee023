"""The take: choose what to say, write it sentence by sentence, and assemble the JSON answer.

Each sentence is written from one sentence of the listing, which the model found to speak for or against the tool. The model sees
a rule, a few worked examples, one fact and the first words, and the words of the fact are made likelier. Without these, a model of
this size invents things after half a line. A drawn sentence that breaks a rule of `language` is dropped; if none is left, the
listing's own words are used.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from panel.core.completion import Usage
from panel.core.frozen import Frozen
from panel.core.prompt import About, Example
from panel.core.take import Verdict
from panel.providers.local.engine import Lane
from panel.providers.local.language import (
    as_clause,
    as_fact,
    broken_rules,
    closeness,
    expects_clause,
    shared_content,
    stands_alone,
    words_of,
)
from panel.providers.local.scoring import UNCALIBRATED, probability_of, read_listing, score_of, verdict_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.prompt import Opener, Prompt, Scaffold
    from panel.providers.local.engine import Answer, Engine, EnginePool, Tokens
    from panel.providers.local.scoring import ReadSentences

MOST_QUOTES = 2

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


@dataclass(frozen=True, slots=True)
class Try:
    """The sampling options of one draw; `pull` is added to the logits of the fact's words."""

    temperature: float
    pull: float


TRIES = (Try(0.3, 2.0), Try(0.5, 3.0))


class SentenceTask(Frozen):
    """The material of one sentence.

    `lesson` holds the rules for the model's system turn, `opener` the first words, `fact` a sentence of the listing as worded
    by `as_fact`, `source` the whole listing, and `before` the sentences of the take so far. The seeds of later draws follow
    from `seed`.
    """

    lesson: str
    examples: tuple[Example, ...]
    opener: str
    fact: str
    name: str
    source: str
    before: str
    seed: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a take with its full stop, or an empty text if none could be written; and the answers of all draws.

    `drawn` is whether the model worded it; otherwise it is the fact in the listing's own words.
    """

    text: str
    drawn: bool
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class LocalAnswer:
    """An answer as JSON text, and the probability of a ship. The usage excludes the sentence readings that all seats share."""

    text: str
    usage: Usage
    sentences: tuple[Sentence, ...]
    probability: float


async def answer(
    pool: EnginePool, prompt: Prompt, scaffold: Scaffold, read: ReadSentences, seed: int
) -> LocalAnswer:
    """Return the answer to one prompt.

    Raises:
        ProviderError: the listing is too long, or the runtime fails.
    """
    reading, whole = await read_listing(pool, prompt, scaffold, read)
    probability = probability_of(reading, scaffold.calibration or UNCALIBRATED)
    score = score_of(probability)
    verdict = verdict_of(score)
    openers = scaffold.openers.ship if verdict is Verdict.SHIP else scaffold.openers.skip
    written: list[Sentence] = []
    for number, (opener, fact) in enumerate(
        plan_sentences(openers, scaffold.name, read.sentences, reading.sentences)
    ):
        task = SentenceTask(
            lesson=scaffold.lesson,
            examples=scaffold.examples,
            opener=opener,
            fact=fact,
            name=scaffold.name,
            source=scaffold.source,
            before=" ".join(sentence.text for sentence in written),
            seed=_seed(prompt, seed, number),
        )
        written.append(await pool.run(partial(write_sentence, task=task)))
    text = _json(scaffold, verdict, score, written, read.sentences)
    usage = usage_of([whole, *(draw for sentence in written for draw in sentence.answers)])
    return LocalAnswer(text, usage, tuple(written), probability)


def usage_of(answers: Sequence[Answer]) -> Usage:
    """Return the usage of all answers together."""
    return Usage(
        input_tokens=sum(one.read for one in answers),
        cached_tokens=sum(one.cached for one in answers),
        output_tokens=sum(one.wrote for one in answers),
    )


def plan_sentences(
    openers: Sequence[Opener], name: str, sentences: Sequence[str], readings: Sequence[float]
) -> list[tuple[str, str]]:
    """Return the words of each opener with a fact; openers for which no sentence is left are dropped.

    Sentences that depend on others, say very little or are too long are used only if there are no others.
    """
    alone = [index for index, one in enumerate(sentences) if stands_alone(one)] or list(range(len(sentences)))
    ranked = sorted(alone, key=lambda index: readings[index])
    chosen: dict[int, int] = {}
    for number in sorted(range(len(openers)), key=lambda one: openers[one].about is not About.FIRST):
        left = [index for index in ranked if index not in chosen.values()]
        if left:
            chosen[number] = _choose(openers[number], name, sentences, left)
    return [
        (words := openers[number].words, as_fact(sentences[index], name, named=not expects_clause(words)))
        for number, index in sorted(chosen.items())
    ]


def _choose(opener: Opener, name: str, sentences: Sequence[str], left: Sequence[int]) -> int:
    """Return one of the remaining sentences, which are sorted from the least favourable to the most."""
    if opener.about is not About.FIRST:
        last_word = words_of(opener.words)[-1:]
        fit = [index for index in left if words_of(sentences[index])[:1] != last_word] or left
        return fit[-1 if opener.about is About.STRONG else 0]
    about_tool = [index for index in sorted(left) if as_fact(sentences[index], name).startswith("It ")]
    return min(left) if expects_clause(opener.words) or not about_tool else about_tool[0]


def _seed(prompt: Prompt, seed: int, number: int) -> int:
    digest = hashlib.sha256(f"{seed}:{prompt.digest}:{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def _json(
    scaffold: Scaffold, verdict: Verdict, score: int, written: Sequence[Sentence], sentences: Sequence[str]
) -> str:
    take = " ".join(sentence.text for sentence in written if sentence.text)
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


def write_sentence(engine: Engine, task: SentenceTask) -> Sentence:
    """Write one sentence.

    Raises:
        ProviderError: the runtime fails.
    """
    quoted = _fitted(engine, task, task.fact)
    start = " ".join(quoted.split()[:GIVEN])
    path = (_head(engine, task.lesson, task.examples), _tail(engine, task.fact, f"{task.opener} {start}"))
    answers: list[Answer] = []
    best, best_closeness = "", TOO_FAR
    for number, one in enumerate(TRIES):
        answers.append(_draw(engine, path, task, one, number))
        text = _fitted(engine, task, start + answers[-1].text)
        if not answers[-1].finished or broken_rules(task.opener, text, quoted, task.source, task.before):
            continue
        if closeness(text, quoted) > best_closeness:
            best, best_closeness = text, closeness(text, quoted)
        if best_closeness >= CLOSE:
            break
    text = best or _usable(task, quoted)
    return Sentence(f"{task.opener} {text}." if text else "", drawn=bool(best), answers=tuple(answers))


def _usable(task: SentenceTask, quoted: str) -> str:
    """Return the fact in the listing's own words, or nothing if it cannot follow the opener."""
    follows = expects_clause(task.opener) or task.fact.startswith(f"{task.name} ")
    return (
        quoted if follows and not broken_rules(task.opener, quoted, quoted, task.source, task.before) else ""
    )


def _fitted(engine: Engine, task: SentenceTask, text: str) -> str:
    """Return words that fit after the opener, without a subject that it names already."""
    words = text.strip()
    if not expects_clause(task.opener):
        words = words.removeprefix(f"{task.name} ").removeprefix("It ").removeprefix("it ")
    return as_clause(words, partial(_is_word, engine))


def _is_word(engine: Engine, word: str) -> bool:
    """Whether a word in small letters is one token, as most common words are and few names."""
    return any(len(engine.tokens(f" {form}")) == 1 for form in (word, word.removesuffix("s")))


def _draw(engine: Engine, path: tuple[Tokens, Tokens], task: SentenceTask, one: Try, number: int) -> Answer:
    return engine.ask(
        Lane.WRITE,
        path,
        again=number > 0,
        max_tokens=MOST_TOKENS,
        temperature=one.temperature,
        min_p=LIKELIEST_SHARE,
        seed=(task.seed + number) % 2**31,
        stop=STOPS,
        logit_bias=_pull(engine, task, one.pull),
    )


def _pull(engine: Engine, task: SentenceTask, pull: float) -> list[list[float]]:
    fact = as_clause(task.fact, partial(_is_word, engine))
    wanted = {*engine.tokens(f" {task.fact}"), *engine.tokens(f" {fact}")}
    banned = {token for text in UNWANTED for token in _only(engine.tokens(text))}
    return [
        *([token, pull] for token in sorted(wanted - banned)),
        *([token, NEVER] for token in sorted(banned)),
    ]


def _only(tokens: Tokens) -> Tokens:
    return tokens if len(tokens) == 1 else ()


def _head(engine: Engine, lesson: str, examples: Sequence[Example]) -> Tokens:
    """Return the tokens before the fact: rules and examples."""
    turns = [*engine.tokens("<|im_start|>system\n", special=True), *engine.tokens(lesson)]
    for example in examples:
        turns += _start(engine)
        turns += _tail(engine, example.fact, example.opener)
        turns += engine.tokens(f" {example.rest}.")
    return (*turns, *_start(engine))


def _start(engine: Engine) -> Tokens:
    return (*engine.tokens("<|im_end|>\n<|im_start|>user\n", special=True), *engine.tokens("Fact:"))


def _tail(engine: Engine, fact: str, opener: str) -> Tokens:
    return (
        *engine.tokens(f" {fact}"),
        *engine.tokens("<|im_end|>\n<|im_start|>assistant\n", special=True),
        *engine.tokens(opener),
    )
