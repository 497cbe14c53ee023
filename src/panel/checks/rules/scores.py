"""Scores that contradict the verdict, are extreme, or agree at one end of the scale."""

from __future__ import annotations

from panel.checks.inputs import PanelTakes, SeatText
from panel.checks.registry import Hit, Hits, input_check
from panel.core.finding import Where
from panel.core.take import Verdict

_LOWEST_EXTREME = 95
_LOWEST_UNANIMOUS_SHIP = 85
_HIGHEST_UNANIMOUS_SKIP = 15


@input_check(
    SeatText, "contradiction", "Score at odds with the verdict", "Score and verdict contradict each other."
)
def _find_contradiction(subject: SeatText) -> Hits:
    if subject.take and subject.take.contradicts_itself:
        yield Hit(subject.where("score"), subject.take.label)


@input_check(
    SeatText, "extreme_score", "Extreme score", "A score this high is rare: check that the take justifies it."
)
def _find_extreme(subject: SeatText) -> Hits:
    if subject.take and subject.take.score >= _LOWEST_EXTREME:
        yield Hit(subject.where("score"), subject.take.label)


@input_check(
    PanelTakes,
    "unanimous",
    "Unanimous at the end of the scale",
    "All takes agree at one end of the scale: check that each was reached independently.",
)
def _find_unanimous(subject: PanelTakes) -> Hits:
    takes = [take for _, take in subject.given]
    ships = all(take.verdict is Verdict.SHIP and take.score >= _LOWEST_UNANIMOUS_SHIP for take in takes)
    skips = all(take.verdict is Verdict.SKIP and take.score <= _HIGHEST_UNANIMOUS_SKIP for take in takes)
    if len(takes) > 1 and (ships or skips):
        yield Hit(Where(persona=None, field="scores"), ", ".join(take.label for take in takes))
