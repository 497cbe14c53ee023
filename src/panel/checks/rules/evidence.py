"""Quotes of a take that are not in the listing."""

from __future__ import annotations

from panel.checks.inputs import SeatText
from panel.checks.registry import Hit, Hits, input_check
from panel.core.finding import Status


@input_check(
    SeatText,
    "evidence",
    "Quote not in the listing",
    "The quote is not in the listing word for word: correct it or cut it.",
)
def _find(subject: SeatText) -> Hits:
    for index, quote in enumerate(subject.take.evidence if subject.take else ()):
        status = Status.IN_LISTING if subject.listing.has_quote(quote) else Status.UNSUPPORTED
        yield Hit(subject.where(f"evidence.{index}"), quote, (0, len(quote)), status)
