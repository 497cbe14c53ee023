"""Score and verdict that contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.checks.registry import Hit, SubjectCheck
from panel.checks.subjects import SeatText

if TYPE_CHECKING:
    from collections.abc import Iterator


def _find(subject: SeatText) -> Iterator[Hit]:
    if subject.take and subject.take.contradicts_itself:
        yield Hit(subject.where("score"), subject.take.label)


CHECK = SubjectCheck(
    kind="contradiction",
    label="Score at odds with the verdict",
    message="Score and verdict contradict each other.",
    reads=SeatText,
    find=_find,
)
