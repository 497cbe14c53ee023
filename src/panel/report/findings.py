"""What checks found, in the words that all formats share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panel.checks import Status, blocks, label_of
from panel.core.text import one_line
from panel.report.wording import counted, opening

if TYPE_CHECKING:
    from panel.checks import Finding
    from panel.core.review import PanelReview
    from panel.report.editorial import Editorial

TITLE = "What the checks found"
WORDS_CHARS = 160

_FIELDS = {"evidence": "quote", "facts": "fact", "aliases": "alias", "license": "licence"}


class Open(NamedTuple):
    """A finding that an editor must deal with.

    Attributes:
        number: its place among those of the review, from 0.
        finding: the finding.
        where: whose words they are: `Skeptic`, `Skeptic, quote 2`, `Listing, fact 1`.
        words: the words, cut if they are long.
    """

    number: int
    finding: Finding
    where: str
    words: str


class Group(NamedTuple):
    """Findings of which the same is to be said.

    Attributes:
        label: what they are: `Unsupported number`.
        note: the sentence for an editor.
        found: the findings, in order.
    """

    label: str
    note: str
    found: tuple[Open, ...]


def summary(known: Editorial) -> str:
    """Return how the claims of a review stand, and how much of it an editor must deal with; empty if there is nothing to tell."""
    if known.checked is None:
        return ""
    return f"{_claims(known.checked)} {_to_do(known.checked, len(known.open))}"


def groups(review: PanelReview, known: Editorial) -> tuple[Group, ...]:
    """Return what an editor must deal with, alike findings together, in the order of the first of each."""
    names = {seat.persona: one_line(seat.name) for seat in review.seats}
    alike: dict[tuple[str, str], list[Open]] = {}
    for number, finding in enumerate(known.open):
        found = Open(number, finding, _where(finding, names), opening(finding.text, WORDS_CHARS))
        alike.setdefault((label_of(finding), finding.note), []).append(found)
    return tuple(Group(label, note, tuple(found)) for (label, note), found in alike.items())


def _claims(findings: tuple[Finding, ...]) -> str:
    count = {status: sum(found.status is status for found in findings) for status in Status}
    listed, sourced, not_so = count[Status.IN_LISTING], count[Status.SOURCED], count[Status.UNSUPPORTED]
    total = listed + sourced + not_so
    if not total:
        return "The takes make no claims that can be held against the listing."
    return f"{counted(total, 'claim')}: {listed} in the listing, {sourced} sourced, {not_so} unsupported."


def _to_do(findings: tuple[Finding, ...], left: int) -> str:
    blocking = sum(map(blocks, findings))
    if not blocking:
        return "Nothing stands in the way of approval."
    if not left:
        return (
            f"An editor has dealt with {'the one finding' if blocking == 1 else f'all {blocking} findings'}."
        )
    done = f"; {blocking - left} more {'has' if blocking - left == 1 else 'have'} been dealt with"
    return f"{counted(left, 'finding')} to deal with before approval{done if blocking > left else ''}."


def _where(finding: Finding, names: dict[str, str]) -> str:
    part, *rest = finding.where.field.split(".")
    place = f" {int(rest[0]) + 1}" if rest and rest[0].isdecimal() else ""
    inner = _FIELDS.get(part, part.replace("_", " ")) + place
    persona = finding.where.persona
    if persona is None:
        return "The panel" if part == "scores" else f"Listing, {inner}"
    name = names.get(persona, persona)
    return name if part in {"take", "score", "detail"} else f"{name}, {inner}"
