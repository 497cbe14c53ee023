"""Values that a caller hands to a report beside the review, and the notes of approvals and edits, which all formats share."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple, Self

from pydantic import AwareDatetime, Field, model_validator

from panel.checks import Finding, unresolved
from panel.core.actor import PersonName
from panel.core.comparison import Comparison
from panel.core.draft_edits import EditMark
from panel.core.finding import RecordedResolution
from panel.core.frozen import Frozen
from panel.core.tally import NO_VOTES, Tally
from panel.core.text import counted, joined, one_line
from panel.core.tool import PriceClass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from panel.core.review import PanelReview
    from panel.core.take import Seat, Take
    from panel.core.tool import Tool

DRAFT = "Draft: not approved by an editor yet"

_VERDICT_FIELDS = ("verdict", "score")
_TEXT_FIELDS = {"take": "Take", "evidence": "Quotes", "detail": "Reason"}


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


def columns_of(
    page: PanelReview | Comparison, editorials: Sequence[Editorial]
) -> tuple[Comparison, tuple[Editorial, ...]]:
    """Return a page as a comparison, with one editorial for each review; empty ones if none are given.

    Another number of editorials is a ValueError.
    """
    shown = page if isinstance(page, Comparison) else Comparison.of_one(page)
    if editorials and len(editorials) != len(shown.reviews):
        raise ValueError(f"{len(editorials)} editorials for {len(shown.reviews)} reviews")
    return shown, tuple(editorials) or (NOTHING,) * len(shown.reviews)


class Approval(NamedTuple):
    """An approval by an editor on a day (UTC), both empty for a draft; `of` is the column, or empty for the whole page."""

    of: str
    by: str
    on: str

    @property
    def line(self) -> str:
        """`Approved by Kim on 2026-11-22`."""
        text = f"Approved by {self.by} on {self.on}" if self.by else DRAFT
        return f"{self.of}: {text}" if self.of else text


class EditNote(NamedTuple):
    """The edited field, such as `Verdict`, its editors, and its value before the edit, as the end of a sentence."""

    what: str
    by: str
    was: str = ""

    @property
    def line(self) -> str:
        """`Verdict edited by Kim; the model said 44/100 · skip`."""
        return f"{self.what} edited by {self.by}{'; ' if self.was else ''}{self.was}"


def approvals(page: Comparison, editorials: Sequence[Editorial]) -> list[Approval]:
    """Return one approval if the same holds for all columns of a page, else one for each."""
    each = []
    for heading, editorial in zip(page.headings, editorials, strict=True):
        at = editorial.approved_at
        day = f"{at.astimezone(UTC):%Y-%m-%d}" if at else ""
        each.append(Approval(one_line(heading), editorial.approved_by or "", day))
    same = len({approval[1:] for approval in each}) == 1
    return [each[0]._replace(of="")] if same else each


def verdict_notes(seat: Seat, editorial: Editorial) -> list[EditNote]:
    """Return the edits of a seat's verdict and score, with the model's own answer."""
    if seat.take is None:
        return []
    marks = editorial.marks_of(seat.persona, *_VERDICT_FIELDS)
    answer = f"the model said {_unedited(seat.take, editorial, seat.persona).label}"
    same_editors = len({mark.by for mark in marks}) == 1
    groups = [marks] if same_editors else [[mark] for mark in marks]
    return [
        EditNote(" and ".join(mark.field for mark in group).capitalize(), _editors(group), answer)
        for group in groups
    ]


def text_notes(seat: Seat, editorial: Editorial) -> list[EditNote]:
    """Return the edits of a seat's texts."""
    marks = editorial.marks_of(seat.persona, *_TEXT_FIELDS)
    return [EditNote(_TEXT_FIELDS[mark.field], _editors([mark])) for mark in marks]


def panel_note(review: PanelReview, editorial: Editorial) -> EditNote | None:
    """Return the number of edited verdicts and the panel's unedited result; None if no verdict was edited."""
    given = [(seat.take, seat.persona) for seat in review.seats if seat.take]
    marks = [mark for _, persona in given for mark in editorial.marks_of(persona, "verdict")]
    if not marks:
        return None
    unedited = Tally.of(_unedited(take, editorial, persona) for take, persona in given)
    was = f"unedited, the panel said {unedited.line}"
    return EditNote(counted(len(marks), "verdict"), _editors(marks), was)


def tool_notes(page: Comparison, editorials: Sequence[Editorial], tool: Tool) -> list[EditNote]:
    """Return the edits of a tool's facts and price class in all of a page's reviews of it, without repeats."""
    pairs = zip(page.reviews, editorials, strict=True)
    return list(dict.fromkeys(note for r, own in pairs if r.tool == tool for note in _listing_notes(own)))


def _unedited(take: Take, editorial: Editorial, persona: str) -> Take:
    """Return a take with the verdict and the score that the model gave it."""
    marks = editorial.marks_of(persona, *_VERDICT_FIELDS)
    return take.model_copy(update={mark.field: mark.original.value for mark in marks})


def _listing_notes(editorial: Editorial) -> Iterator[EditNote]:
    for mark in editorial.marks_of(None, "price_class"):
        before = PriceClass(str(mark.original.value))
        was = "gave none" if before is PriceClass.UNKNOWN else f"said {before.value.replace('_', ' ')}"
        yield EditNote("Price class", _editors([mark]), f"the listing {was}")
    for mark in editorial.marks_of(None, "facts"):
        yield EditNote("Checked facts", _editors([mark]))


def _editors(marks: Iterable[EditMark]) -> str:
    return joined(list(dict.fromkeys(one_line(name) for mark in marks for name in mark.by)))
