"""Prompts: the text sent to a model, and the scaffold of a weak one."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from panel.core.frozen import Frozen, digest_of

CHARS_PER_TOKEN = 4
"""A rule of thumb for English; other languages take more tokens."""


class Scale(Frozen):
    """A linear scale for a measured figure: `centre` becomes 0, and a distance of `spread` from it becomes 1."""

    centre: float
    spread: Annotated[float, Field(gt=0)]

    def normalise(self, figure: float) -> float:
        """Return a figure in units of the scale."""
        return (figure - self.centre) / self.spread


class Calibration(Frozen):
    """The scales that turn a weak model's raw judgement into a score of 0-100, and the model that they were measured on.

    `whole` is for the listing as a whole, `sentences` for the mean of its sentences, and `judgement` for the sum of both: its centre becomes a
    score of 50, and its spread changes the log-odds of the score by one.
    """

    model: str
    whole: Scale
    sentences: Scale
    judgement: Scale


class About(StrEnum):
    """The sentence of the listing from which a sentence of a take is made: the first, or the unused one most for or against the tool."""

    FIRST = "first"
    STRONG = "strong"
    WEAK = "weak"


class Opener(Frozen):
    """The first words of a sentence of a take.

    After a conjunction or a comma a whole clause follows; after other words, a verb.
    """

    about: About
    words: Annotated[str, Field(min_length=1, max_length=200)]


class Openers(Frozen):
    """The openers of a take for each verdict."""

    ship: Annotated[tuple[Opener, ...], Field(min_length=1)]
    skip: Annotated[tuple[Opener, ...], Field(min_length=1)]


class Example(Frozen):
    """An example for a weak model: a fact, the first words of another sentence, and the fact worded to finish that sentence."""

    fact: str
    opener: str
    rest: str


class Probe(Frozen):
    """The start of an answer, and the next words (each with its leading space) that speak for or against the tool.

    In a probe of single sentences, `{sentence}` stands for the sentence.
    """

    text: str
    favourable: tuple[str, ...]
    unfavourable: tuple[str, ...]


class Scaffold(Frozen):
    """The additions to a prompt for a model that is too weak to follow the instructions.

    `lesson` are the rules for finishing a sentence with a fact. Names and numbers must come from `source`, the listing as plain text, and quotes
    from `prose`, its part that consists of sentences.
    """

    whole: Probe
    sentence: Probe
    openers: Openers
    lesson: str
    examples: tuple[Example, ...]
    name: str
    source: str
    prose: str
    calibration: Calibration | None = None


class Prompt(Frozen):
    """One question to a model, its parts in reading order.

    `system` and `shared` are equal, byte for byte, for all seats of a panel, so that a provider's cache can serve them. `shared` (the
    listing) and `own` (the persona, and the problems of an earlier reply) are the user's turn. `label` names the tool's slug and the persona:
    `smollm3.builder`. `ask` is 2 for the re-ask. `canary` is a tag in `system` that must not occur in the reply, and `mark` replaces white space
    in the listing.
    """

    label: str
    system: str
    shared: str
    own: str
    answer_schema: dict[str, Any]
    ask: int = 1
    canary: str | None = None
    mark: str | None = None
    scaffold: Scaffold | None = None

    @property
    def user(self) -> str:
        """The user's turn."""
        return self.shared + self.own

    @property
    def prefix_digest(self) -> str:
        """The sha256 of the parts that all seats of a panel share: the routing key of caches."""
        return digest_of([self.system, self.shared])

    @property
    def digest(self) -> str:
        """The sha256 of everything that is sent: cache key and provenance."""
        return digest_of(self.model_dump(mode="json", exclude={"label"}))

    @property
    def estimated_tokens(self) -> int:
        """About how many tokens the prompt takes, its schema included."""
        return sum(map(estimate_tokens, (self.system, self.user, json.dumps(self.answer_schema))))


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text takes, rounded up."""
    return -(-len(text) // CHARS_PER_TOKEN)
