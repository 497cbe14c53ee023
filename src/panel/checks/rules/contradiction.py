"""Score and verdict that contradict each other."""

from __future__ import annotations

from panel.checks.registry import Hit, Hits, SubjectCheck
from panel.checks.subjects import SeatText


def _find(subject: SeatText) -> Hits:
    if subject.take and subject.take.contradicts_itself:
        yield Hit(subject.where("score"), subject.take.label)


CHECK = SubjectCheck(
    kind="contradiction",
    label="Score at odds with the verdict",
    message="Score and verdict contradict each other.",
    reads=SeatText,
    find=_find,
)
