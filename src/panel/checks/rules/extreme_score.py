"""Scores of 95 and more, which are rare."""

from __future__ import annotations

from panel.checks.registry import Hit, Hits, SubjectCheck
from panel.checks.subjects import SeatText

_LOWEST = 95


def _find(subject: SeatText) -> Hits:
    if subject.take and subject.take.score >= _LOWEST:
        yield Hit(subject.where("score"), subject.take.label)


CHECK = SubjectCheck(
    kind="extreme_score",
    label="Extreme score",
    message="A score this high is rare: check that the take justifies it.",
    reads=SeatText,
    find=_find,
)
