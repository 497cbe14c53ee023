"""Where each critic's mark lies on a tool's line of scores from 0 to 100."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.core.base import Frozen
from panel.core.text import one_line

if TYPE_CHECKING:
    from panel.core.review import PanelReview

MARK_GAP = 14  # points between two marks of one lane: 25 px wide each on a line of at least 180 px
LANE_PX = 28
LINE_PX = 26


class ChartPoint(Frozen):
    """One critic's score on the line.

    Attributes:
        code: two letters of the critic's name.
        text: the critic and the score in words.
        verdict: ship or skip, which decides the mark's shape.
        x: place on the line, 0-100.
        y: centre of the mark above the line's foot, in px from the top.
    """

    code: str
    text: str
    verdict: str
    x: int
    y: int


class ScoreChart(Frozen):
    """A tool's line of scores.

    Attributes:
        marks: one per take, from the lowest score to the highest.
        foot: where the line itself lies, in px from the top.
        height: of the drawing, in px.
        text: the drawing in words.
    """

    marks: tuple[ChartPoint, ...]
    foot: int
    height: int
    text: str


def strip_of(review: PanelReview) -> ScoreChart:
    """Lay out a review's scores so that no two marks overlap: equal scores are stacked."""
    given = [(seat.take, one_line(seat.name)) for seat in review.seats if seat.take]
    given.sort(key=lambda pair: pair[0].score)
    lanes = _lanes([take.score for take, _ in given])
    foot = LANE_PX * (max(lanes, default=0) + 1)
    marks = tuple(
        ChartPoint(
            code=name[:2],
            text=f"{name}: {take.label}",
            verdict=take.verdict,
            x=take.score,
            y=foot - LANE_PX * lane - LANE_PX // 2,
        )
        for (take, name), lane in zip(given, lanes, strict=True)
    )
    words = f"Scores from 0 to 100. {'; '.join(mark.text for mark in marks)}."
    return ScoreChart(marks=marks, foot=foot, height=foot + LINE_PX, text=words)


def _lanes(scores: list[int]) -> list[int]:
    """Return the lowest free lane for each of the ascending scores."""
    ends: list[int] = []
    lanes = []
    for score in scores:
        lane = next((n for n, end in enumerate(ends) if score - end >= MARK_GAP), len(ends))
        ends[lane : lane + 1] = [score]
        lanes.append(lane)
    return lanes
