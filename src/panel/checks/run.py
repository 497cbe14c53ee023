"""Run all checks of a take, of a listing or of a review; findings come in a stable order."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from panel.checks.claims import find_claims
from panel.checks.registry import ClaimText, Weight, run_checks
from panel.checks.subjects import Listing, PanelTakes, SeatText, listing_of
from panel.core.finding import Span, Status, numbered
from panel.core.take import NoTake, NoTakeReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from panel.core.finding import Finding
    from panel.core.review import PanelReview
    from panel.core.take import Seat, Take
    from panel.core.tool import Tool

_FIRST_FIELDS = {"score": 0, "evidence": 1}


def check_take(
    take: Take, persona_id: str, tool: Tool, never_says: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """Return the findings of a take: its score, its quotes, then its text; `never_says` are phrases that the persona must not use."""
    return numbered(_in_seat(SeatText(persona_id, "take", take.take, listing_of(tool), never_says, take)))


@lru_cache(maxsize=64)
def check_listing(tool: Tool) -> tuple[Finding, ...]:
    """Return the findings of the tool's own texts, field by field."""
    listing = Listing(tool)
    fields = (*listing.fields, *listing.facts)
    return numbered(found for field in fields for found in sorted(run_checks(field), key=_order))


def check_review(review: PanelReview, never_says: Mapping[str, Sequence[str]]) -> tuple[Finding, ...]:
    """Return the findings of the listing, of each seat in order, then of the takes together.

    `never_says` maps persona ids to the phrases that they must not use.
    """
    seats = [
        found
        for seat in review.seats
        for found in _of_seat(seat, review.tool, never_says.get(seat.persona, ()))
    ]
    takes = PanelTakes(tuple((seat, seat.take) for seat in review.seats if seat.take))
    together = sorted(run_checks(takes), key=lambda finding: finding.where.persona is not None)
    return numbered([*check_listing(review.tool), *seats, *together])


def _of_seat(seat: Seat, tool: Tool, never_says: Sequence[str]) -> list[Finding]:
    outcome, listing = seat.outcome, listing_of(tool)
    if not isinstance(outcome, NoTake):
        return _in_seat(SeatText(seat.persona, "take", outcome.take, listing, never_says, outcome))
    if outcome.reason is NoTakeReason.RECUSED:  # in the persona's own words, which are published
        return _in_seat(SeatText(seat.persona, "detail", outcome.detail, listing, never_says, None))
    return []


def _in_seat(subject: SeatText) -> list[Finding]:
    return sorted([*run_checks(subject), *_claims(subject)], key=_order)


def _claims(subject: SeatText) -> Iterator[Finding]:
    listing = subject.listing
    score = subject.take.score if subject.take else None
    for check, claim in find_claims(ClaimText(subject.text, listing.own_words, score)):
        listing_counts = claim.counted in listing.stated.counted
        if claim.weight is Weight.NEVER or (claim.weight is Weight.IF_LISTING_COUNTS and not listing_counts):
            continue
        hit = subject.hit((claim.start, claim.end))
        status = Status.UNSUPPORTED
        if listing.stated.support(check, claim, hit.text):
            status = Status.IN_LISTING
        elif listing.sourced.support(check, claim, hit.text):
            status = Status.SOURCED
        yield check.finding(hit._replace(status=status))


def _order(finding: Finding) -> tuple[int, int, int, int, str]:
    field, _, number = finding.where.field.partition(".")
    span = finding.span or Span(start=0, end=0)
    rank = _FIRST_FIELDS.get(field, len(_FIRST_FIELDS))
    return (rank, int(number) if number.isdecimal() else 0, span.start, span.end, finding.kind)
