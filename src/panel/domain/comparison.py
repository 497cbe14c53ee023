"""Two or more reviews side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from panel.domain.base import Frozen
from panel.domain.review import PanelReview
from panel.domain.take import Seat

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from panel.domain.review import ReviewSetup

NO_VOTES = "No community votes yet"
NOT_STATED = "Not stated"


class DecisionRow(Frozen):
    """One line of the decision table: a question and the answer for each tool."""

    label: str
    cells: tuple[str, ...]


class ScoreRow(Frozen):
    """One line of the scorecard: a persona and its seat on each panel (None: not on that panel)."""

    persona: str
    name: str
    seats: tuple[Seat | None, ...]


class Comparison(Frozen):
    """Reviews side by side, in the order given."""

    reviews: Annotated[tuple[PanelReview, ...], Field(min_length=2)]

    @property
    def title(self) -> str:
        """Names of the tools: `SmolLM3 vs SkillClaw`."""
        return " vs ".join(review.tool.name for review in self.reviews)

    @property
    def slug(self) -> str:
        """File name of the comparison: `smollm3-vs-skillclaw`."""
        return "-vs-".join(review.tool.slug for review in self.reviews)

    @property
    def decisions(self) -> tuple[DecisionRow, ...]:
        """The decision table: panel verdict, community, pricing, best for, category."""
        tools = [review.tool for review in self.reviews]
        return (
            DecisionRow(label="Panel verdict", cells=tuple(r.tally.line for r in self.reviews)),
            DecisionRow(label="Community", cells=tuple(NO_VOTES for _ in tools)),
            DecisionRow(label="Pricing", cells=tuple(tool.pricing or NOT_STATED for tool in tools)),
            DecisionRow(label="Best for", cells=tuple(tool.suits or NOT_STATED for tool in tools)),
            DecisionRow(label="Category", cells=tuple(tool.category or NOT_STATED for tool in tools)),
        )

    @property
    def scorecard(self) -> tuple[ScoreRow, ...]:
        """One row per persona, in the order of the first panel that seats it."""
        names = {seat.persona: seat.name for review in reversed(self.reviews) for seat in review.seats}
        order = dict.fromkeys(seat.persona for review in self.reviews for seat in review.seats)
        return tuple(
            ScoreRow(persona=p, name=names[p], seats=tuple(r.seat_of(p) for r in self.reviews)) for p in order
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """Why the columns may not be comparable, one sentence each."""
        setups = [review.setup for review in self.reviews]
        checks = (
            (_OTHER_CATEGORY, _differ((r.tool.category or "").casefold() for r in self.reviews)),
            (_OTHER_MODEL, _differ((s.provider, s.config.model_dump_json()) for s in setups)),
            (_OTHER_PROMPTS, _differ(s.prompts for s in setups)),
            (_OTHER_ROSTER, _differ(s.roster for s in setups)),
            (_OTHER_PERSONAS, any(_differ(texts) for texts in _persona_texts(setups))),
        )
        return tuple(sentence for sentence, applies in checks if applies)


_OTHER_CATEGORY = "These tools are in different categories and may not compete: read each verdict on its own."
_OTHER_MODEL = (
    "The reviews were written by different models or settings; scores may differ for that reason alone."
)
_OTHER_PROMPTS = "The reviews were written with different versions of the prompts."
_OTHER_ROSTER = "The panels had different members; the percentages do not rest on the same seats."
_OTHER_PERSONAS = "A critic's instructions changed between the reviews."


def _differ(values: Iterable[Hashable]) -> bool:
    return len(set(values)) > 1


def _persona_texts(setups: list[ReviewSetup]) -> list[list[str]]:
    personas = {persona for setup in setups for persona in setup.personas}
    return [[s.personas[persona] for s in setups if persona in s.personas] for persona in personas]
