"""The tally of a panel: votes, panel verdict, ship percentage and scores; and the votes of readers, which are no part of it."""

from __future__ import annotations

import statistics
from enum import StrEnum
from typing import TYPE_CHECKING

from panel.core.frozen import Frozen
from panel.core.take import Take, Verdict
from panel.core.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

MIN_TAKES = 3
NO_VOTES = "No community votes yet"

RULE = (
    "A strict majority of the takes given decides: Ship or Skip, Mixed on a tie, "
    f"and No verdict with fewer than {MIN_TAKES} takes. A seat without a take does not count."
)


class PanelVerdict(StrEnum):
    """The verdict of a panel as a whole."""

    SHIP = "Ship"
    SKIP = "Skip"
    MIXED = "Mixed"
    NONE = "No verdict"


class Scores(Frozen):
    """Scores of the takes given: mean (one decimal), median, and spread (highest minus lowest)."""

    mean: float
    median: float
    spread: int


class Tally(Frozen):
    """The votes and scores of one panel; `RULE` states how they make a verdict."""

    ships: int
    skips: int
    scores: Scores | None

    @classmethod
    def of(cls, takes: Iterable[Take]) -> Tally:
        """Count the takes given."""
        given = list(takes)
        ships = sum(take.verdict is Verdict.SHIP for take in given)
        numbers, scores = [take.score for take in given], None
        if numbers:
            mean, spread = round(statistics.fmean(numbers), 1), max(numbers) - min(numbers)
            scores = Scores(mean=mean, median=statistics.median(numbers), spread=spread)
        return cls(ships=ships, skips=len(given) - ships, scores=scores)

    @property
    def given(self) -> int:
        """The number of takes, which is the denominator."""
        return self.ships + self.skips

    @property
    def verdict(self) -> PanelVerdict:
        """The panel's verdict by `RULE`."""
        return _verdict(self.ships, self.skips)

    @property
    def line(self) -> str:
        """The verdict as printed: `Ship · 3 ship / 1 skip`."""
        return f"{self.verdict} · {self.ships} ship / {self.skips} skip"

    @property
    def ship_percent(self) -> int | None:
        """Panel ship %: ships among the takes given, halves rounded up; None without a take."""
        return (200 * self.ships + self.given) // (2 * self.given) if self.given else None

    @property
    def fragile(self) -> bool:
        """Whether one flipped vote would change the panel's verdict."""
        flips = [(self.ships - 1, self.skips + 1), (self.ships + 1, self.skips - 1)]
        return any(min(flip) >= 0 and _verdict(*flip) is not self.verdict for flip in flips)


def _verdict(ships: int, skips: int) -> PanelVerdict:
    if ships + skips < MIN_TAKES:
        return PanelVerdict.NONE
    if ships == skips:
        return PanelVerdict.MIXED
    return PanelVerdict.SHIP if ships > skips else PanelVerdict.SKIP


class Votes(Frozen):
    """Numbers of readers who would ship and would skip a tool."""

    ships: int = 0
    skips: int = 0

    @property
    def total(self) -> int:
        """Number of votes."""
        return self.ships + self.skips

    def line(self, shown_from: int) -> str:
        """Return `7 votes · 5 ship / 2 skip`; with fewer than `shown_from` votes, only their number."""
        if not self.total:
            return NO_VOTES
        split = f" · {self.ships} ship / {self.skips} skip" if self.total >= shown_from else ""
        return f"{counted(self.total, 'vote')}{split}"
