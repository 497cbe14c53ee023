"""Readers' votes, which are no part of a panel's verdict."""

from __future__ import annotations

from panel.core.base import Frozen


class Votes(Frozen):
    """Readers' votes on a tool."""

    ships: int = 0
    skips: int = 0

    @property
    def total(self) -> int:
        """Number of votes."""
        return self.ships + self.skips
