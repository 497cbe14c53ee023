"""What is sent to a provider."""

from __future__ import annotations

from typing import Any

from panel.domain.base import Frozen, digest_of


class Calibration(Frozen):
    """How a weak model's raw judgement is put on the 0-100 scale.

    Attributes:
        model: the model that the figures were measured on.
        centre: raw judgement that becomes a score of 50.
        scale: change of the raw judgement that moves the log-odds of the score by one.
    """

    model: str
    centre: float
    scale: float


class Openers(Frozen):
    """First words of each sentence of a take, by the verdict it argues for."""

    ship: tuple[str, ...]
    skip: tuple[str, ...]


class Scaffold(Frozen):
    """What a model too weak to follow the instructions needs beside the prompt.

    Attributes:
        probe: start of an answer whose next word tells the judgement.
        favourable: next words that speak for the tool, each with its leading space.
        unfavourable: next words that speak against it.
        openers: first words of each sentence of the take.
        source: the listing as plain text; names, numbers and quotes must come from it.
        calibration: figures that turn the judgement into a score, or None if there are none.
    """

    probe: str
    favourable: tuple[str, ...]
    unfavourable: tuple[str, ...]
    openers: Openers
    source: str
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
        scaffold: help for a weak model, if there is any.
    """

    label: str
    system: str
    shared: str
    own: str
    answer_schema: dict[str, Any]
    ask: int = 1
    canary: str | None = None
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
