"""One tool, reviewed by one panel."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from panel.domain.base import Frozen, digest_of
from panel.domain.completion import ModelConfig, Usage
from panel.domain.take import Seat
from panel.domain.tally import Tally
from panel.domain.tool import Tool

EMBEDDED = "local"


class ReviewSetup(Frozen):
    """All that decides, beside the tool, what a panel answers.

    Attributes:
        provider: who is asked, such as `openai`.
        config: the model and its parameters.
        prompts: digest of the prompt templates.
        personas: digest of each persona's file by its id, in the order of the seats.
    """

    provider: str
    config: ModelConfig
    prompts: str
    personas: dict[str, str]

    @property
    def roster(self) -> tuple[str, ...]:
        """Ids of the personas, in the order of the seats."""
        return tuple(self.personas)


class PanelReview(Frozen):
    """What a panel makes of one tool.

    Attributes:
        tool: what was reviewed.
        setup: what decided the answers.
        seats: one per persona of the roster, in its order.
        reviewed_at: when the panel sat.
    """

    tool: Tool
    setup: ReviewSetup
    seats: Annotated[tuple[Seat, ...], Field(min_length=1)]
    reviewed_at: AwareDatetime

    @property
    def id(self) -> str:
        """Digest of the tool and the set-up: equal ids mean the same question to the same panel."""
        return review_id(self.tool, self.setup)

    @property
    def tally(self) -> Tally:
        """Votes and scores of the takes given."""
        return Tally.of(seat.take for seat in self.seats if seat.take)

    @property
    def panel_size(self) -> int:
        """Seats that were configured, with or without a take."""
        return len(self.seats)

    @property
    def complete(self) -> bool:
        """Whether no seat failed; a recused seat is no failure."""
        return not any(seat.failed for seat in self.seats)

    @property
    def answered(self) -> bool:
        """Whether any seat received an answer, usable or not."""
        return any(seat.provenance for seat in self.seats)

    @property
    def models(self) -> tuple[str, ...]:
        """The models that answered, as `provider:model`, without repeats."""
        named = [f"{p.provider}:{p.model}" for seat in self.seats if (p := seat.provenance)]
        return tuple(dict.fromkeys(named))

    @property
    def embedded(self) -> bool:
        """Whether the tiny embedded model wrote any of it."""
        return any(seat.provenance and seat.provenance.provider == EMBEDDED for seat in self.seats)

    @property
    def usage(self) -> Usage:
        """What all seats consumed together."""
        spent = [seat.provenance.usage for seat in self.seats if seat.provenance]
        return sum(spent[1:], spent[0]) if spent else Usage()

    def seat_of(self, persona: str) -> Seat | None:
        """Return the seat of a persona, or None if it was not on this panel."""
        return next((seat for seat in self.seats if seat.persona == persona), None)


def review_id(tool: Tool, setup: ReviewSetup) -> str:
    """Return the digest of what is asked of whom."""
    return digest_of({"tool": tool.digest, "setup": setup.model_dump(mode="json")})
