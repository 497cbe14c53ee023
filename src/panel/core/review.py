"""The review of one tool by one panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AwareDatetime, ConfigDict, Field

from panel.core.completion import ModelRef, Usage
from panel.core.frozen import Frozen, digest_of
from panel.core.take import Seat
from panel.core.tally import Tally
from panel.core.tool import Tool

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from panel.core.persona import Persona

EMBEDDED = "local"


class ReviewSetup(ModelRef):
    """The models, prompts and personas that decide, with the tool, a panel's answers.

    `personas` maps ids to the digests of their files, in the order of the seats. `seat_models` has the model of each seat that does not use the
    panel's; stored reviews call them `exceptions`.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    personas: dict[str, str]
    seat_models: dict[str, ModelRef] = Field(default_factory=dict, alias="exceptions")

    @classmethod
    def of(cls, model: ModelRef, personas: Iterable[Persona], seat_models: Mapping[str, ModelRef]) -> Self:
        """Return the setup of a panel with one model, apart from seats with a model of their own."""
        digests = {persona.id: persona.digest for persona in personas}
        return cls(**dict(model), personas=digests, seat_models=dict(seat_models))

    @property
    def roster(self) -> tuple[str, ...]:
        """Ids of the personas, in the order of the seats."""
        return tuple(self.personas)

    @property
    def asked_models(self) -> tuple[str, ...]:
        """The models that are asked, as `provider:model`, without repeats."""
        return tuple(dict.fromkeys(self.asked(persona).model for persona in self.personas))

    def asked(self, persona: str) -> ModelRef:
        """Return the model that a persona's seat asks."""
        return self.seat_models.get(persona, self)


class PanelReview(Frozen):
    """The review of one tool by one panel; `seats` has one seat for each persona of the roster, in its order."""

    tool: Tool
    setup: ReviewSetup
    seats: Annotated[tuple[Seat, ...], Field(min_length=1)]
    reviewed_at: AwareDatetime

    @property
    def id(self) -> str:
        """Digest of tool and setup: equal ids mean the same question to the same panel."""
        return review_id(self.tool, self.setup)

    @property
    def tally(self) -> Tally:
        """Votes and scores of the takes given."""
        return Tally.of(seat.take for seat in self.seats if seat.take)

    @property
    def panel_size(self) -> int:
        """The number of configured seats, with or without a take."""
        return len(self.seats)

    @property
    def complete(self) -> bool:
        """Whether no seat failed; a recused seat is no failure."""
        return not self.failed_seats

    @property
    def failed_seats(self) -> int:
        """The number of seats without a take for a reason other than recusal."""
        return sum(seat.failed for seat in self.seats)

    @property
    def answered(self) -> bool:
        """Whether any seat received an answer, usable or not."""
        return any(seat.source for seat in self.seats)

    @property
    def models(self) -> tuple[str, ...]:
        """The models that answered, as `provider:model`, without repeats."""
        named = [f"{source.provider}:{source.model}" for seat in self.seats if (source := seat.source)]
        return tuple(dict.fromkeys(named))

    @property
    def embedded(self) -> bool:
        """Whether the embedded model wrote any of the takes."""
        return any(seat.source and seat.source.provider == EMBEDDED for seat in self.seats)

    @property
    def usage(self) -> Usage:
        """Tokens and cost of all seats together."""
        spent = [seat.provenance.usage for seat in self.seats if seat.provenance]
        return sum(spent, Usage.lost(0))

    def seat_of(self, persona: str) -> Seat | None:
        """Return a persona's seat, or None if it was not on this panel."""
        return next((seat for seat in self.seats if seat.persona == persona), None)


def review_id(tool: Tool, setup: ReviewSetup) -> str:
    """Return the digest of a tool and a setup."""
    return digest_of({"tool": tool.digest, "setup": setup.model_dump(mode="json")})


def says_the_same(earlier: PanelReview, later: PanelReview) -> bool:
    """Whether two reviews of the same question have equal outcomes in every seat."""
    return earlier.id == later.id and not _changed_seats(earlier, later)


def fills_in(earlier: PanelReview, later: PanelReview) -> bool:
    """Whether the later of two reviews of the same question fills failed seats and changes no other."""
    if earlier.id != later.id:
        return False
    changed = _changed_seats(earlier, later)
    return all(seat.failed for seat in changed) and later.failed_seats < earlier.failed_seats


def _changed_seats(earlier: PanelReview, later: PanelReview) -> list[Seat]:
    seats = zip(earlier.seats, later.seats, strict=True)
    return [mine for mine, other in seats if mine.outcome != other.outcome]
