"""Readers' votes on a tool, which are no part of the panel's verdict."""

from __future__ import annotations

from panel.core.frozen import Frozen

NO_VOTES = "No community votes yet"


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
        return f"{self.total} vote{'' if self.total == 1 else 's'}{split}"
