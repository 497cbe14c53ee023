"""All checks of a take, of a listing and of a review, in a stable order."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from panel.checks.addresses import addresses, is_own, markup
from panel.checks.claim_matching import claims, status_of
from panel.checks.evidence import is_quoted
from panel.checks.homoglyphs import lookalikes
from panel.checks.instructions import suspicious
from panel.checks.listing import fields_of, is_name, listing_of
from panel.checks.notes import claim_note, flag_note
from panel.checks.similarity import HIGHEST_LIKENESS, likeness, passage, runs_of
from panel.checks.spelling import plain
from panel.checks.voice import experience, said, without_quotes
from panel.core.finding import CheckKind, Finding, Span, Status, Where, numbered
from panel.core.take import NoTake, NoTakeReason, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from panel.checks.listing import Listing
    from panel.core.review import PanelReview
    from panel.core.take import Seat, Take
    from panel.core.tool import Tool

EXTREME_SCORE = 95
UNANIMOUS_SHIP = 85
UNANIMOUS_SKIP = 15


def check_take(
    take: Take, persona_id: str, tool: Tool, never_says: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """Return what there is to find in a take: about its score, its quotes, then its text from start to end.

    Args:
        take: what a persona said.
        persona_id: who said it.
        tool: what it is about.
        never_says: phrases that must not stand in the text.
    """
    return numbered(_of_take(take, persona_id, listing_of(tool), never_says))


@lru_cache(maxsize=64)
def check_listing(tool: Tool) -> tuple[Finding, ...]:
    """Return the sentences of a tool's texts that speak to the panel or hide something, and names that look like others."""
    fields = [
        *fields_of(tool),
        *((f"facts.{place}.claim", fact.claim) for place, fact in enumerate(tool.facts)),
    ]
    return numbered(
        _found(kind, Where(persona=None, field=field), text, span)
        for field, text in fields
        for kind, span in _in_listing(field, text)
    )


def _in_listing(field: str, text: str) -> Iterator[tuple[CheckKind, tuple[int, int]]]:
    for kind, start, end in suspicious(text):
        yield kind, (start, end)
    if is_name(field):
        for span in lookalikes(text):
            yield CheckKind.LOOKALIKE, span


def check_review(review: PanelReview, never_says: Mapping[str, Sequence[str]]) -> tuple[Finding, ...]:
    """Return what there is to find in a review: in the listing, in each seat in order, between the takes.

    Args:
        review: what a panel said of a tool.
        never_says: by persona, phrases that must not stand in its text.
    """
    listing = listing_of(review.tool)
    seats = [
        finding
        for seat in review.seats
        for finding in _of_seat(seat, listing, never_says.get(seat.persona, ()))
    ]
    return numbered([*check_listing(review.tool), *seats, *_between(review.seats)])


def _of_seat(seat: Seat, listing: Listing, never_says: Sequence[str]) -> Iterator[Finding]:
    outcome = seat.outcome
    if not isinstance(outcome, NoTake):
        yield from _of_take(outcome, seat.persona, listing, never_says)
    elif outcome.reason is NoTakeReason.RECUSED:  # in the persona's own words, which are published
        yield from _of_text(outcome.detail, Where(persona=seat.persona, field="detail"), listing, never_says)


def _of_take(take: Take, persona: str, listing: Listing, never_says: Sequence[str]) -> Iterator[Finding]:
    scored = Where(persona=persona, field="score")
    if take.contradicts_itself:
        yield _flag(CheckKind.CONTRADICTION, scored, take.label)
    if take.score >= EXTREME_SCORE:
        yield _flag(CheckKind.EXTREME_SCORE, scored, take.label)
    for place, quote in enumerate(take.evidence):
        yield from _of_quote(quote, Where(persona=persona, field=f"evidence.{place}"), listing)
    yield from _of_text(take.take, Where(persona=persona, field="take"), listing, never_says, take.score)


def _of_quote(quote: str, where: Where, listing: Listing) -> Iterator[Finding]:
    status = Status.IN_LISTING if is_quoted(quote, listing) else Status.UNSUPPORTED
    yield Finding(
        kind=CheckKind.EVIDENCE,
        where=where,
        span=Span(start=0, end=len(quote)),
        text=quote,
        status=status,
        note=claim_note(CheckKind.EVIDENCE, status),
    )


def _of_text(
    text: str, where: Where, listing: Listing, never_says: Sequence[str], score: int | None = None
) -> Iterator[Finding]:
    found = [*_claims(text, where, listing, score), *_flags(text, where, listing, never_says)]
    yield from sorted(found, key=_order)


def _claims(text: str, where: Where, listing: Listing, score: int | None) -> Iterator[Finding]:
    for claim in claims(text, listing.stated, listing.own_words, score):
        wording = text[claim.start : claim.end]
        status = status_of(claim, wording, listing.stated, listing.sourced)
        span = Span(start=claim.start, end=claim.end)
        note = claim_note(claim.kind, status)
        yield Finding(kind=claim.kind, where=where, span=span, text=wording, status=status, note=note)


def _flags(text: str, where: Where, listing: Listing, never_says: Sequence[str]) -> Iterator[Finding]:
    simple = plain(text)
    own_voice = without_quotes(simple, listing)
    for span in experience(own_voice):
        yield _found(CheckKind.FIRST_PERSON, where, text, span)
    for span in said(own_voice, never_says):
        yield _found(CheckKind.NEVER_SAYS, where, text, span)
    for span in markup(text):
        yield _found(CheckKind.MARKUP, where, text, span)
    for span, host in addresses(simple):
        if not is_own(host, listing.tool.host):
            yield _found(CheckKind.ADDRESS, where, text, span)


def _between(seats: Sequence[Seat]) -> Iterator[Finding]:
    given = [(seat, seat.take) for seat in seats if seat.take]
    takes = [take for _, take in given]
    if len(takes) > 1 and _is_unanimous(takes):
        text = ", ".join(take.label for take in takes)
        yield _flag(
            CheckKind.UNANIMOUS,
            Where(persona=None, field="scores"),
            text,
            "All takes agree at the end of the scale: check that they were reached apart.",
        )
    runs = [runs_of(plain(take.take)) for take in takes]
    for place, (later, second) in enumerate(given):
        for (earlier, _), others in zip(given[:place], runs, strict=False):
            alike = likeness(others, runs[place])
            if alike.share > HIGHEST_LIKENESS:
                note = f"The take shares {alike.share:.0%} of its wording with that of the {earlier.name}: rewrite one of them."
                where = Where(persona=later.persona, field="take")
                yield _found(CheckKind.NEAR_IDENTICAL, where, second.take, passage(second.take, alike), note)


def _is_unanimous(takes: Sequence[Take]) -> bool:
    ships = all(take.verdict is Verdict.SHIP and take.score >= UNANIMOUS_SHIP for take in takes)
    return ships or all(take.verdict is Verdict.SKIP and take.score <= UNANIMOUS_SKIP for take in takes)


def _found(kind: CheckKind, where: Where, text: str, span: tuple[int, int], note: str = "") -> Finding:
    start, end = span
    return Finding(
        kind=kind,
        where=where,
        span=Span(start=start, end=end),
        text=text[start:end],
        status=Status.FLAGGED,
        note=note or flag_note(kind),
    )


def _flag(kind: CheckKind, where: Where, text: str, note: str = "") -> Finding:
    return Finding(
        kind=kind, where=where, span=None, text=text, status=Status.FLAGGED, note=note or flag_note(kind)
    )


def _order(finding: Finding) -> tuple[int, int, str]:
    span = finding.span or Span(start=0, end=0)
    return (span.start, span.end, finding.kind)
