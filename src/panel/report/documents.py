"""Reports as JSON documents, and their JSON schemas (`panel schema` prints those in `docs/schemas`)."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any, Literal

from pydantic import AwareDatetime

from panel.checks import Finding
from panel.core.comparison import DecisionRow
from panel.core.completion import Usage
from panel.core.draft_edits import EditMark
from panel.core.frozen import Frozen
from panel.core.review import PanelReview
from panel.core.take import NoTake, NoTakeReason, Verdict
from panel.core.tally import PanelVerdict, Scores
from panel.report.context import NOTHING, aligned

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import BaseModel

    from panel.core.comparison import Comparison, ScoreRow
    from panel.core.take import Take
    from panel.report.context import Editorial

REVIEW_KIND = "panel-review"
COMPARISON_KIND = "comparison"
SCHEMA_VERSION = 1

_INDENT = 2
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Summary(Frozen):
    """The verdict and the figures that follow from a review, for readers that do not compute them."""

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
    """The editor who approved a review, and the time."""

    by: str
    at: AwareDatetime


class ReviewDocument(Frozen):
    """A review on file.

    `checks` are the findings of a draft: null if it was not checked, and once it is approved. `approval` is null for a draft.
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
    """One critic's answer on one tool; the take itself is in the review."""

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


_MODELS: dict[str, type[BaseModel]] = {"review": ReviewDocument, "comparison": ComparisonDocument}


def review_json(review: PanelReview, editorial: Editorial = NOTHING, *, indent: int | None = _INDENT) -> str:
    """Return a review as a JSON document with a line feed at its end; on one line if indent is None."""
    return _review_document(review, editorial).model_dump_json(indent=indent) + "\n"


def comparison_json(
    comparison: Comparison, editorials: Sequence[Editorial] = (), *, indent: int | None = _INDENT
) -> str:
    """Return a comparison as a JSON document with a line feed at its end; on one line if indent is None."""
    pairs = zip(comparison.reviews, aligned(comparison, editorials), strict=True)
    document = ComparisonDocument(
        title=comparison.title,
        headings=comparison.headings,
        decisions=comparison.decisions,
        scorecard=tuple(_scorecard_row(row) for row in comparison.scorecard),
        warnings=comparison.warnings,
        reviews=tuple(_review_document(review, editorial) for review, editorial in pairs),
    )
    return document.model_dump_json(indent=indent) + "\n"


def json_schema(document: str) -> str:
    """Return the JSON schema of a `review` or a `comparison` document, with a line feed at its end."""
    schema = _MODELS[document].model_json_schema(mode="serialization")
    text = json.dumps({"$schema": _DIALECT, **_with_short_descriptions(schema)}, indent=2, ensure_ascii=False)
    return f"{text}\n"


def _with_short_descriptions(schema: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a schema with the first paragraph of each description, which is a whole docstring."""
    if isinstance(schema, list):
        return [_with_short_descriptions(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    short = {key: _with_short_descriptions(value) for key, value in schema.items()}
    if isinstance(text := short.get("description"), str):
        short["description"] = " ".join(text.split("\n\n")[0].split())
    return short


def _review_document(review: PanelReview, editorial: Editorial) -> ReviewDocument:
    by, at = editorial.approved_by, editorial.approved_at
    return ReviewDocument(
        id=review.id,
        review=review,
        summary=_summary(review),
        checks=editorial.checked,
        edits=editorial.marks,
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
    cells = tuple(seat and _cell(seat.outcome) for seat in row.seats)
    return ScorecardRow(persona=row.persona, name=row.name, cells=cells)


def _cell(outcome: Take | NoTake) -> ScoreCell:
    if isinstance(outcome, NoTake):
        return ScoreCell(label=outcome.label, verdict=None, score=None, reason=outcome.reason)
    return ScoreCell(label=outcome.label, verdict=outcome.verdict, score=outcome.score, reason=None)
