"""The outcome of one seat: a take, or a typed reason why there is none."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from panel.core.completion import ModelConfig, Probabilities, Usage
from panel.core.frozen import Frozen

MIN_TAKE_CHARS = 40
MAX_TAKE_CHARS = 2_500
LOWEST_SHIP = 40
HIGHEST_SKIP = 80

Score = Annotated[int, Field(ge=0, le=100, strict=True)]


class Verdict(StrEnum):
    """A persona's vote."""

    SHIP = "ship"
    SKIP = "skip"


class Flag(StrEnum):
    """A warning about a take for editors."""

    CONTRADICTION = "contradiction"


class NoTakeReason(StrEnum):
    """The reason why a seat has no take."""

    RECUSED = "recused"
    REFUSED = "refused"
    INVALID = "invalid"
    TRUNCATED = "truncated"
    TIMED_OUT = "timed_out"
    OVER_BUDGET = "over_budget"
    PROVIDER_ERROR = "provider_error"

    @property
    def label(self) -> str:
        """The reason in words."""
        return self.value.replace("_", " ")


class Take(Frozen):
    """A persona's judgement of one tool: a verdict, a score that does not follow from it, and verbatim quotes from the listing.

    `reasoning` is the model's working, for editors; it is never published.
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
        """Score and verdict as printed: `87/100 · ship`."""
        return f"{self.score}/100 · {self.verdict}"

    @property
    def contradicts_itself(self) -> bool:
        """Whether score and verdict contradict each other: ship below 40, or skip above 80."""
        if self.verdict is Verdict.SHIP:
            return self.score < LOWEST_SHIP
        return self.score > HIGHEST_SKIP


class NoTake(Frozen):
    """A seat without a take; `detail` is one line, for a recusal in the persona's own words."""

    kind: Literal["no_take"] = "no_take"
    reason: NoTakeReason
    detail: str

    @property
    def label(self) -> str:
        """The words printed in place of a score."""
        return "No panel take"


class Provenance(Frozen):
    """The model that answered (or was requested, if none did), the last prompt, and the usage of all calls behind a seat's outcome.

    `asks` counts answered questions: 0, 1, or 2 after a re-ask; `attempts` the calls made for them, failed ones included. `probabilities` are
    never part of the take.
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
    """One persona's place in one review, with its id and printed name; `provenance` is None if no call was made."""

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
        """The failure of this seat, or None; a recusal is no failure."""
        outcome = self.outcome
        return outcome if isinstance(outcome, NoTake) and outcome.reason is not NoTakeReason.RECUSED else None

    @property
    def failed(self) -> bool:
        """Whether the seat has no take for a reason other than recusal."""
        return self.failure is not None

    @property
    def source(self) -> Provenance | None:
        """The provenance if a provider answered, usably or not."""
        return self.provenance if self.provenance and self.provenance.asks else None
