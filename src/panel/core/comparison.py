"""Comparison of reviews: of different tools, or of one tool by different panels."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from panel.core.frozen import Frozen, digest_of
from panel.core.review import PanelReview
from panel.core.take import Seat
from panel.core.text import slugify
from panel.core.votes import NO_VOTES

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from panel.core.completion import ModelRef
    from panel.core.review import ReviewSetup
    from panel.core.tool import Tool

NOT_STATED = "Not stated"
MAX_SLUG_CHARS = 199  # file systems allow 255 bytes, and extensions and timestamps are appended

_HASH_CHARS = 8


class DecisionRow(Frozen):
    """A row of the decision table, with a cell for each column."""

    label: str
    cells: tuple[str, ...]


class ScoreRow(Frozen):
    """A row of the scorecard: a persona, and its seat on each panel; None on a panel without it."""

    persona: str
    name: str
    seats: tuple[Seat | None, ...]


class Comparison(Frozen):
    """Reviews side by side, in the given order."""

    reviews: Annotated[tuple[PanelReview, ...], Field(min_length=2)]

    @classmethod
    def of_one(cls, review: PanelReview) -> Comparison:
        """Return a comparison with a single column, so that the page of a review has the same tables."""
        return cls.model_construct(reviews=(review,))  # not validated: a real comparison needs two reviews

    @property
    def of_one_tool(self) -> bool:
        """Whether all reviews are of one tool, so that panels are compared."""
        return len(self.reviews) > 1 and not _differ(review.tool.slug for review in self.reviews)

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The listings, without duplicates."""
        return tuple({review.tool.digest: review.tool for review in self.reviews}.values())

    @property
    def headings(self) -> tuple[str, ...]:
        """A distinct heading for each column: the tool, or the model if all reviews are of one tool.

        Several reviews of a tool beside other tools have their models added, and runs of one model are numbered.
        """
        panels = _panel_names([review.setup for review in self.reviews])
        if self.of_one_tool:
            return _numbered(panels)
        tools = [review.tool.name for review in self.reviews]
        pairs = zip(tools, panels, strict=True)
        return _numbered([tool if tools.count(tool) == 1 else f"{tool} by {panel}" for tool, panel in pairs])

    @property
    def columns(self) -> tuple[tuple[str, PanelReview], ...]:
        """Headings with their reviews."""
        return tuple(zip(self.headings, self.reviews, strict=True))

    @property
    def title(self) -> str:
        """Title of the page: `SmolLM3 vs SkillClaw`, or `SmolLM3 by gpt-6.1-terra and claude-sonnet-5-5`."""
        if self.of_one_tool:
            return f"{self.reviews[0].tool.name} by {joined(self.headings)}"
        return " vs ".join(self.headings)

    @property
    def slug(self) -> str:
        """File name: `smollm3-vs-skillclaw`, or `smollm3-by-gpt-6-1-terra-vs-claude-sonnet-5-5`; a long one is cut and ends in a hash."""
        if self.of_one_tool:
            panels = "-vs-".join(map(slugify, self.headings))
            return _cut(f"{self.reviews[0].tool.slug}-by-{panels}")
        slugs = [review.tool.slug for review in self.reviews]
        pairs = zip(slugs, self.headings, strict=True)
        return _cut("-vs-".join(slug if slugs.count(slug) == 1 else slugify(name) for slug, name in pairs))

    @property
    def decisions(self) -> tuple[DecisionRow, ...]:
        """The decision table: panel verdicts, then facts about the tools or the panels."""
        verdicts = DecisionRow(label="Panel verdict", cells=tuple(r.tally.line for r in self.reviews))
        return (verdicts, *(self._of_panels() if self.of_one_tool else self._of_tools()))

    @property
    def scorecard(self) -> tuple[ScoreRow, ...]:
        """One row per persona, in the order of the panels."""
        names = {seat.persona: seat.name for review in reversed(self.reviews) for seat in review.seats}
        order = dict.fromkeys(seat.persona for review in self.reviews for seat in review.seats)
        return tuple(
            ScoreRow(persona=p, name=names[p], seats=tuple(r.seat_of(p) for r in self.reviews)) for p in order
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences that say why the columns may not be comparable."""
        setups = [review.setup for review in self.reviews]
        tools, one = self.tools, self.of_one_tool
        checks = (
            (_OTHER_CATEGORY, not one and _differ((tool.category or "").casefold() for tool in tools)),
            (_OTHER_LISTING, len({tool.slug for tool in tools}) < len(tools)),
            (_OTHER_MODEL, not one and _asked_differ(setups, _model_and_settings)),
            (_OTHER_SETTINGS, one and _asked_differ(setups, _settings)),
            (_OTHER_PROMPTS, _asked_differ(setups, lambda asked: asked.prompts)),
            (_OTHER_ROSTER, _differ(s.roster for s in setups)),
            (_OTHER_PERSONAS, any(map(_differ, _per_persona(setups, lambda s, p: s.personas[p])))),
        )
        return tuple(sentence for sentence, applies in checks if applies)

    def _of_tools(self) -> tuple[DecisionRow, ...]:
        tools = [review.tool for review in self.reviews]
        return (
            DecisionRow(label="Community", cells=tuple(NO_VOTES for _ in tools)),
            DecisionRow(label="Pricing", cells=tuple(tool.pricing or NOT_STATED for tool in tools)),
            DecisionRow(label="Best for", cells=tuple(tool.audience or NOT_STATED for tool in tools)),
            DecisionRow(label="Category", cells=tuple(tool.category or NOT_STATED for tool in tools)),
        )

    def _of_panels(self) -> tuple[DecisionRow, ...]:
        dates = [review.reviewed_at for review in self.reviews]
        return (
            DecisionRow(label="Model", cells=tuple(", ".join(r.setup.asked_models) for r in self.reviews)),
            DecisionRow(label="Reviewed", cells=tuple(f"{date:%Y-%m-%d %H:%M %Z}" for date in dates)),
        )


_OTHER_CATEGORY = "These tools are in different categories and may not compete: read each verdict on its own."
_OTHER_MODEL = (
    "The reviews were written by different models or settings; scores may differ for that reason alone."
)
_OTHER_LISTING = "The listing of a tool changed between its reviews."
_OTHER_SETTINGS = "The models were asked with different settings; scores may differ for that reason alone."
_OTHER_PROMPTS = "The reviews were written with different versions of the prompts."
_OTHER_ROSTER = "The panels had different members; the percentages do not rest on the same seats."
_OTHER_PERSONAS = "A critic's instructions changed between the reviews."


def joined(parts: Sequence[str]) -> str:
    """Return a list in words: `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _differ(values: Iterable[Hashable]) -> bool:
    return len(set(values)) > 1


def _asked(setup: ReviewSetup, persona: str) -> ModelRef:
    return setup.seat_models.get(persona, setup)


def _asked_differ(setups: Sequence[ReviewSetup], of: Callable[[ModelRef], Hashable]) -> bool:
    """Return whether the panels, or one critic in two of them, were asked with different models or settings."""

    def of_seat(setup: ReviewSetup, persona: str) -> Hashable:
        return of(_asked(setup, persona))

    panels = (frozenset(of_seat(setup, persona) for persona in setup.personas) for setup in setups)
    return _differ(panels) or any(map(_differ, _per_persona(setups, of_seat)))


def _per_persona(
    setups: Sequence[ReviewSetup], of: Callable[[ReviewSetup, str], Hashable]
) -> list[list[Hashable]]:
    personas = {persona for setup in setups for persona in setup.personas}
    return [[of(setup, p) for setup in setups if p in setup.personas] for p in personas]


def _model_and_settings(asked: ModelRef) -> Hashable:
    return asked.provider, asked.config.model_dump_json()


def _settings(asked: ModelRef) -> Hashable:
    return asked.config.model_dump_json(exclude={"model"})


def _panel_names(setups: Sequence[ReviewSetup]) -> list[str]:
    """Return a name for each panel: its models, the default one first; with their providers if two have a model of the same name."""
    panels = [[_asked(setup, persona) for persona in setup.personas] or [setup] for setup in setups]
    vendors = Counter(model for _, model in {(a.provider, a.config.model) for panel in panels for a in panel})
    names = []
    for setup, panel in zip(setups, panels, strict=True):
        usual_first = [*(a for a in panel if a is setup), *(a for a in panel if a is not setup)]
        models = [a.config.model if vendors[a.config.model] == 1 else a.model for a in usual_first]
        first, *others = dict.fromkeys(models)
        names.append(" with ".join([first, ", ".join(others)] if others else [first]))
    return names


def _numbered(names: Sequence[str]) -> tuple[str, ...]:
    """Return names in which duplicates are numbered: `a (run 1)`, `a (run 2)`."""
    runs = [names[: n + 1].count(name) for n, name in enumerate(names)]
    return tuple(
        f"{name} (run {run})" if names.count(name) > 1 else name
        for name, run in zip(names, runs, strict=True)
    )


def _cut(slug: str) -> str:
    if len(slug) <= MAX_SLUG_CHARS:
        return slug
    stem = slug[: MAX_SLUG_CHARS - _HASH_CHARS - 1].rstrip("-")
    return f"{stem}-{digest_of(slug)[:_HASH_CHARS]}"
