from __future__ import annotations

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
from panel.report.score_chart import lay_out, score_chart

GAP, LANE = 14, 28
PLACES = st.lists(st.integers(0, 100), max_size=12)


@pytest.mark.parametrize("scores", [(70,) * 8, (0, 100), (40, 45, 50, 55, 60), tuple(range(0, 101, 7))])
def test_marks_never_overlap_and_lie_inside_the_drawing(scores: tuple[int, ...]) -> None:
    chart = score_chart(builders.review(*(builders.take(score) for score in scores)))
    assert [point.x for point in chart.points] == sorted(scores)
    for one, other in combinations(chart.points, 2):
        assert abs(one.x - other.x) >= GAP or abs(one.y - other.y) >= LANE
    assert all(LANE // 2 <= point.y <= chart.axis - LANE // 2 for point in chart.points)


@given(PLACES, st.integers(1, 20))
def test_without_a_limit_of_lanes_no_mark_moves(wanted: list[int], gap: int) -> None:
    placed = lay_out(wanted, gap)
    assert [place for place, _ in placed] == wanted
    for (place, lane), (other, other_lane) in combinations(placed, 2):
        assert lane != other_lane or abs(place - other) >= gap


@given(PLACES.map(sorted), st.integers(1, 3))
def test_with_few_lanes_marks_move_aside_in_their_order(wanted: list[int], lanes: int) -> None:
    placed = lay_out(wanted, 10, lanes=lanes, end=120)
    for lane in range(lanes):
        places = [place for place, own in placed if own == lane]
        assert all(later - earlier >= 10 for earlier, later in pairwise(places))
        assert all(place <= 120 for place in places)


def test_a_mark_lies_where_it_belongs_while_there_is_room() -> None:
    assert lay_out([50, 52, 80], 8) == [(50, 0), (52, 1), (80, 0)]
    assert lay_out([10, 12, 14, 60], 8, lanes=2, end=100) == [(10, 0), (12, 1), (18, 0), (60, 0)]
