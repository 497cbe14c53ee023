"""Reports as JSON documents: written, read back, and their JSON schemas (`panel schema` prints those in `docs/schemas`)."""

from __future__ import annotations

import json
from datetime import UTC
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import AwareDatetime, BaseModel, ValidationError

from panel.checks import Finding
from panel.core.actor import is_person
from panel.core.comparison import Comparison, DecisionRow
from panel.core.completion import Usage
from panel.core.draft_edits import EditMark, current_value, persona_of
from panel.core.frozen import Frozen
from panel.core.review import PanelReview
from panel.core.take import NoTake, NoTakeReason, Verdict
from panel.core.tally import PanelVerdict, Scores
from panel.core.text import one_line
from panel.errors import GateError, InputError, Problem
from panel.report.editorial import columns_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

    from panel.core.take import Take
    from panel.report.editorial import Editorial

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


def json_report(
    page: PanelReview | Comparison, editorials: Sequence[Editorial] = (), *, indent: int | None = _INDENT
) -> str:
    """Return a review or a comparison as a JSON document with a line feed at its end; on one line if indent is None."""
    comparison, each = columns_of(page, editorials)
    reviews = tuple(map(_review_document, comparison.reviews, each))
    document = _comparison_document(page, reviews) if isinstance(page, Comparison) else reviews[0]
    return document.model_dump_json(indent=indent) + "\n"


def _comparison_document(page: Comparison, reviews: tuple[ReviewDocument, ...]) -> ComparisonDocument:
    scorecard = tuple(
        ScorecardRow(
            persona=row.persona,
            name=row.name,
            cells=tuple(seat and _cell(seat.outcome) for seat in row.seats),
        )
        for row in page.scorecard
    )
    return ComparisonDocument(
        title=page.title,
        headings=page.headings,
        decisions=page.decisions,
        scorecard=scorecard,
        warnings=page.warnings,
        reviews=reviews,
    )


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


def _cell(outcome: Take | NoTake) -> ScoreCell:
    if isinstance(outcome, NoTake):
        return ScoreCell(label=outcome.label, verdict=None, score=None, reason=outcome.reason)
    return ScoreCell(label=outcome.label, verdict=outcome.verdict, score=outcome.score, reason=None)


def json_schema(document: str) -> str:
    """Return the JSON schema of a `review` or a `comparison` document, with a line feed at its end."""
    model = ReviewDocument if document == "review" else ComparisonDocument
    schema = _with_short_descriptions(model.model_json_schema(mode="serialization"))
    return json.dumps({"$schema": _DIALECT, **schema}, indent=2, ensure_ascii=False) + "\n"


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


class StoredReview(NamedTuple):
    """A review as it was shown, and the marks of the edits in it."""

    review: PanelReview
    edits: tuple[EditMark, ...]


class _ReadParts(BaseModel):
    """The parts of a review document that are read: the others follow from them, or are of one page alone, as an approval."""

    review: PanelReview
    edits: tuple[EditMark, ...] = ()


def read_review(text: str, source_name: str) -> StoredReview:
    """Return the review in a JSON document and its edits; `source_name` is its name in error messages.

    Raises:
        InputError: the text is not JSON, another kind or version of document, or not a valid review.
    """
    document = _json_object(text, source_name)
    kind, version = document.get("kind"), document.get("schema_version")
    if kind == COMPARISON_KIND:
        raise _refusal(source_name, "is a comparison; give the review files it was made from", "kind")
    if kind != REVIEW_KIND:
        raise _refusal(source_name, f'is not "{REVIEW_KIND}": this file holds no review', "kind")
    if type(version) is not int or version != SCHEMA_VERSION:
        message = f"is not {SCHEMA_VERSION}; run the review again, or update panel"
        raise _refusal(source_name, message, "schema_version")
    try:
        parts = _ReadParts.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise InputError(_problem(source_name, detail) for detail in details) from error
    if not all(_is_of(parts.review, mark) for mark in parts.edits):
        raise _refusal(source_name, "are not of the review in it; the file was changed by hand", "edits")
    if document.get("id") != parts.review.id:
        message = "is not that of the tool and set-up in it; the file was changed by hand"
        raise _refusal(source_name, message, "id")
    return StoredReview(parts.review, parts.edits)


def _json_object(text: str, source_name: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise _refusal(source_name, f"is not valid JSON: {one_line(error.msg)}", line=error.lineno) from error
    except (RecursionError, ValueError) as error:
        raise _refusal(source_name, "holds JSON that is nested too deeply or a number too long") from error
    if not isinstance(value, dict):
        raise _refusal(source_name, "holds no review: a JSON object was expected")
    return value


def _refusal(source_name: str, message: str, field: str | None = None, line: int | None = None) -> InputError:
    return InputError([Problem(source_name, message, field=field, line=line)])


def _is_of(review: PanelReview, mark: EditMark) -> bool:
    """Return whether a mark is of a field of the review, and has named editors."""
    change = mark.original
    if (mark.persona, mark.field) != (persona_of(change), change.field):
        return False
    try:
        current_value(review, change)
    except GateError:
        return False
    return bool(mark.by) and all(map(is_person, mark.by))


def _problem(source_name: str, detail: ErrorDetails) -> Problem:
    # A union puts the tag of the chosen member behind its field; readers of the file know no such key.
    parts = pairwise((None, *detail["loc"]))
    loc = [part for before, part in parts if before != "outcome" or part not in {"take", "no_take"}]
    message = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else detail["msg"]
    return Problem(source_name, one_line(message), field=one_line(".".join(map(str, loc))))
