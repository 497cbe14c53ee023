"""How a run goes, seat by seat, on stderr."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from panel.cli.console import tell
from panel.core.take import NoTake
from panel.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panel.core.persona import Persona
    from panel.core.take import Seat
    from panel.core.tool import Tool

SHOWN_SEATS = 5


class Silence:
    """Says nothing."""

    def asked(self, tool: Tool, persona: Persona) -> None:
        """Hear that a seat was asked."""

    def asked_again(self, tool: Tool, persona: Persona, problems: Sequence[str]) -> None:
        """Hear that a seat's reply could not be used, and why."""

    def answered(self, tool: Tool, seat: Seat) -> None:
        """Hear what a seat ended with."""

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Be on the screen for as long as the run goes on."""
        yield

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Leave the screen to a result for a moment."""
        yield


class Lines(Silence):
    """A line when a seat is asked again and one when it is done: for pipes, logs and whoever scrolls back.

    Args:
        verbose: also say what was wrong with a reply, what a seat consumed and which prompt it answered.
    """

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._since: dict[tuple[str, str], tuple[float, str]] = {}

    def asked(self, tool: Tool, persona: Persona) -> None:
        """Remember when a seat was asked."""
        self._since[tool.slug, persona.id] = (time.monotonic(), f"{tool.name} · {persona.name}")

    def asked_again(self, tool: Tool, persona: Persona, problems: Sequence[str]) -> None:
        """Tell that a seat's reply could not be used."""
        why = f": {' '.join(problems)}" if self._verbose else ""
        self._line(f"{tool.name} · {persona.name}: asked again{why}")

    def answered(self, tool: Tool, seat: Seat) -> None:
        """Tell what a seat ended with."""
        since, _ = self._since.pop((tool.slug, seat.persona))
        seconds = time.monotonic() - since
        self._line(f"{tool.name} · {seat.name}: {ending(seat)} ({seconds:.1f} s){self._details(seat)}")

    def _line(self, text: str) -> None:
        tell(text)

    def _details(self, seat: Seat) -> str:
        given = seat.provenance
        if not self._verbose or given is None:
            return ""
        usage = given.usage
        return f" · {usage.input_tokens} in, {usage.output_tokens} out · prompt {given.prompt_digest[:12]}"


class Spinner(Lines):
    """The same lines, and below them, on a terminal, who is being asked at the moment."""

    def __init__(self, *, verbose: bool) -> None:
        from rich.console import Console

        super().__init__(verbose=verbose)
        self._console = Console(stderr=True, highlight=False, markup=False)
        self._status = self._console.status("")

    def asked(self, tool: Tool, persona: Persona) -> None:
        """Show who else is being asked."""
        super().asked(tool, persona)
        self._update()

    def answered(self, tool: Tool, seat: Seat) -> None:
        """Tell what a seat ended with, and show who is left."""
        super().answered(tool, seat)
        self._update()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Be on the screen for as long as the run goes on."""
        with self._status:
            yield

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Leave the screen to a result for a moment."""
        self._status.stop()
        try:
            yield
        finally:
            self._status.start()

    def _line(self, text: str) -> None:
        with suppress(OSError):
            self._console.print(one_line(text), soft_wrap=True)

    def _update(self) -> None:
        from rich.text import Text

        names = [name for _, name in self._since.values()]
        more = f" and {len(names) - SHOWN_SEATS} more" if len(names) > SHOWN_SEATS else ""
        self._status.update(
            Text(f"asking {', '.join(names[:SHOWN_SEATS])}{more}", overflow="ellipsis", no_wrap=True)
        )


def progress(*, quiet: bool, verbose: bool) -> Silence:
    """Return what fits: nothing if it is unwanted, no animation off a terminal."""
    if quiet:
        return Silence()
    animated = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return Spinner(verbose=verbose) if animated else Lines(verbose=verbose)


def ending(seat: Seat) -> str:
    """Return what a seat ended with, in a few words."""
    outcome = seat.outcome
    if isinstance(outcome, NoTake):
        return f"{outcome.label}, {outcome.reason.label}: {outcome.detail}"
    return outcome.label
