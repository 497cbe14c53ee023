"""Layout of scores on a line from 0 to 100."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from panel.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.review import PanelReview

_GAP = 14  # points between two marks of one lane: 25 px wide each on a line of at least 180 px
_LANE_PX = 28
_LABELS_PX = 26


class ChartPoint(NamedTuple):
    """One critic's score; `x` is in points, `y` the centre of the mark in px from the top."""

    code: str
    text: str
    verdict: str
    x: int
    y: int


class ScoreChart(NamedTuple):
    """The scores of a review, from the lowest to the highest; `axis` and `height` are in px."""

    points: tuple[ChartPoint, ...]
    axis: int
    height: int
    text: str


def score_chart(review: PanelReview) -> ScoreChart:
    """Return the chart of a review's scores, in which no two marks overlap."""
    given = [(seat.take, one_line(seat.name)) for seat in review.seats if seat.take]
    given.sort(key=lambda pair: pair[0].score)
    placed = lay_out([take.score for take, _ in given], _GAP)
    axis = _LANE_PX * (max((lane for _, lane in placed), default=0) + 1)
    points = tuple(
        ChartPoint(name[:2], f"{name}: {take.label}", take.verdict, x, axis - _LANE_PX * lane - _LANE_PX // 2)
        for (take, name), (x, lane) in zip(given, placed, strict=True)
    )
    text = f"Scores from 0 to 100. {'; '.join(point.text for point in points)}."
    return ScoreChart(points, axis, axis + _LABELS_PX, text)


def lay_out(
    wanted: Sequence[int], gap: int, *, lanes: int | None = None, end: int | None = None
) -> list[tuple[int, int]]:
    """Return the place and the lane of each mark, so that no two marks of a lane are closer than the gap.

    A mark goes into the first lane with room at its wanted place; without a limit of lanes, no mark moves. With one, `wanted` must ascend: a mark
    that finds no room goes into the lane with the fewest marks, whose marks move aside, but not beyond `end`.
    """
    filled: list[list[int]] = [[] for _ in range(lanes or 0)]
    for number, place in enumerate(wanted):
        room = [lane for lane in filled if all(abs(place - wanted[other]) >= gap for other in lane)]
        if not room and not lanes:
            filled.append([])
        lane = room[0] if room else min(filled, key=len)
        lane.append(number)
    placed = list(wanted)
    for lane in filled if lanes else ():
        for before, number in pairwise(lane):
            placed[number] = max(placed[number], placed[before] + gap)
        for after, number in enumerate(reversed(lane) if end is not None else ()):
            placed[number] = min(placed[number], (end or 0) - after * gap)
    lane_of = {number: index for index, lane in enumerate(filled) for number in lane}
    return [(place, lane_of[number]) for number, place in enumerate(placed)]
