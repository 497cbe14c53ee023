"""Reports as JSON documents, and the way back from a document to the review in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from pydantic import ValidationError

from panel.domain.base import Frozen
from panel.domain.comparison import DecisionRow
from panel.domain.completion import Usage
from panel.domain.review import PanelReview
from panel.domain.take import NoTakeReason, Verdict
from panel.domain.tally import PanelVerdict, Scores
from panel.domain.text import one_line
from panel.errors import InputError, Problem

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from panel.domain.comparison import Comparison, ScoreRow
    from panel.domain.take import Seat

REVIEW_KIND = "panel-review"
COMPARISON_KIND = "comparison"
SCHEMA_VERSION = 1
INDENT = 2

_TAGS = {"take", "no_take"}


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


class ReviewDocument(Frozen):
    """A review on file."""

    kind: Literal["panel-review"] = "panel-review"
    schema_version: Literal[1] = 1
    id: str
    review: PanelReview
    summary: Summary


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


def review_json(review: PanelReview, indent: int | None = INDENT) -> str:
    """Return a review as a JSON document with a line feed at its end; on one line if indent is None."""
    return review_document(review).model_dump_json(indent=indent) + "\n"


def comparison_json(comparison: Comparison, indent: int | None = INDENT) -> str:
    """Return a comparison as a JSON document with a line feed at its end; on one line if indent is None."""
    document = ComparisonDocument(
        title=comparison.title,
        headings=comparison.headings,
        decisions=comparison.decisions,
        scorecard=tuple(_scorecard_row(row) for row in comparison.scorecard),
        warnings=comparison.warnings,
        reviews=tuple(review_document(review) for review in comparison.reviews),
    )
    return document.model_dump_json(indent=indent) + "\n"


def review_document(review: PanelReview) -> ReviewDocument:
    """Return a review with what follows from it."""
    return ReviewDocument(id=review.id, review=review, summary=_summary(review))


def read_review(text: str, source_name: str) -> PanelReview:
    """Return the review in a JSON document; its summary is not read, since it follows from the review.

    Args:
        text: the document.
        source_name: what messages call it.

    Raises:
        InputError: it is no JSON, another kind of document, of another version, or not a valid review.
    """
    document = _object(text, source_name)
    kind, version = document.get("kind"), document.get("schema_version")
    if kind == COMPARISON_KIND:
        _refuse(source_name, "is a comparison; give the review files it was made from", "kind")
    if kind != REVIEW_KIND:
        _refuse(source_name, f'is not "{REVIEW_KIND}": this file holds no review', "kind")
    if type(version) is not int or version != SCHEMA_VERSION:
        _refuse(
            source_name, f"is not {SCHEMA_VERSION}; run the review again, or update panel", "schema_version"
        )
    try:
        review = PanelReview.model_validate(document.get("review"))
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise InputError(_problem(source_name, detail) for detail in details) from error
    if document.get("id") != review.id:
        _refuse(source_name, "is not that of the tool and set-up in it; the file was changed by hand", "id")
    return review


def _object(text: str, source_name: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        message = f"is not valid JSON: {one_line(error.msg)}"
        raise InputError([Problem(source_name, message, line=error.lineno)]) from error
    except (RecursionError, ValueError) as error:
        raise InputError(
            [Problem(source_name, "holds JSON that is nested too deeply or a number too long")]
        ) from error
    if not isinstance(value, dict):
        _refuse(source_name, "holds no review: a JSON object was expected")
    return value


def _refuse(source_name: str, message: str, field: str | None = None) -> NoReturn:
    raise InputError([Problem(source_name, message, field=field)])


def _problem(source_name: str, detail: ErrorDetails) -> Problem:
    # A union puts the tag of the chosen member behind its field; readers of the file know no such key.
    parts = detail["loc"]
    loc = [
        part
        for before, part in zip((None, *parts), parts, strict=False)
        if (before, part in _TAGS) != ("outcome", True)
    ]
    field = one_line(".".join(map(str, ("review", *loc))))
    message = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else detail["msg"]
    return Problem(source_name, one_line(message), field=field)


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
