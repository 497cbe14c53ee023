"""Reports as JSON documents."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime

from panel.checks import Finding
from panel.core.base import Frozen
from panel.core.comparison import DecisionRow
from panel.core.completion import Usage
from panel.core.edits import EditMark
from panel.core.review import PanelReview
from panel.core.take import NoTakeReason, Verdict
from panel.core.tally import PanelVerdict, Scores
from panel.report.editorial import NOTHING, aligned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.comparison import Comparison, ScoreRow
    from panel.core.take import Seat
    from panel.report.editorial import Editorial

REVIEW_KIND = "panel-review"
COMPARISON_KIND = "comparison"
SCHEMA_VERSION = 1
INDENT = 2


class Summary(Frozen):
    """What follows from a review: its verdict and its figures, for readers that do not count themselves."""

    verdict: PanelVerdict
    line: str
    ship_percent: int | None
    ships: int
    skips: int
    takes_given: int
    panel_size: int
    fragile: bool
    scores: Scores | None
    models: tuple[str, ...]
    embedded: bool
    complete: bool
    usage: Usage


class ApprovalOnFile(Frozen):
    """Which editor approved a review, and when."""

    by: str
    at: AwareDatetime


class ReviewDocument(Frozen):
    """A review on file.

    Attributes:
        checks: what checks found in a draft; null where nothing was checked, and once it is approved.
        edits: what editors changed in what the panel made.
        approval: who approved it; null for a draft.
    """

    kind: Literal["panel-review"] = "panel-review"
    schema_version: Literal[1] = 1
    id: str
    review: PanelReview
    summary: Summary
    checks: tuple[Finding, ...] | None = None
    edits: tuple[EditMark, ...] = ()
    approval: ApprovalOnFile | None = None


class ScoreCell(Frozen):
    """One critic's answer to one tool; the take itself stands in the review."""

    label: str
    verdict: Verdict | None
    score: int | None
    reason: NoTakeReason | None


class ScorecardRow(Frozen):
    """One critic's answers in the order of the reviews; null where the critic was not on that panel."""

    persona: str
    name: str
    cells: tuple[ScoreCell | None, ...]


class ComparisonDocument(Frozen):
    """A comparison on file."""

    kind: Literal["comparison"] = "comparison"
    schema_version: Literal[1] = 1
    title: str
    headings: tuple[str, ...]
    decisions: tuple[DecisionRow, ...]
    scorecard: tuple[ScorecardRow, ...]
    warnings: tuple[str, ...]
    reviews: tuple[ReviewDocument, ...]


def review_json(review: PanelReview, known: Editorial = NOTHING, *, indent: int | None = INDENT) -> str:
    """Return a review, with what is known of it, as a JSON document with a line feed at its end; on one line if indent is None."""
    return review_document(review, known).model_dump_json(indent=indent) + "\n"


def comparison_json(
    comparison: Comparison, known: Sequence[Editorial] = (), *, indent: int | None = INDENT
) -> str:
    """Return a comparison as a JSON document with a line feed at its end; on one line if indent is None.

    Args:
        comparison: the reviews.
        known: what is known of each of them, in their order; nothing by default.
        indent: blanks for each level.
    """
    pairs = zip(comparison.reviews, aligned(comparison, known), strict=True)
    document = ComparisonDocument(
        title=comparison.title,
        headings=comparison.headings,
        decisions=comparison.decisions,
        scorecard=tuple(_scorecard_row(row) for row in comparison.scorecard),
        warnings=comparison.warnings,
        reviews=tuple(review_document(review, known_) for review, known_ in pairs),
    )
    return document.model_dump_json(indent=indent) + "\n"


def review_document(review: PanelReview, known: Editorial = NOTHING) -> ReviewDocument:
    """Return a review with what follows from it and what is known of it."""
    by, at = known.approved_by, known.approved_at
    return ReviewDocument(
        id=review.id,
        review=review,
        summary=_summary(review),
        checks=known.checked,
        edits=known.marks,
        approval=ApprovalOnFile(by=by, at=at.astimezone(UTC)) if by and at else None,
    )


def _summary(review: PanelReview) -> Summary:
    tally = review.tally
    return Summary(
        verdict=tally.verdict,
        line=tally.line,
        ship_percent=tally.ship_percent,
        ships=tally.ships,
        skips=tally.skips,
        takes_given=tally.given,
        panel_size=review.panel_size,
        fragile=tally.fragile,
        scores=tally.scores,
        models=review.models,
        embedded=review.embedded,
        complete=review.complete,
        usage=review.usage,
    )


def _scorecard_row(row: ScoreRow) -> ScorecardRow:
    return ScorecardRow(
        persona=row.persona, name=row.name, cells=tuple(seat and _cell(seat) for seat in row.seats)
    )


def _cell(seat: Seat) -> ScoreCell:
    take, outcome = seat.take, seat.outcome
    return ScoreCell(
        label=outcome.label,
        verdict=take.verdict if take else None,
        score=take.score if take else None,
        reason=None if outcome.kind == "take" else outcome.reason,
    )
