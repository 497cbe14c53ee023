"""How a batch goes: a bar on a terminal, plain lines elsewhere, events for programs."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from panel.cli.batch.words import seats_of
from panel.cli.console import result, tell
from panel.cli.progress import Silence
from panel.cli.signals import ReaderLeft
from panel.core.money import dollars
from panel.core.text import one_line
from panel.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress

    from panel.core.review import PanelReview
    from panel.providers.middleware.budget import Budget

LINE_SECONDS = 10.0
"""How often a line is printed off a terminal: a night's log stays readable."""


class BatchProgress(Silence):
    """Counts what a run has done, and tells it.

    Args:
        quiet: whether nothing is told on stderr.
        verbose: whether each tool gets a line.
        events: whether a JSON value for each event goes to stdout.
    """

    def __init__(self, *, quiet: bool, verbose: bool, events: bool) -> None:
        self._quiet = quiet
        self._verbose = verbose
        self._events = events
        self._unheard = False
        self._run = self._total = self._done = self._before = self._failed = 0
        self._budget: Budget | None = None
        self._since = self._last = 0.0
        self._bar: Progress | None = None

    def begin(self, run: int, total: int, done: int, budget: Budget | None, **more: Any) -> None:  # noqa: ANN401 - JSON values
        """Tell that work on a run begins.

        Args:
            run: the run.
            total: tools in it.
            done: those of them that are done already.
            budget: what is paid so far; None if prices are not known.
            more: what else the event says.
        """
        self._run, self._total, self._done, self._before = run, total, done, done
        self._budget = budget
        self._since = self._last = time.monotonic()
        self._event("begun", tools=total, done=done, **more)
        if not self._quiet and not self._events:
            tell(f"Run {run}: {done:,} of {total:,} tools done; to stop and go on later: Ctrl-C.")

    def reviewed(self, review: PanelReview, draft: int) -> None:
        """Tell that a tool's panel has ended."""
        self._done += 1
        self._failed += review.failed_seats
        self._event(
            "reviewed",
            tool=review.tool.slug,
            draft=draft,
            verdict=review.tally.line,
            failed={seat.persona: seat.failure.reason for seat in review.seats if seat.failure},
            done=self._done,
            tools=self._total,
            cost_usd=self._budget and round(self._budget.paid, 6),
        )
        self._tell_tool(review)
        self._advance()

    def end(self, state: str, **more: Any) -> None:  # noqa: ANN401 - JSON values
        """Tell how it ended."""
        self._event("ended", state=state, done=self._done, tools=self._total, **more)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show a bar on a terminal for as long as the run goes on."""
        if self._quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
            yield
            if not self._quiet and not self._events:
                self._line()
            return
        with _bar() as bar:
            self._bar = bar
            self._task = bar.add_task(f"Run {self._run}", total=self._total, completed=self._done, told="")
            self._advance()
            yield
        self._bar = None

    def _event(self, name: str, **values: Any) -> None:  # noqa: ANN401 - JSON values
        if not self._events or self._unheard:
            return
        try:
            result(json.dumps({"event": name, "run": self._run or None, **values}, ensure_ascii=False))
        except (ReaderLeft, StorageError):
            self._unheard = True
            raise

    def _tell_tool(self, review: PanelReview) -> None:
        failed = [f"{seat.name} {seat.failure.reason.label}" for seat in review.seats if seat.failure]
        if self._quiet or self._events or not (failed or self._verbose):
            return
        told = f"{review.tool.name}: {'; '.join([review.tally.line, *failed])}"
        if self._bar is None:
            tell(told)
        else:
            with suppress(OSError):
                self._bar.console.print(one_line(told), soft_wrap=True)

    def _advance(self) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done, told=self._told())
        elif not self._quiet and not self._events and time.monotonic() - self._last >= LINE_SECONDS:
            self._line()

    def _line(self) -> None:
        self._last = time.monotonic()
        tell(f"{self._done:,} of {self._total:,} tools · {self._told()}")

    def _told(self) -> str:
        minutes = (time.monotonic() - self._since) / 60
        rate = (self._done - self._before) / minutes if minutes else 0.0
        left = f"{_duration((self._total - self._done) / rate)} left" if rate else "time left unknown"
        cost = dollars(self._budget.paid) if self._budget else "cost unknown"
        return f"{seats_of(self._failed)} failed · {cost} · {rate:,.0f} tools/min · {left}"


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}", markup=False),
        console=Console(stderr=True, highlight=False, markup=False),
    )


def _duration(minutes: float) -> str:
    """Return a time in the two largest units: `3 h 20 min`, `4 min 10 s`, `8 s`."""
    seconds = round(minutes * 60)
    hours, minutes_ = divmod(seconds // 60, 60)
    if hours:
        return f"{hours} h {minutes_} min"
    return f"{minutes_} min {seconds % 60} s" if minutes_ else f"{seconds} s"
