"""Who approved a page and who edited what, in the words that all formats share."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

from panel.core.comparison import joined
from panel.core.tally import Tally
from panel.core.text import one_line
from panel.core.tool import PriceClass
from panel.report.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from panel.core.comparison import Comparison
    from panel.core.edits import EditMark
    from panel.core.review import PanelReview
    from panel.core.take import Seat, Take
    from panel.core.tool import Tool
    from panel.report.editorial import Editorial

DRAFT = "Draft: not approved by an editor yet"

_JUDGED = ("verdict", "score")
_WORDED = {"take": "Take", "evidence": "Quotes", "detail": "Reason"}


class Approval(NamedTuple):
    """Who approved a column.

    Attributes:
        of: the column's heading; empty where it is the whole page.
        by: the editor; empty if nobody has.
        on: the day, such as `2026-11-22`, in UTC; empty if nobody has.
    """

    of: str
    by: str
    on: str

    @property
    def line(self) -> str:
        """The approval as a line: `Approved by Kim on 2026-11-22`."""
        said = f"Approved by {self.by} on {self.on}" if self.by else DRAFT
        return f"{self.of}: {said}" if self.of else said


class EditNote(NamedTuple):
    """What a page says of an edit.

    Attributes:
        what: what was edited, such as `Verdict`.
        by: who edited it.
        was: what it was before, as the end of a sentence; may be empty.
    """

    what: str
    by: str
    was: str = ""

    @property
    def line(self) -> str:
        """The note as a line: `Verdict edited by Kim; the model said 44/100 · skip`."""
        return f"{self.what} edited by {self.by}{'; ' if self.was else ''}{self.was}"


def approvals(page: Comparison, editorials: Sequence[Editorial]) -> tuple[Approval, ...]:
    """Return who approved a page: one approval where the same holds for all its columns, else one for each."""
    each = [_approval(heading, known) for heading, known in zip(page.headings, editorials, strict=True)]
    if len({approval[1:] for approval in each}) == 1:
        return (each[0]._replace(of=""),)
    return tuple(each)


def verdict_notes(seat: Seat, known: Editorial) -> tuple[EditNote, ...]:
    """Return what was edited of a seat's verdict and score, with what the model had said."""
    if seat.take is None:
        return ()
    marks = [mark for field in _JUDGED if (mark := known.mark(seat.persona, field))]
    said = f"the model said {_as_made(seat.take, known, seat.persona).label}"
    alike = len({mark.by for mark in marks}) == 1
    groups = [marks] if alike else [[mark] for mark in marks]
    return tuple(
        EditNote(" and ".join(mark.field for mark in group).capitalize(), _names(group), said)
        for group in groups
    )


def text_notes(seat: Seat, known: Editorial) -> tuple[EditNote, ...]:
    """Return what was edited of a seat's texts."""
    marks = ((what, known.mark(seat.persona, field)) for field, what in _WORDED.items())
    return tuple(EditNote(what, _names([mark])) for what, mark in marks if mark)


def panel_note(review: PanelReview, known: Editorial) -> EditNote | None:
    """Return how many verdicts an editor changed, and what the panel had said without that; None if none was."""
    given = [(seat.take, seat.persona) for seat in review.seats if seat.take]
    edited = [mark for _, persona in given if (mark := known.mark(persona, "verdict"))]
    if not edited:
        return None
    made = Tally.of(_as_made(take, known, persona) for take, persona in given)
    return EditNote(counted(len(edited), "verdict"), _names(edited), f"unedited, the panel said {made.line}")


def tool_notes(page: Comparison, editorials: Sequence[Editorial], tool: Tool) -> tuple[EditNote, ...]:
    """Return what was edited in what is known of a tool, for all of a page's reviews of it."""
    of_tool = [known for review, known in zip(page.reviews, editorials, strict=True) if review.tool == tool]
    return tuple(dict.fromkeys(note for known in of_tool for note in _of_tool(known)))


def _approval(heading: str, known: Editorial) -> Approval:
    at = known.approved_at
    return Approval(
        one_line(heading), known.approved_by or "", f"{at.astimezone(UTC):%Y-%m-%d}" if at else ""
    )


def _as_made(take: Take, known: Editorial, persona: str) -> Take:
    """Return a take with the verdict and the score that the model gave it."""
    marks = [mark for field in _JUDGED if (mark := known.mark(persona, field))]
    return take.model_copy(update={mark.field: mark.original.value for mark in marks})


def _of_tool(known: Editorial) -> Iterator[EditNote]:
    if mark := known.mark(None, "price_class"):
        before = PriceClass(str(mark.original.value))
        was = "gave none" if before is PriceClass.UNKNOWN else f"said {before.value.replace('_', ' ')}"
        yield EditNote("Price class", _names([mark]), f"the listing {was}")
    if mark := known.mark(None, "facts"):
        yield EditNote("Checked facts", _names([mark]))


def _names(marks: Iterable[EditMark]) -> str:
    return joined(list(dict.fromkeys(one_line(name) for mark in marks for name in mark.by)))
