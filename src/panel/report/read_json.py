"""Read a review back from its JSON document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError

from panel.core.actor import is_person
from panel.core.draft_edits import EditMark, current_value, persona_of
from panel.core.review import PanelReview
from panel.core.text import one_line
from panel.errors import GateError, InputError, Problem
from panel.report.documents import COMPARISON_KIND, REVIEW_KIND, SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic_core import ErrorDetails

T = TypeVar("T")

_TAGS = {"take", "no_take"}
_MARKS = TypeAdapter(tuple[EditMark, ...])


class StoredReview(NamedTuple):
    """A review as it was shown, and the marks of the edits in it."""

    review: PanelReview
    edits: tuple[EditMark, ...]


def read_review(text: str, source_name: str) -> StoredReview:
    """Return the review in a JSON document and its edits; `source_name` is its name in error messages.

    Nothing else is read: summary and checks follow from the review, and an approval is of one page, not of later ones.

    Raises:
        InputError: the text is not JSON, another kind or version of document, or not a valid review.
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
    review = _valid(source_name, "review", lambda: PanelReview.model_validate(document.get("review")))
    edits = _valid(source_name, "edits", lambda: _MARKS.validate_python(document.get("edits", ())))
    if not all(_is_of(review, mark) for mark in edits):
        _refuse(source_name, "are not of the review in it; the file was changed by hand", "edits")
    if document.get("id") != review.id:
        _refuse(source_name, "is not that of the tool and set-up in it; the file was changed by hand", "id")
    return StoredReview(review, edits)


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


def _valid(source_name: str, part: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise InputError(_problem(source_name, part, detail) for detail in details) from error


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


def _problem(source_name: str, part: str, detail: ErrorDetails) -> Problem:
    # A union puts the tag of the chosen member behind its field; readers of the file know no such key.
    parts = detail["loc"]
    loc = [
        part
        for before, part in zip((None, *parts), parts, strict=False)
        if (before, part in _TAGS) != ("outcome", True)
    ]
    field = one_line(".".join(map(str, (part, *loc))))
    message = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else detail["msg"]
    return Problem(source_name, one_line(message), field=field)
