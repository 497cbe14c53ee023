"""Progress of a run on stderr: seat by seat for reviews, a bar or lines for batches, and a batch's events for programs."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from panel.cli.console import animated, result, tell
from panel.cli.signals import ReaderLeft
from panel.core.take import NoTake
from panel.core.text import counted, dollars, one_line
from panel.errors import StorageError
from panel.orchestrator.seat import Observer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.progress import Progress as Bar
    from rich.status import Status

    from panel.core.persona import Persona
    from panel.core.take import Seat
    from panel.core.tool import Tool
    from panel.orchestrator.run import Finished, Reviewed, Started
    from panel.providers.middleware.budget import Budget

SHOWN_SEATS = 5
SHOWN_SKIPS = 20
LINE_SECONDS = 10.0
"""Seconds between lines off a terminal, so that a night's log stays readable."""
WAITING = "Waiting for another run that asks the same at this moment; its answers cost nothing here."


class Progress(Observer):
    """Shows nothing; the base of those that do."""

    def started(self, event: Started) -> None:
        """Show that a run begins."""

    def finished(self, event: Finished, reason: str | None) -> None:
        """Show that a run has ended; `reason` is None unless it ended early."""

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show progress until the block ends."""
        yield

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Clear the terminal for a result until the block ends."""
        yield


class SeatProgress(Progress):
    """A line when a seat is asked again and one when it has ended; on a terminal, below them, the seats that are being asked.

    With `verbose`, also the problems of a reply, a seat's tokens and its prompt's digest.
    """

    def __init__(self, *, verbose: bool) -> None:
        self._verbose = verbose
        self._since: dict[tuple[str, str], tuple[float, str]] = {}
        self._status: Status | None = None
        if animated():
            from rich.console import Console

            self._status = Console(stderr=True, highlight=False, markup=False).status("")

    def asked(self, tool: Tool, persona: Persona) -> None:
        """Start the clock of a seat."""
        self._since[tool.slug, persona.id] = (time.monotonic(), f"{tool.name} · {persona.name}")
        self._show_asked()

    def asked_again(self, tool: Tool, persona: Persona, problems: Sequence[str]) -> None:
        """Print that a seat's reply was unusable."""
        why = f": {' '.join(problems)}" if self._verbose else ""
        self._line(f"{tool.name} · {persona.name}: asked again{why}")

    def answered(self, tool: Tool, seat: Seat) -> None:
        """Print how a seat ended."""
        since, _ = self._since.pop((tool.slug, seat.persona))
        end, details = seat.outcome.label, ""
        if isinstance(seat.outcome, NoTake):
            end += f", {seat.outcome.reason.label}: {seat.outcome.detail}"
        if self._verbose and (made := seat.provenance):
            tokens = f"{made.usage.input_tokens} in, {made.usage.output_tokens} out"
            details = f" · {tokens} · prompt {made.prompt_digest[:12]}"
        self._line(f"{tool.name} · {seat.name}: {end} ({time.monotonic() - since:.1f} s){details}")
        self._show_asked()

    def waiting(self) -> None:
        """Print that another run's answer is awaited."""
        self._line(WAITING)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the seats that are being asked until the block ends."""
        if self._status is None:
            yield
        else:
            with self._status:
                yield

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Clear the terminal for a result until the block ends."""
        if self._status is None:
            yield
            return
        self._status.stop()
        try:
            yield
        finally:
            self._status.start()

    def _line(self, text: str) -> None:
        if self._status is None:
            tell(text)
        else:
            with suppress(OSError):
                self._status.console.print(one_line(text), soft_wrap=True)

    def _show_asked(self) -> None:
        if self._status is None:
            return
        from rich.text import Text

        names = [name for _, name in self._since.values()]
        more = f" and {len(names) - SHOWN_SEATS} more" if len(names) > SHOWN_SEATS else ""
        line = f"asking {', '.join(names[:SHOWN_SEATS])}{more}"
        self._status.update(Text(line, overflow="ellipsis", no_wrap=True))


