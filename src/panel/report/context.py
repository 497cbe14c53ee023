"""Values that a caller hands to a report beside the review."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

from pydantic import AwareDatetime, Field, model_validator

from panel.checks import Finding, unresolved
from panel.core.actor import PersonName
from panel.core.draft_edits import EditMark
from panel.core.finding import RecordedResolution
from panel.core.frozen import Frozen
from panel.core.tally import NO_VOTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.comparison import Comparison


class ReportContext(Frozen):
    """The program and its version (`generator`), and the critics' one-line mottos by persona id; critics without one are left out."""

    generator: str = "panel"
    mottos: dict[str, str] = Field(default_factory=dict)


class Community(NamedTuple):
    """Readers' votes as a line, `7 votes · 5 ship / 2 skip`, and the tool's slug where readers can vote."""

    line: str = NO_VOTES
    slug: str = ""


class Editorial(Frozen):
    """Findings, resolutions, edits and approval of a review; by default, none.

    `findings` is None if the review was not checked. A draft has no `approved_by`.
    """

    findings: tuple[Finding, ...] | None = None
    resolutions: tuple[RecordedResolution, ...] = ()
    marks: tuple[EditMark, ...] = ()
    approved_by: PersonName | None = None
    approved_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _has_whole_approval(self) -> Self:
        if (self.approved_by is None) != (self.approved_at is None):
            raise ValueError("an approval has a name and a time")
        return self

    @property
    def checked(self) -> tuple[Finding, ...] | None:
        """The findings of a draft; None for an approved review, and for one that was not checked."""
        return None if self.approved_by else self.findings

    @property
    def open(self) -> tuple[Finding, ...]:
        """The findings that must be resolved before approval; none for an approved review."""
        return unresolved(self.checked or (), self.resolutions)

    def marks_of(self, persona: str | None, *fields: str) -> list[EditMark]:
        """Return the marks of the edited ones of some fields, in their order."""
        edited = {mark.field: mark for mark in reversed(self.marks) if mark.persona == persona}
        return [edited[field] for field in fields if field in edited]


PLAIN = ReportContext()
NOTHING = Editorial()


def aligned(page: Comparison, editorials: Sequence[Editorial]) -> tuple[Editorial, ...]:
    """Return one editorial for each review of a page; empty ones if none are given. Another number of them is a ValueError."""
    if editorials and len(editorials) != len(page.reviews):
        raise ValueError(f"{len(editorials)} editorials for {len(page.reviews)} reviews")
    return tuple(editorials) or (NOTHING,) * len(page.reviews)
