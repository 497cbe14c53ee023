"""How a run goes, seat by seat, on stderr."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from panel.cli.console import tell
from panel.domain.take import NoTake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.domain.persona import Persona
    from panel.domain.take import Seat
    from panel.domain.tool import Tool


class Lines:
    """One line when a seat is asked again and one when it is done: for pipes, logs and patient terminals.

    Args:
        verbose: also say what was wrong with a reply, what a seat consumed and which prompt it answered.
    """

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._since: dict[tuple[str, str], float] = {}

    def asked(self, tool: Tool, persona: Persona) -> None:
        """Remember when a seat was asked."""
        self._since[tool.slug, persona.id] = time.monotonic()

    def asked_again(self, tool: Tool, persona: Persona, problems: Sequence[str]) -> None:
        """Tell that a seat's reply could not be used."""
        why = f": {' '.join(problems)}" if self._verbose else ""
        tell(f"{tool.name} · {persona.name}: asked again{why}")

    def answered(self, tool: Tool, seat: Seat) -> None:
        """Tell what a seat ended with."""
        seconds = time.monotonic() - self._since.pop((tool.slug, seat.persona))
        tell(f"{tool.name} · {seat.name}: {ending(seat)} ({seconds:.1f} s){self._details(seat)}")

    def _details(self, seat: Seat) -> str:
        given = seat.provenance
        if not self._verbose or given is None:
            return ""
        usage = given.usage
        return f" · {usage.input_tokens} in, {usage.output_tokens} out · prompt {given.prompt_digest[:12]}"


class Silence:
    """Says nothing."""

    def asked(self, tool: Tool, persona: Persona) -> None:
        """Ignore it."""

    def asked_again(self, tool: Tool, persona: Persona, problems: Sequence[str]) -> None:
        """Ignore it."""

    def answered(self, tool: Tool, seat: Seat) -> None:
        """Ignore it."""


def ending(seat: Seat) -> str:
    """Return what a seat ended with, in a few words."""
    outcome = seat.outcome
    if isinstance(outcome, NoTake):
        return f"{outcome.label}, {outcome.reason.label}: {outcome.detail}"
    return outcome.label
