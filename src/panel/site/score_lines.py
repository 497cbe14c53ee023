"""Two tools on one line of scores for each critic, as a drawing and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panel.core.text import one_line

if TYPE_CHECKING:
    from panel.core.comparison import Comparison
    from panel.core.take import Seat

CLOSE = 8
"""Points under which two marks would cover each other on a line of 320 px, so that the second is drawn below."""


class Point(NamedTuple):
    """A tool's mark on a critic's line.

    Attributes:
        x: the score.
        verdict: ship or skip, which decides the shape.
        which: 0 for the first tool, 1 for the second.
        low: whether it is drawn below the line, because the other one is too near.
    """

    x: int
    verdict: str
    which: int
    low: bool


class Line(NamedTuple):
    """A critic's line.

    Attributes:
        critic: the critic's name.
        points: a mark for each tool that has a take.
        text: the line in words.
    """

    critic: str
    points: tuple[Point, ...]
    text: str


def duel_of(page: Comparison) -> tuple[Line, ...]:
    """Return a line for each critic who gave a take on either of two tools."""
    lines = []
    for row in page.scorecard:
        seats = [(which, seat) for which, seat in enumerate(row.seats) if seat and seat.take]
        if seats:
            name = one_line(row.name)
            text = f"{name}: {'; '.join(_told(page, which, seat) for which, seat in seats)}"
            lines.append(Line(name, tuple(_points(seats)), text))
    return tuple(lines)


def _told(page: Comparison, which: int, seat: Seat) -> str:
    return f"{one_line(page.headings[which])} {seat.take.label if seat.take else ''}"


def _points(seats: list[tuple[int, Seat]]) -> list[Point]:
    scores = [seat.take.score for _, seat in seats if seat.take]
    near = len(scores) > 1 and abs(scores[0] - scores[1]) < CLOSE
    return [
        Point(seat.take.score, seat.take.verdict, which, low=near and which == 1)
        for which, seat in seats
        if seat.take
    ]
