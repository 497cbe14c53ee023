"""What is sent to a provider."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from panel.core.base import Frozen, digest_of


class Scale(Frozen):
    """Where a measured figure usually lies.

    Attributes:
        centre: the figure that counts as 0.
        spread: the distance from it that counts as 1; above 0.
    """

    centre: float
    spread: Annotated[float, Field(gt=0)]

    def of(self, figure: float) -> float:
        """Return a figure in units of the scale."""
        return (figure - self.centre) / self.spread


class Calibration(Frozen):
    """How a weak model's raw judgement is put on the 0-100 scale.

    Attributes:
        model: the model that the figures were measured on.
        whole: scale of what it reads in the listing as a whole.
        sentences: scale of what it reads in the listing's sentences one by one.
        judgement: scale of the sum of both. Its centre becomes a score of 50; its spread is the change that moves the
            log-odds of the score by one.
    """

    model: str
    whole: Scale
    sentences: Scale
    judgement: Scale


class About(StrEnum):
    """Which sentence of the listing a sentence of a take is made of.

    Attributes:
        FIRST: the first one, which mostly says what the tool is.
        STRONG: the one that speaks most for the tool, of those not yet used.
        WEAK: the one that speaks most against it, of those not yet used.
    """

    FIRST = "first"
    STRONG = "strong"
    WEAK = "weak"


class Opener(Frozen):
    """First words of a sentence of a take.

    Words that end in a conjunction or in a comma are followed by a whole clause, others by what their subject does.
    """

    about: About
    words: Annotated[str, Field(min_length=1, max_length=200)]


class Openers(Frozen):
    """The sentences of a take, by the verdict that it argues for."""

    ship: Annotated[tuple[Opener, ...], Field(min_length=1)]
    skip: Annotated[tuple[Opener, ...], Field(min_length=1)]


class Example(Frozen):
    """Shows a weak model how a fact finishes a sentence.

    Attributes:
        fact: a sentence.
        opener: first words of another sentence.
        rest: the fact, worded so that it finishes that sentence.
    """

    fact: str
    opener: str
    rest: str


class Probe(Frozen):
    """The start of an answer whose next word tells a judgement.

    Attributes:
        text: the start; in a probe of single sentences, `{sentence}` stands for the sentence.
        favourable: next words that speak for the tool, each with its leading space.
        unfavourable: next words that speak against it.
    """

    text: str
    favourable: tuple[str, ...]
    unfavourable: tuple[str, ...]


class Scaffold(Frozen):
    """What a model too weak to follow the instructions needs beside the prompt.

    Attributes:
        whole: probe of the listing as a whole.
        sentence: probe of one sentence of it.
        openers: first words of each sentence of the take.
        lesson: the rules for finishing a sentence with a fact.
        examples: finished sentences.
        name: what the listing is about.
        source: the listing as plain text; names and numbers must come from it.
        prose: the part of it that consists of sentences; quotes come from it.
        calibration: figures that turn the judgement into a score, or None if there are none.
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
    """One question to a model, in the order in which it is read.

    `system` and `shared` are the same, byte for byte, for all seats of one panel, so that a
    provider's cache can serve them; `own` is what differs.

    Attributes:
        label: name of the call for people and recordings, such as `smollm3.builder`.
        system: the rules.
        shared: first part of the user's turn: the tool under review.
        own: last part of the user's turn: who is asked, and what was wrong with an earlier reply.
        answer_schema: JSON schema of the answer.
        ask: 1 for the first time of asking, 2 for the re-ask.
        canary: tag that stands in `system` and must never come back, if there is one.
        mark: character that stands for white space in the listing, if one does.
        scaffold: help for a weak model, if there is any.
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
        """The user's turn as it is sent."""
        return self.shared + self.own

    @property
    def prefix_digest(self) -> str:
        """The sha256 of what all seats of one panel share: the routing key of caches."""
        return digest_of([self.system, self.shared])

    @property
    def digest(self) -> str:
        """The sha256 of all that is sent: cache key and provenance."""
        return digest_of(self.model_dump(mode="json", exclude={"label"}))
