"""Why a reader might pick one of two tools: taken from the takes of the critics who set one above the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panel.core.take import Verdict
from panel.core.text import one_line
from panel.report.wording import opening

if TYPE_CHECKING:
    from panel.core.review import PanelReview
    from panel.core.take import Take

MARGIN = 5
"""Points by which a critic must set a tool above the other, where both got the same verdict."""
MOST = 2
SENTENCE_CHARS = 260


class Reason(NamedTuple):
    """Why a critic would pick a tool.

    Attributes:
        critic: the critic's name.
        score: what the critic gave the tool.
        other: what the critic gave the other one; None if that one has no take.
        words: how the take begins.
    """

    critic: str
    score: int
    other: int | None
    words: str


def reasons_for(review: PanelReview, against: PanelReview) -> tuple[Reason, ...]:
    """Return why critics would pick a tool and not another, the strongest reason first."""
    found: list[tuple[int, Reason]] = []
    for seat in review.seats:
        other = against.seat_of(seat.persona)
        rival = other.take if other else None
        if seat.take and (lead := _lead(seat.take, rival)):
            words = opening(seat.take.take, SENTENCE_CHARS)
            reason = Reason(one_line(seat.name), seat.take.score, rival.score if rival else None, words)
            found.append((lead, reason))
    found.sort(key=lambda pair: -pair[0])
    return tuple(reason for _, reason in found[:MOST])


def _lead(take: Take, rival: Take | None) -> int:
    """Return by how much a critic prefers a tool; 0 if not at all."""
    if take.verdict is not Verdict.SHIP:
        return 0
    if rival is None:
        return 1
    lead = take.score - rival.score
    if rival.verdict is Verdict.SKIP:
        return 100 + lead
    return lead if lead >= MARGIN else 0
