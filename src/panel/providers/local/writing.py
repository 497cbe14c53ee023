"""Drawing one sentence of a take: a few tries, the rules of `language`, and the listing's own words if no try keeps them.

The model sees a rule, a few worked examples, one fact and the first words; the words of the fact are made likelier. Without that a
model of this size drifts into invention after half a line; with it, it turns the fact into a clause that fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from panel.core.base import Frozen
from panel.core.prompt import Example
from panel.providers.local.engine import Lane
from panel.providers.local.language import as_clause, closeness, expects_clause, faults_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.providers.local.engine import Answer, Engine, Tokens

CLOSE = 0.95
TOO_FAR = 0.89
"""A draw that is at least this close to its fact ends the drawing; one that is less close than that is not used."""

GIVEN = 2
"""Words of the fact that follow the opener; left to itself, the model begins at the fact's end or not at all."""

MOST_TOKENS = 48
LIKELIEST_SHARE = 0.05
"""Next words less than this share as likely as the likeliest are never drawn (min-p)."""

NEVER = -100.0
UNWANTED = (" I", " we", " our", " us", " my", " We", " Our", '"', ' "', " “", ":", "\n")
STOPS = [". ", "\n", ";", "!", "?", "<"]


@dataclass(frozen=True, slots=True)
class Try:
    """How one draw is made.

    Attributes:
        temperature: 0 always takes the likeliest word.
        pull: added to the logits of the fact's words.
    """

    temperature: float
    pull: float


TRIES = (Try(0.3, 2.0), Try(0.5, 3.0))


class Task(Frozen):
    """What one sentence is to be made of.

    Attributes:
        lesson: the rules, for the model's system turn.
        examples: finished sentences.
        opener: its first words.
        fact: a sentence of the listing, worded by `as_fact`.
        name: what the listing is about.
        source: the whole listing.
        before: the sentences of the take so far.
        seed: of the first try; the others follow from it.
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
class Line:
    """A sentence, and what it took.

    Attributes:
        text: the whole sentence with its full stop, or nothing if none could be made.
        drawn: whether the model worded it; else it is the fact as the listing has it.
        answers: the draws.
    """

    text: str
    drawn: bool
    answers: tuple[Answer, ...]


def write(engine: Engine, task: Task) -> Line:
    """Make one sentence.

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
        if not answers[-1].finished or faults_of(task.opener, text, quoted, task.source, task.before):
            continue
        if closeness(text, quoted) > best_closeness:
            best, best_closeness = text, closeness(text, quoted)
        if best_closeness >= CLOSE:
            break
    text = best or _usable(task, quoted)
    return Line(f"{task.opener} {text}." if text else "", drawn=bool(best), answers=tuple(answers))


def _usable(task: Task, quoted: str) -> str:
    """Return the fact as the listing has it, or nothing if it cannot follow the opener."""
    follows = expects_clause(task.opener) or task.fact.startswith(f"{task.name} ")
    return quoted if follows and not faults_of(task.opener, quoted, quoted, task.source, task.before) else ""


def _fitted(engine: Engine, task: Task, text: str) -> str:
    """Return words as they follow the opener, without a subject that it has named already."""
    words = text.strip()
    if not expects_clause(task.opener):
        words = words.removeprefix(f"{task.name} ").removeprefix("It ").removeprefix("it ")
    return as_clause(words, partial(_is_word, engine))


def _is_word(engine: Engine, word: str) -> bool:
    """Whether the model knows a word in small letters as one token, as it knows most common words and few names."""
    return any(len(engine.tokens(f" {form}")) == 1 for form in (word, word.removesuffix("s")))


def _draw(engine: Engine, path: tuple[Tokens, Tokens], task: Task, one: Try, number: int) -> Answer:
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


def _pull(engine: Engine, task: Task, pull: float) -> list[list[float]]:
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
    """Return what comes before every fact; it ends where a fact begins."""
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
