"""A text in pieces, those in which a check found something told apart."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from panel.checks import label_of
from panel.core.take import Take
from panel.core.text import prose
from panel.report import wording

if TYPE_CHECKING:
    from collections.abc import Iterable

    from panel.checks import Finding
    from panel.core.take import Seat
    from panel.report.editorial import Editorial


class Piece(NamedTuple):
    """A piece of a line.

    Attributes:
        text: its wording.
        found: numbers of the findings that cover it, of `Editorial.open`.
        begins: those of them of which nothing stands before it.
        labels: what was found, such as `Unsupported number; Markup`.
    """

    text: str
    found: tuple[int, ...] = ()
    begins: tuple[int, ...] = ()
    labels: str = ""


def is_marked(seat: Seat | None, finding: Finding) -> bool:
    """Whether the words of a finding are marked in the seat that they stand in."""
    text = _text_of(seat, finding.where.field) if seat else None
    span = finding.span
    if text is None or span is None or text != prose(text) or not finding.text.strip():
        return False
    return text[span.start : span.end] == finding.text


def marked(seat: Seat, field: str, known: Editorial) -> list[list[list[Piece]]]:
    """Return a text of a seat as paragraphs of lines of pieces, as `wording.paragraphs` divides it.

    Args:
        seat: whose text.
        field: `take`, `detail` or `evidence.0`, as a finding calls it.
        known: what was found.
    """
    found = {
        number: finding
        for number, finding in enumerate(known.open)
        if (finding.where.persona, finding.where.field) == (seat.persona, field) and is_marked(seat, finding)
    }
    place, seen = 0, set[int]()
    paragraphs = []
    for lines in wording.paragraphs(_text_of(seat, field) or ""):
        divided = []
        for line in lines:
            divided.append(list(_pieces(line, place, found, seen)))
            place += len(line) + 1
        paragraphs.append(divided)
        place += 1
    return paragraphs


def _text_of(seat: Seat, field: str) -> str | None:
    outcome = seat.outcome
    if not isinstance(outcome, Take):
        return outcome.detail if field == "detail" else None
    part, _, place = field.partition(".")
    if part != "evidence":
        return outcome.take if field == "take" else None
    return dict(enumerate(outcome.evidence)).get(int(place)) if place.isdecimal() else None


def _pieces(line: str, place: int, found: dict[int, Finding], seen: set[int]) -> Iterable[Piece]:
    spans = [(number, finding.span) for number, finding in found.items() if finding.span]
    edges = {edge - place for _, span in spans for edge in (span.start, span.end)}
    cuts = sorted({0, len(line), *(edge for edge in edges if 0 < edge < len(line))})
    for start, end in pairwise(cuts):
        text = line[start:end]
        over = tuple(
            number for number, span in spans if span.start - place < end and span.end - place > start
        )
        if not over or not text.strip():
            yield Piece(text)
            continue
        begins = tuple(number for number in over if number not in seen)
        seen.update(over)
        yield Piece(text, over, begins, "; ".join(dict.fromkeys(label_of(found[number]) for number in over)))
