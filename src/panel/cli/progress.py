"""Progress of a run, seat by seat, on stderr."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from panel.cli.console import tell
from panel.core.take import NoTake
from panel.core.text import one_line
from panel.orchestrator.seat import Observer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panel.core.persona import Persona
    from panel.core.take import Seat
    from panel.core.tool import Tool

SHOWN_SEATS = 5
WAITING = "Waiting for another run that asks the same at this moment; its answers cost nothing here."


class Progress(Observer):
    """Shows nothing; the base of those that do."""

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show progress until the block ends."""
        yield

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Clear the terminal for a result until the block ends."""
        yield


class Lines(Progress):
    """A line when a seat is asked again and one when it has ended: for pipes, logs and scrolling back.

    Args:
        verbose: also print the problems of a reply, a seat's tokens and its prompt's digest.
    """

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._since: dict[tuple[str, str], tuple[float, str]] = {}

    def asked(self, tool: Tool, persona: Persona) -> None:
        """Start the clock of a seat."""
        self._since[tool.slug, persona.id] = (time.monotonic(), f"{tool.name} · {persona.name}")

    def asked_again(self, tool: Tool, persona: Persona, problems: Sequence[str]) -> None:
        """Print that a seat's reply was unusable."""
        why = f": {' '.join(problems)}" if self._verbose else ""
        self._line(f"{tool.name} · {persona.name}: asked again{why}")

    def answered(self, tool: Tool, seat: Seat) -> None:
        """Print how a seat ended."""
        since, _ = self._since.pop((tool.slug, seat.persona))
        seconds = time.monotonic() - since
        self._line(f"{tool.name} · {seat.name}: {ending(seat)} ({seconds:.1f} s){self._details(seat)}")

    def waiting(self) -> None:
        """Print that another run's answer is awaited."""
        self._line(WAITING)

    def _line(self, text: str) -> None:
        tell(text)

    def _details(self, seat: Seat) -> str:
        provenance = seat.provenance
        if not self._verbose or provenance is None:
            return ""
        usage = provenance.usage
        return (
            f" · {usage.input_tokens} in, {usage.output_tokens} out · prompt {provenance.prompt_digest[:12]}"
        )


class Spinner(Lines):
    """The same lines, and below them, on a terminal, the seats that are being asked."""

    def __init__(self, *, verbose: bool) -> None:
        from rich.console import Console

        super().__init__(verbose=verbose)
        self._console = Console(stderr=True, highlight=False, markup=False)
        self._status = self._console.status("")

    def asked(self, tool: Tool, persona: Persona) -> None:
        """Show one more seat."""
        super().asked(tool, persona)
        self._update()

    def answered(self, tool: Tool, seat: Seat) -> None:
        """Print how a seat ended, and show the others."""
        super().answered(tool, seat)
        self._update()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show progress until the block ends."""
        with self._status:
            yield

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Clear the terminal for a result until the block ends."""
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


def progress(*, quiet: bool, verbose: bool) -> Progress:
    """Return the progress display that fits: none if it is unwanted, no animation off a terminal."""
    if quiet:
        return Progress()
    animated = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    return Spinner(verbose=verbose) if animated else Lines(verbose=verbose)


def ending(seat: Seat) -> str:
    """Return how a seat ended, in a few words."""
    outcome = seat.outcome
    if isinstance(outcome, NoTake):
        return f"{outcome.label}, {outcome.reason.label}: {outcome.detail}"
    return outcome.label
