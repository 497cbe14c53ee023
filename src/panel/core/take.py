"""What one seat of a panel ends with: a take, or a typed reason why there is none."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from panel.core.base import Frozen
from panel.core.completion import ModelConfig, Probabilities, Usage

MIN_TAKE_CHARS = 40
MAX_TAKE_CHARS = 2_500
LOWEST_SHIP = 40
HIGHEST_SKIP = 80

Score = Annotated[int, Field(ge=0, le=100, strict=True)]


class Verdict(StrEnum):
    """A persona's answer."""

    SHIP = "ship"
    SKIP = "skip"


class Flag(StrEnum):
    """What an editor should look at in a take."""

    CONTRADICTION = "contradiction"


class NoTakeReason(StrEnum):
    """Why a seat has no take."""

    RECUSED = "recused"
    REFUSED = "refused"
    INVALID = "invalid"
    TRUNCATED = "truncated"
    TIMED_OUT = "timed_out"
    OVER_BUDGET = "over_budget"
    PROVIDER_ERROR = "provider_error"

    @property
    def label(self) -> str:
        """The reason in words for a page."""
        return self.value.replace("_", " ")


class Take(Frozen):
    """A persona's judgement of one tool.

    Attributes:
        verdict: ship or skip.
        score: 0-100, whole. A separate answer: it does not follow from the verdict.
        take: the argument, in prose.
        evidence: short quotes from the listing that the take rests on.
        reasoning: the model's working, kept for editors and never published.
        flags: what an editor should look at.
    """

    kind: Literal["take"] = "take"
    verdict: Verdict
    score: Score
    take: Annotated[str, Field(min_length=MIN_TAKE_CHARS, max_length=MAX_TAKE_CHARS)]
    evidence: tuple[str, ...] = ()
    reasoning: str | None = None
    flags: tuple[Flag, ...] = ()

    @property
    def label(self) -> str:
        """Score and verdict as pages print them: `87/100 · ship`."""
        return f"{self.score}/100 · {self.verdict}"

    @property
    def contradicts_itself(self) -> bool:
        """Whether the score is at odds with the verdict: ship below 40, or skip above 80."""
        if self.verdict is Verdict.SHIP:
            return self.score < LOWEST_SHIP
        return self.score > HIGHEST_SKIP


class NoTake(Frozen):
    """A seat without a take.

    Attributes:
        reason: the kind of failure.
        detail: one line about it; for a recusal, in the persona's own words.
    """

    kind: Literal["no_take"] = "no_take"
    reason: NoTakeReason
    detail: str

    @property
    def label(self) -> str:
        """What pages print in place of a score."""
        return "No panel take"


class Provenance(Frozen):
    """Where a seat's outcome came from.

    Attributes:
        provider: who was asked.
        model: which model answered, in the provider's words; the one that was asked for, if none did.
        config: what it was asked with.
        prompt_digest: digest of the prompt that was sent last.
        persona_digest: digest of the persona's file.
        asks: questions answered: 0, 1, or 2 after a re-ask.
        attempts: calls made for them, failed ones included.
        usage: what all of them consumed together.
        request_ids: the provider's names of the calls that were answered.
        probabilities: what the tokens' probabilities say beside the take; never part of it.
    """

    provider: str
    model: str
    config: ModelConfig
    prompt_digest: str
    persona_digest: str
    asks: Annotated[int, Field(ge=0)]
    attempts: Annotated[int, Field(ge=0)]
    usage: Usage
    request_ids: tuple[str, ...] = ()
    probabilities: Probabilities | None = None


class Seat(Frozen):
    """One persona's place in one review.

    Attributes:
        persona: the persona's id.
        name: what pages call the persona.
        outcome: a take, or why there is none.
        provenance: where it came from; None if no call was made.
    """

    persona: str
    name: str
    outcome: Annotated[Take | NoTake, Field(discriminator="kind")]
    provenance: Provenance | None = None

    @property
    def take(self) -> Take | None:
        """The take, if there is one."""
        return self.outcome if isinstance(self.outcome, Take) else None

    @property
    def failure(self) -> NoTake | None:
        """Why the seat lacks a take that it should have, if it does; a recusal is no failure."""
        outcome = self.outcome
        return outcome if isinstance(outcome, NoTake) and outcome.reason is not NoTakeReason.RECUSED else None

    @property
    def failed(self) -> bool:
        """Whether the seat lacks a take that it should have."""
        return self.failure is not None

    @property
    def source(self) -> Provenance | None:
        """Where an answer came from, usable or not; None if no provider answered."""
        return self.provenance if self.provenance and self.provenance.asks else None