class BatchProgress(Progress):
    """Counts the tools of a run: a bar on a terminal, lines elsewhere; with `events`, JSON values on stdout in place of lines.

    With `verbose`, a line for each tool, not only for those with failed seats.
    """

    def __init__(self, *, quiet: bool, verbose: bool, events: bool) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self._events = events
        self._lines = not quiet and not events
        self._unread = False
        self._run: int | None = None
        self._total = self._done = self._before = self._failed = self._skipped = 0
        self._budget: Budget | None = None
        self._since = self._last = 0.0
        self._bar: Bar | None = None

    def skipped(self, reason: str) -> None:
        """Print why a tool is left out, for the first of them."""
        self._skipped += 1
        if self._skipped <= SHOWN_SKIPS and not self._quiet:
            tell(reason)

    def note_more_skips(self) -> None:
        """Print how many more tools are left out."""
        if (more := self._skipped - SHOWN_SKIPS) > 0 and not self._quiet:
            tell(f"… and {more:,} more tools are left out, because they are there already.")

    def nothing_to_do(self) -> None:
        """Show that no tool is left to review."""
        self._event("ended", state="nothing to do", done=0, tools=0)

    def waiting(self) -> None:
        """Print that another run's answer is awaited."""
        if not self._quiet:
            tell(WAITING)

    def started(self, event: Started) -> None:
        """Show that a run begins."""
        self._run, self._total, self._budget = event.run, event.tools, event.budget
        self._done = self._before = event.done
        self._since = self._last = time.monotonic()
        self._event("begun", tools=event.tools, done=event.done, model=str(event.setup.model.choice))
        if self._lines:
            done = f"{event.done:,} of {event.tools:,} tools done"
            tell(f"Run {event.run}: {done}; Ctrl-C stops it, and it can be resumed.")

    def reviewed(self, event: Reviewed) -> None:
        """Show that a tool is reviewed."""
        review = event.review
        failures = {seat.persona: seat.failure.reason for seat in review.seats if seat.failure}
        self._done += 1
        self._failed += review.failed_seats
        self._event(
            "reviewed",
            tool=review.tool.slug,
            draft=event.draft,
            verdict=review.tally.line,
            failed=failures,
            done=self._done,
            tools=self._total,
            cost_usd=self._budget and round(self._budget.paid, 6),
        )
        if self._lines and (failures or self._verbose):
            failed = [f"{seat.name} {seat.failure.reason.label}" for seat in review.seats if seat.failure]
            line = f"{review.tool.name}: {'; '.join([review.tally.line, *failed])}"
            if self._bar is None:
                tell(line)
            else:
                with suppress(OSError):
                    self._bar.console.print(one_line(line), soft_wrap=True)
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, figures=self._figures())
        elif self._lines and time.monotonic() - self._last >= LINE_SECONDS:
            self._print_figures()

    def finished(self, event: Finished, reason: str | None) -> None:
        """Show that a run has ended."""
        more: dict[str, Any] = {} if event.failed is None else {"failed": dict(event.failed)}
        self._event("ended", state=event.state, done=self._done, tools=self._total, why=reason, **more)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show a bar on a terminal until the block ends; elsewhere, print a last line."""
        if self._quiet or not animated():
            yield
            if self._lines:
                self._print_figures()
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        with Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}", markup=False),
            console=Console(stderr=True, highlight=False, markup=False),
        ) as bar:
            self._bar = bar
            name = f"Run {self._run}"
            self._task = bar.add_task(name, total=self._total, completed=self._done, figures=self._figures())
            yield
        self._bar = None

    def _event(self, name: str, **values: Any) -> None:  # noqa: ANN401 - JSON values
        if not self._events or self._unread:
            return
        try:
            result(json.dumps({"event": name, "run": self._run, **values}, ensure_ascii=False))
        except (ReaderLeft, StorageError):
            self._unread = True
            raise

    def _print_figures(self) -> None:
        self._last = time.monotonic()
        tell(f"{self._done:,} of {self._total:,} tools · {self._figures()}")

    def _figures(self) -> str:
        minutes = (time.monotonic() - self._since) / 60
        rate = (self._done - self._before) / minutes if minutes else 0.0
        left = f"{_duration((self._total - self._done) / rate)} left" if rate else "time left unknown"
        cost = dollars(self._budget.paid) if self._budget else "cost unknown"
        return f"{counted(self._failed, 'seat')} failed · {cost} · {rate:,.0f} tools/min · {left}"


def _duration(minutes: float) -> str:
    """Return a time in its two largest units: `3 h 20 min`, `4 min 10 s`, `8 s`."""
    seconds = round(minutes * 60)
    hours, whole_minutes = divmod(seconds // 60, 60)
    if hours:
        return f"{hours} h {whole_minutes} min"
    return f"{whole_minutes} min {seconds % 60} s" if whole_minutes else f"{seconds} s"
