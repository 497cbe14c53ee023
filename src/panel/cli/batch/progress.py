"""Progress of a batch: a bar on a terminal, plain lines elsewhere, events for programs."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from panel.cli.batch.render import seats_of
from panel.cli.console import result, tell
from panel.cli.progress import WAITING, Progress
from panel.cli.running import Runner
from panel.cli.signals import ReaderLeft
from panel.core.text import dollars, one_line
from panel.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.progress import Progress as Bar

    from panel.core.completion import Usage
    from panel.orchestrator.run import Finished, Reviewed, Started
    from panel.providers.middleware.budget import Budget

SHOWN_SKIPS = 20
LINE_SECONDS = 10.0
"""Seconds between lines off a terminal, so that a night's log stays readable."""


class BatchProgress(Progress):
    """Counts the tools of a run and shows its progress: a line for each tool if `verbose`; with `events`, JSON values on stdout."""

    def __init__(self, *, quiet: bool, verbose: bool, events: bool) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self._events = events
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
        if not self._quiet and not self._events:
            tell(
                f"Run {event.run}: {event.done:,} of {event.tools:,} tools done; Ctrl-C stops it, and it can be resumed."
            )

    def reviewed(self, event: Reviewed) -> None:
        """Show that a tool is reviewed."""
        review = event.review
        self._done += 1
        self._failed += review.failed_seats
        self._event(
            "reviewed",
            tool=review.tool.slug,
            draft=event.draft,
            verdict=review.tally.line,
            failed={seat.persona: seat.failure.reason for seat in review.seats if seat.failure},
            done=self._done,
            tools=self._total,
            cost_usd=self._budget and round(self._budget.paid, 6),
        )
        failed = [f"{seat.name} {seat.failure.reason.label}" for seat in review.seats if seat.failure]
        if (failed or self._verbose) and not self._quiet and not self._events:
            self._tool_line(f"{review.tool.name}: {'; '.join([review.tally.line, *failed])}")
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, figures=self._figures())
        elif not self._quiet and not self._events and time.monotonic() - self._last >= LINE_SECONDS:
            self._line()

    def ended(self, state: str, **more: Any) -> None:  # noqa: ANN401 - JSON values
        """Show that a run has ended."""
        self._event("ended", state=state, done=self._done, tools=self._total, **more)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show a bar on a terminal until the block ends; elsewhere, print a last line."""
        if self._quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
            yield
            if not self._quiet and not self._events:
                self._line()
            return
        with _bar() as bar:
            self._bar = bar
            self._task = bar.add_task(
                f"Run {self._run}", total=self._total, completed=self._done, figures=self._figures()
            )
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

    def _tool_line(self, text: str) -> None:
        if self._bar is None:
            tell(text)
        else:
            with suppress(OSError):
                self._bar.console.print(one_line(text), soft_wrap=True)

    def _line(self) -> None:
        self._last = time.monotonic()
        tell(f"{self._done:,} of {self._total:,} tools · {self._figures()}")

    def _figures(self) -> str:
        minutes = (time.monotonic() - self._since) / 60
        rate = (self._done - self._before) / minutes if minutes else 0.0
        left = f"{_duration((self._total - self._done) / rate)} left" if rate else "time left unknown"
        cost = dollars(self._budget.paid) if self._budget else "cost unknown"
        return f"{seats_of(self._failed)} failed · {cost} · {rate:,.0f} tools/min · {left}"


class BatchRunner(Runner):
    """Runs a batch, which is resumed by its number."""

    def __init__(self, progress: BatchProgress, *, quiet: bool, verbose: bool) -> None:
        super().__init__(quiet=quiet, verbose=verbose)
        self._progress = progress
        self._run: int | None = None

    def started(self, event: Started) -> None:
        """Show that a run begins."""
        self._run = event.run
        for model in event.setup.unpriced:
            self.note(f"Note: the price of {model} is not known; what it costs is not counted.")
        super().started(event)
        self._progress.started(event)

    def finished(self, event: Finished) -> None:
        """Show that a run has ended."""
        failed = event.failed
        more = {} if failed is None else {"failed": {why.value: seats for why, seats in failed.items()}}
        self._progress.ended(event.state, why=self.stop.reason, **more)

    def sum_up(self, event: Finished, tools: int, usage: Usage, drafts: Sequence[int]) -> None:
        """Print nothing: the status of the run holds all figures."""

    def advice(self, *, at_once: bool = False) -> str:  # noqa: ARG002 - the same either way
        """Return how to continue after a stop."""
        again = "run the same command again"
        return again if self._run is None else f"to resume: panel batch resume {self._run}"


def _bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    return Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
        console=Console(stderr=True, highlight=False, markup=False),
    )


def _duration(minutes: float) -> str:
    """Return a time in its two largest units: `3 h 20 min`, `4 min 10 s`, `8 s`."""
    seconds = round(minutes * 60)
    hours, minutes_ = divmod(seconds // 60, 60)
    if hours:
        return f"{hours} h {minutes_} min"
    return f"{minutes_} min {seconds % 60} s" if minutes_ else f"{seconds} s"
