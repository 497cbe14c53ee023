"""What is known of a review beside itself: what checks found in it, what editors changed, and who approved it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import AwareDatetime, model_validator

from panel.checks import Finding, unresolved
from panel.core.base import Frozen
from panel.core.draft_rules import PersonName
from panel.core.edits import EditMark
from panel.core.resolution import RecordedResolution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.comparison import Comparison


class Editorial(Frozen):
    """What is known of a review beside itself; by default, nothing.

    Attributes:
        findings: what checks found in it; None if nothing was checked.
        ticks: how editors dealt with that.
        marks: what editors changed in it.
        approved_by: the editor who approved it; None for a draft.
        approved_at: when.
    """

    findings: tuple[Finding, ...] | None = None
    ticks: tuple[RecordedResolution, ...] = ()
    marks: tuple[EditMark, ...] = ()
    approved_by: PersonName | None = None
    approved_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.approved_by is None) != (self.approved_at is None):
            raise ValueError("an approval has a name and a time")
        return self

    @property
    def checked(self) -> tuple[Finding, ...] | None:
        """What pages tell of checks: what they found in a draft; None for what is approved, and where nothing was checked."""
        return None if self.approved_by else self.findings

    @property
    def open(self) -> tuple[Finding, ...]:
        """What an editor must still deal with; nothing once the review is approved."""
        return unresolved(self.checked or (), self.ticks)

    def mark(self, persona: str | None, field: str) -> EditMark | None:
        """Return the mark of something, or None if it is as the panel made it."""
        return next((mark for mark in self.marks if (mark.persona, mark.field) == (persona, field)), None)


NOTHING = Editorial()


def aligned(page: Comparison, editorials: Sequence[Editorial]) -> tuple[Editorial, ...]:
    """Return what is known of each review of a page, in their order.

    Args:
        page: the reviews.
        editorials: one for each of them, or none at all if nothing is known.

    Raises:
        ValueError: there are more or fewer than reviews.
    """
    if editorials and len(editorials) != len(page.reviews):
        raise ValueError(f"{len(editorials)} editorials for {len(page.reviews)} reviews")
    return tuple(editorials) or (NOTHING,) * len(page.reviews)
