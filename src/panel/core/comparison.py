"""Comparison of reviews: of different tools, or of one tool by different panels."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from panel.core.frozen import Frozen, digest_of
from panel.core.review import PanelReview
from panel.core.take import Seat
from panel.core.tally import NO_VOTES
from panel.core.text import joined, slugify

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
        reviews, tools = self.reviews, [review.tool for review in self.reviews]
        rows = {"Panel verdict": [review.tally.line for review in reviews]}
        if self.of_one_tool:
            rows["Model"] = [", ".join(review.setup.asked_models) for review in reviews]
            rows["Reviewed"] = [f"{review.reviewed_at:%Y-%m-%d %H:%M %Z}" for review in reviews]
        else:
            rows["Community"] = [NO_VOTES for _ in tools]
            rows["Pricing"] = [tool.pricing or NOT_STATED for tool in tools]
            rows["Best for"] = [tool.audience or NOT_STATED for tool in tools]
            rows["Category"] = [tool.category or NOT_STATED for tool in tools]
        return tuple(DecisionRow(label=label, cells=tuple(cells)) for label, cells in rows.items())

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
        categories = {(tool.category or "").casefold() for tool in tools}
        checks = {
            "These tools are in different categories and may not compete: read each verdict on its own.": (
                not one and len(categories) > 1
            ),
            "The listing of a tool changed between its reviews.": len({t.slug for t in tools}) < len(tools),
            "The reviews were written by different models or settings; scores may differ for that reason alone.": (
                not one
                and _asked_differ(setups, lambda asked: (asked.provider, asked.config.model_dump_json()))
            ),
            "The models were asked with different settings; scores may differ for that reason alone.": (
                one and _asked_differ(setups, lambda asked: asked.config.model_dump_json(exclude={"model"}))
            ),
            "The reviews were written with different versions of the prompts.": (
                _asked_differ(setups, lambda asked: asked.prompts)
            ),
            "The panels had different members; the percentages do not rest on the same seats.": (
                _differ(setup.roster for setup in setups)
            ),
            "A critic's instructions changed between the reviews.": (
                _critics_differ(setups, lambda setup, persona: setup.personas[persona])
            ),
        }
        return tuple(sentence for sentence, applies in checks.items() if applies)


def _differ(values: Iterable[Hashable]) -> bool:
    return len(set(values)) > 1


def _critics_differ(setups: Sequence[ReviewSetup], of: Callable[[ReviewSetup, str], Hashable]) -> bool:
    personas = {persona for setup in setups for persona in setup.personas}
    return any(_differ(of(setup, p) for setup in setups if p in setup.personas) for p in personas)


def _asked_differ(setups: Sequence[ReviewSetup], of: Callable[[ModelRef], Hashable]) -> bool:
    """Return whether the panels, or one critic in two of them, were asked with different models or settings."""
    panels = (frozenset(of(setup.asked(persona)) for persona in setup.personas) for setup in setups)
    return _differ(panels) or _critics_differ(setups, lambda setup, persona: of(setup.asked(persona)))


def _panel_names(setups: Sequence[ReviewSetup]) -> list[str]:
    """Return a name for each panel: its models, the default one first; with their providers if two have a model of the same name."""
    panels = [[setup.asked(persona) for persona in setup.personas] or [setup] for setup in setups]
    vendors = Counter(model for _, model in {(a.provider, a.config.model) for panel in panels for a in panel})
    names = []
    for setup, panel in zip(setups, panels, strict=True):
        usual_first = [*(a for a in panel if a is setup), *(a for a in panel if a is not setup)]
        first, *others = dict.fromkeys(
            asked.config.model if vendors[asked.config.model] == 1 else asked.model for asked in usual_first
        )
        names.append(f"{first} with {', '.join(others)}" if others else first)
    return names


def _numbered(names: Sequence[str]) -> tuple[str, ...]:
    """Return names in which duplicates are numbered: `a (run 1)`, `a (run 2)`."""
    return tuple(
        f"{name} (run {names[: index + 1].count(name)})" if names.count(name) > 1 else name
        for index, name in enumerate(names)
    )


def _cut(slug: str) -> str:
    if len(slug) <= MAX_SLUG_CHARS:
        return slug
    stem = slug[: MAX_SLUG_CHARS - _HASH_CHARS - 1].rstrip("-")
    return f"{stem}-{digest_of(slug)[:_HASH_CHARS]}"
