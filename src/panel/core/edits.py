"""Editing as data: what is shown is what the panel made, with every edit made on top of it."""

from __future__ import annotations

from functools import cached_property, reduce
from typing import TYPE_CHECKING

from panel.core.base import Frozen, digest_of
from panel.core.draft_changes import Change, changed, current, persona_of
from panel.core.draft_rules import PersonName
from panel.core.review import PanelReview

if TYPE_CHECKING:
    from collections.abc import Iterable


class Edit(Frozen):
    """A change, and who made it.

    Attributes:
        author: a person's name.
        reason: why, in their words.
        change: what is shown since.
        original: what the panel made of it, however often it was edited before.
    """

    author: PersonName
    reason: str | None = None
    change: Change
    original: Change

    @property
    def persona(self) -> str | None:
        """Whose seat it is in, or None if it is the tool's."""
        return persona_of(self.change)


class EditMark(Frozen):
    """What a page says of something that differs from what the panel made.

    Attributes:
        persona: whose seat it is in, or None if it is the tool's.
        field: such as `verdict`.
        by: who edited it, in order, without repeats.
        original: what the panel made of it.
    """

    persona: str | None
    field: str
    by: tuple[str, ...]
    original: Change

    @property
    def label(self) -> str:
        """What pages print: `edited by Kim`."""
        return f"edited by {' and '.join(self.by)}"


class Shown(Frozen):
    """A review as it is shown.

    Attributes:
        original: what the panel made.
        review: that with every edit; its id is of the tool as it is shown.
        marks: what differs between the two.
    """

    original: PanelReview
    review: PanelReview
    marks: tuple[EditMark, ...] = ()

    @cached_property
    def hash(self) -> str:
        """Digest of all that is shown; that of the review alone where nothing was edited."""
        review = self.review.model_dump(mode="json")
        if not self.marks:
            return digest_of(review)
        return digest_of({"review": review, "marks": [mark.model_dump(mode="json") for mark in self.marks]})

    def mark(self, persona: str | None, field: str) -> EditMark | None:
        """Return the mark of something, or None if it is as the panel made it."""
        return next((mark for mark in self.marks if (mark.persona, mark.field) == (persona, field)), None)


def edit_of(original: PanelReview, change: Change, author: str, reason: str | None = None) -> Edit:
    """Return an edit of what a panel made.

    Raises:
        GateError: the review has no such thing.
    """
    return Edit(author=author, reason=reason, change=change, original=current(original, change))


def left_after(edits: Iterable[Edit], persona: str) -> tuple[Edit, ...]:
    """Return the edits that are in force once a seat was asked again: those of its take were made to what is no longer there."""
    return tuple(edit for edit in edits if edit.persona != persona)


def edited(original: PanelReview, edits: Iterable[Edit]) -> Shown:
    """Return a review as it is shown after its edits, in order.

    What was edited back to what the panel made has no mark.

    Raises:
        GateError: an edit is of something that the review does not have.
    """
    made = tuple(edits)
    review = reduce(changed, (edit.change for edit in made), original)
    return Shown(original=original, review=review, marks=_marks(original, review, made))


def _marks(original: PanelReview, review: PanelReview, edits: tuple[Edit, ...]) -> tuple[EditMark, ...]:
    targets: dict[tuple[str | None, str], list[Edit]] = {}
    for edit in edits:
        targets.setdefault((edit.persona, edit.change.field), []).append(edit)
    return tuple(
        EditMark(persona=persona, field=field, by=_authors(of_target), original=was)
        for (persona, field), of_target in sorted(
            targets.items(), key=lambda item: (item[0][0] or "", item[0][1])
        )
        if (was := current(original, of_target[0].change)) != current(review, of_target[0].change)
    )


def _authors(edits: list[Edit]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(edit.author for edit in edits))
