"""Drawing one sentence of a take: a few tries, the rules of `language`, and the listing's own words if no try keeps them.

The model sees a rule, a few worked examples, one fact and the first words; the words of the fact are made likelier. Without that a
model of this size drifts into invention after half a line; with it, it turns the fact into a clause that fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from panel.domain.base import Frozen
from panel.providers.local.engine import Lane
from panel.providers.local.language import as_clause, closeness, expects_clause, faults_of, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.domain.prompt import Example
    from panel.providers.local.engine import Answer, Engine, Tokens

CLOSE_ENOUGH = 0.75
"""A draw that is at least this close to its fact ends the drawing."""

MOST_TOKENS = 48
LIKELIEST_SHARE = 0.05
"""Next words less than this share as likely as the likeliest are never drawn (min-p)."""

NEVER = -100.0
UNWANTED = (" I", " we", " our", " us", " my", " We", " Our", '"', ' "', " “", ":", "\n")
STOPS = [".", "\n", ";", "!", "?", "<"]


@dataclass(frozen=True, slots=True)
class Try:
    """How one draw is made.

    Attributes:
        temperature: 0 always takes the likeliest word.
        pull: added to the logits of the fact's words.
    """

    temperature: float
    pull: float


TRIES = (Try(0.3, 1.5), Try(0.3, 3.0), Try(0.7, 2.0))


class Task(Frozen):
    """What one sentence is to be made of.

    Attributes:
        lesson: the rules, for the model's system turn.
        examples: finished sentences.
        opener: its first words.
        fact: a sentence of the listing, about `It` where it was about the tool by name.
        source: the whole listing.
        before: the sentences of the take so far.
        seed: of the first try; the others follow from it.
    """

    lesson: str
    examples: tuple[Example, ...]
    opener: str
    fact: str
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
    path = (_head(engine, task.lesson, task.examples), _turn(engine, task.fact, task.opener))
    answers: list[Answer] = []
    best, best_closeness = "", 0.0
    for number, one in enumerate(TRIES):
        answers.append(_draw(engine, path, task, one, number))
        text = fitted(task.opener, answers[-1].text)
        if not answers[-1].finished or faults_of(task.opener, text, task.fact, task.source, task.before):
            continue
        if closeness(text, task.fact) > best_closeness:
            best, best_closeness = text, closeness(text, task.fact)
        if best_closeness >= CLOSE_ENOUGH:
            break
    return _line(task, best, tuple(answers))


def fitted(opener: str, text: str) -> str:
    """Return drawn words without spaces around them and without a subject that the opener has already named."""
    words = text.strip(" ,")
    return words if expects_clause(opener) else words.removeprefix("it ")


def _line(task: Task, drawn: str, answers: tuple[Answer, ...]) -> Line:
    if drawn:
        return Line(f"{task.opener} {drawn}.", drawn=True, answers=answers)
    quoted = as_clause(task.fact, task.source)
    tells_of_it = words_of(quoted)[:1] == ("it",)
    usable = expects_clause(task.opener) or tells_of_it
    text = fitted(task.opener, quoted)
    if not usable or faults_of(task.opener, text, task.fact, task.source, task.before):
        return Line("", drawn=False, answers=answers)
    return Line(f"{task.opener} {text}.", drawn=False, answers=answers)


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
    fact = as_clause(task.fact, task.source)
    wanted = {*engine.tokens(f" {task.fact}"), *engine.tokens(f" {fact}")}
    banned = {token for text in UNWANTED for token in _only(engine.tokens(text))}
    return [*([token, pull] for token in sorted(wanted - banned)), *([token, NEVER] for token in sorted(banned))]


def _only(tokens: Tokens) -> Tokens:
    return tokens if len(tokens) == 1 else ()


def _head(engine: Engine, lesson: str, examples: Sequence[Example]) -> Tokens:
    turns = [*engine.tokens("<|im_start|>system\n", special=True), *engine.tokens(lesson)]
    for example in examples:
        turns += engine.tokens("<|im_end|>\n", special=True)
        turns += _turn(engine, example.fact, example.opener)
        turns += engine.tokens(f" {example.rest}.")
    return (*turns, *engine.tokens("<|im_end|>\n", special=True))


def _turn(engine: Engine, fact: str, opener: str) -> Tokens:
    return (
        *engine.tokens("<|im_start|>user\n", special=True),
        *engine.tokens(f"Fact: {fact}\nSentence: {opener}"),
        *engine.tokens("<|im_end|>\n<|im_start|>assistant\n", special=True),
        *engine.tokens(opener),
    )
