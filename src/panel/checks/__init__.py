"""Checks of a review before a person approves it; findings come in a stable order.

A claim of a take is in the listing, sourced or unsupported; everything else that a check finds is flagged. The texts alone decide, in
linear time. Each check is a module of `panel.checks.rules`, collected by `panel.checks.registry`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from panel.checks.inputs import PanelTakes, SeatText, find_claims, listing_of
from panel.checks.registry import (
    Check,
    ClaimText,
    Weight,
    all_checks,
    allowed_resolutions,
    blocks,
    check_of,
    finding_label,
    run_checks,
    unresolved,
)
from panel.core.finding import Finding, Span, Status, Where, numbered
from panel.core.take import NoTake, NoTakeReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from panel.core.review import PanelReview
    from panel.core.take import Take
    from panel.core.tool import Tool

__all__ = [
    "Check",
    "Finding",
    "Span",
    "Status",
    "Where",
    "all_checks",
    "allowed_resolutions",
    "blocks",
    "check_listing",
    "check_of",
    "check_review",
    "check_take",
    "finding_label",
    "unresolved",
]


def check_take(
    take: Take, persona_id: str, tool: Tool, never_says: Sequence[str] = ()
) -> tuple[Finding, ...]:
    """Return the findings of a take: its score, its quotes, then its text; `never_says` are phrases that the persona must not use."""
    return numbered(_seat_findings(take, persona_id, tool, never_says))


@lru_cache(maxsize=64)
def check_listing(tool: Tool) -> tuple[Finding, ...]:
    """Return the findings of the tool's own texts, field by field."""
    listing = listing_of(tool)
    fields = (*listing.fields, *listing.facts)
    return numbered(found for field in fields for found in sorted(run_checks(field), key=_order))


def check_review(review: PanelReview, never_says: Mapping[str, Sequence[str]]) -> tuple[Finding, ...]:
    """Return the findings of the listing, of each seat in order, then of the takes together.

    `never_says` maps persona ids to the phrases that they must not use.
    """
    found = list(check_listing(review.tool))
    for seat in review.seats:
        found += _seat_findings(seat.outcome, seat.persona, review.tool, never_says.get(seat.persona, ()))
    takes = PanelTakes(tuple((seat, seat.take) for seat in review.seats if seat.take))
    found += sorted(run_checks(takes), key=lambda finding: finding.where.persona is not None)
    return numbered(found)


def _seat_findings(
    outcome: Take | NoTake, persona: str, tool: Tool, never_says: Sequence[str]
) -> list[Finding]:
    listing = listing_of(tool)
    if not isinstance(outcome, NoTake):
        text = SeatText(persona, "take", outcome.take, listing, never_says, outcome)
    elif outcome.reason is NoTakeReason.RECUSED:  # in the persona's own words, which are published
        text = SeatText(persona, "detail", outcome.detail, listing, never_says, None)
    else:
        return []
    return sorted([*run_checks(text), *_claims(text)], key=_order)


def _claims(subject: SeatText) -> Iterator[Finding]:
    listing = subject.listing
    score = subject.take.score if subject.take else None
    for check, claim in find_claims(ClaimText(subject.text, listing.own_words, score)):
        listing_counts = claim.counted in listing.stated.counted
        if claim.weight is Weight.NEVER or (claim.weight is Weight.IF_LISTING_COUNTS and not listing_counts):
            continue
        hit = subject.hit(claim.place)
        status = Status.UNSUPPORTED
        if listing.stated.support(check, claim, hit.text):
            status = Status.IN_LISTING
        elif listing.sourced.support(check, claim, hit.text):
            status = Status.SOURCED
        yield check.finding(hit._replace(status=status))


def _order(finding: Finding) -> tuple[int, int, int, int, str]:
    field, _, number = finding.where.field.partition(".")
    place = (finding.span.start, finding.span.end) if finding.span else (0, 0)
    rank = {"score": 0, "evidence": 1}.get(field, 2)
    return (rank, int(number) if number.isdecimal() else 0, *place, finding.kind)
