"""Findings of the checks, in the words that all formats share, and the places of their words in a seat's texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panel.checks import Status, blocks, finding_label
from panel.core.take import Take
from panel.core.text import counted, one_line, prose, split_at_spans
from panel.report.wording import opening, paragraphs

if TYPE_CHECKING:
    from panel.checks import Finding
    from panel.core.review import PanelReview
    from panel.core.take import Seat
    from panel.report.editorial import Editorial

TITLE = "What the checks found"

_WORDS_CHARS = 160
_FIELDS = {"evidence": "quote", "facts": "fact", "aliases": "alias", "license": "licence"}


class OpenFinding(NamedTuple):
    """A finding that must be resolved: its number in the review, its place (`Skeptic, quote 2`), and its words, cut if they are long."""

    number: int
    finding: Finding
    where: str
    words: str


class Group(NamedTuple):
    """Findings with the same label and note, in order."""

    label: str
    note: str
    found: list[OpenFinding]


class MarkedPiece(NamedTuple):
    """A piece of a line: the numbers of the findings that cover it, of those that begin with it, and their labels."""

    text: str
    found: tuple[int, ...] = ()
    begins: tuple[int, ...] = ()
    labels: str = ""


def summary(editorial: Editorial) -> str:
    """Return the number of claims by status, and of findings to resolve; an empty text if the page shows no checks."""
    found = editorial.checked
    return "" if found is None else f"{_claims(found)} {_to_resolve(found, len(editorial.open))}"


def groups(review: PanelReview, editorial: Editorial) -> list[Group]:
    """Return the findings to resolve, grouped, in the order of the first of each group."""
    names = {seat.persona: one_line(seat.name) for seat in review.seats}
    grouped: dict[tuple[str, str], list[OpenFinding]] = {}
    for number, finding in enumerate(editorial.open):
        found = OpenFinding(number, finding, _where(finding, names), opening(finding.text, _WORDS_CHARS))
        grouped.setdefault((finding_label(finding), finding.note), []).append(found)
    return [Group(label, note, found) for (label, note), found in grouped.items()]


def is_marked(seat: Seat | None, finding: Finding) -> bool:
    """Return whether the words of a finding are marked in their seat."""
    text, span = _text_of(seat, finding.where.field) if seat else None, finding.span
    if text is None or span is None or text != prose(text):
        return False
    return text[span.start : span.end] == finding.text and bool(finding.text.strip())


def marked_text(seat: Seat, field: str, editorial: Editorial) -> list[list[list[MarkedPiece]]]:
    """Return a text of a seat (`take`, `detail`, `evidence.0`) as paragraphs of lines of pieces; see `wording.paragraphs`."""
    spans: dict[int, tuple[int, int]] = {}
    labels: dict[int, str] = {}
    for number, finding in enumerate(editorial.open):
        here = (finding.where.persona, finding.where.field) == (seat.persona, field)
        if here and finding.span and is_marked(seat, finding):
            spans[number] = (finding.span.start, finding.span.end)
            labels[number] = finding_label(finding)
    offset, begun = 0, set[int]()

    def marked_line(line: str) -> list[MarkedPiece]:
        nonlocal offset
        pieces = []
        for piece in split_at_spans(line, spans, offset):
            numbers = piece.spans if piece.text.strip() else ()
            begins = tuple(number for number in numbers if number not in begun)
            begun.update(numbers)
            title = "; ".join(dict.fromkeys(labels[number] for number in numbers))
            pieces.append(MarkedPiece(piece.text, numbers, begins, title))
        offset += len(line) + 1
        return pieces

    marked = []
    for lines in paragraphs(_text_of(seat, field) or ""):
        marked.append([marked_line(line) for line in lines])
        offset += 1
    return marked


def _text_of(seat: Seat, field: str) -> str | None:
    outcome = seat.outcome
    if not isinstance(outcome, Take):
        return outcome.detail if field == "detail" else None
    part, _, index = field.partition(".")
    if part != "evidence":
        return outcome.take if field == "take" else None
    return dict(enumerate(outcome.evidence)).get(int(index)) if index.isdecimal() else None


def _claims(findings: tuple[Finding, ...]) -> str:
    statuses = [finding.status for finding in findings]
    count = {status: statuses.count(status) for status in Status if status is not Status.FLAGGED}
    if not any(count.values()):
        return "The takes make no claims that can be compared with the listing."
    parts = f"{count[Status.IN_LISTING]} in the listing, {count[Status.SOURCED]} sourced, {count[Status.UNSUPPORTED]} unsupported"
    return f"{counted(sum(count.values()), 'claim')}: {parts}."


def _to_resolve(findings: tuple[Finding, ...], left: int) -> str:
    blocking = sum(map(blocks, findings))
    if not blocking:
        return "Nothing to resolve before approval."
    if not left:
        return f"An editor has resolved {'the one finding' if blocking == 1 else f'all {blocking} findings'}."
    resolved = blocking - left
    rest = f"; {resolved} more {'is' if resolved == 1 else 'are'} resolved" if resolved else ""
    return f"{counted(left, 'finding')} to resolve before approval{rest}."


def _where(finding: Finding, names: dict[str, str]) -> str:
    part, *rest = finding.where.field.split(".")
    index = f" {int(rest[0]) + 1}" if rest and rest[0].isdecimal() else ""
    inner = _FIELDS.get(part, part.replace("_", " ")) + index
    persona = finding.where.persona
    if persona is None:
        return "The panel" if part == "scores" else f"Listing, {inner}"
    name = names.get(persona, persona)
    return name if part in {"take", "score", "detail"} else f"{name}, {inner}"
