from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.core.take import Take, Verdict
from panel.core.tally import PanelVerdict, Tally

TEXT = "A take that is long enough to stand on a page by itself."


def takes(ships: int, skips: int) -> list[Take]:
    return [Take(verdict=Verdict.SHIP, score=80, take=TEXT)] * ships + [
        Take(verdict=Verdict.SKIP, score=30, take=TEXT)
    ] * skips


@pytest.mark.parametrize(
    ("ships", "skips", "line", "percent", "fragile"),
    [
        (3, 1, "Ship · 3 ship / 1 skip", 75, True),
        (2, 2, "Mixed · 2 ship / 2 skip", 50, True),
        (4, 1, "Ship · 4 ship / 1 skip", 80, False),
        (1, 4, "Skip · 1 ship / 4 skip", 20, False),
        (2, 1, "Ship · 2 ship / 1 skip", 67, True),
        (5, 0, "Ship · 5 ship / 0 skip", 100, False),
        (3, 0, "Ship · 3 ship / 0 skip", 100, False),
        (2, 0, "No verdict · 2 ship / 0 skip", 100, False),
        (0, 0, "No verdict · 0 ship / 0 skip", None, False),
    ],
)
def test_verdict_follows_a_strict_majority(
    ships: int, skips: int, line: str, percent: int | None, fragile: bool
) -> None:
    tally = Tally.of(takes(ships, skips))
    assert (tally.line, tally.ship_percent, tally.fragile) == (line, percent, fragile)


def test_scores_are_summed_up_over_the_takes_given() -> None:
    scores = Tally.of(Take(verdict=Verdict.SHIP, score=score, take=TEXT) for score in (52, 78, 82, 87)).scores
    assert scores is not None
    assert (scores.mean, scores.median, scores.spread) == (74.8, 80.0, 35)
    assert Tally.of([]).scores is None


@given(st.integers(0, 12), st.integers(0, 12))
def test_tally_is_fair_to_both_sides(ships: int, skips: int) -> None:
    mirror = {PanelVerdict.SHIP: PanelVerdict.SKIP, PanelVerdict.SKIP: PanelVerdict.SHIP}
    there, back = Tally.of(takes(ships, skips)), Tally.of(takes(skips, ships))
    assert mirror.get(there.verdict, there.verdict) is back.verdict
    assert there.fragile == back.fragile


@pytest.mark.parametrize(
    ("verdict", "score", "contradicts"),
    [("ship", 39, True), ("ship", 40, False), ("skip", 80, False), ("skip", 81, True)],
)
def test_contradiction_is_a_ship_below_40_or_a_skip_above_80(
    verdict: str, score: int, contradicts: bool
) -> None:
    assert Take(verdict=Verdict(verdict), score=score, take=TEXT).contradicts_itself is contradicts
