"""Runs reviews for a command: notes and progress on stderr, signals, and the error that the command ends with."""

from __future__ import annotations

import asyncio
import gc
from contextlib import ExitStack, aclosing, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from panel.cli.console import tell
from panel.cli.progress import Progress, SeatProgress
from panel.cli.signals import Interrupts, ReaderLeft, SignalReceived
from panel.core.completion import Usage
from panel.errors import RunStopped, StorageError
from panel.orchestrator.run import Finished, Reviewed, RunService, Started
from panel.orchestrator.store_access import configured_store
from panel.providers.base import StopSignal
from panel.settings.resolve import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from panel.core.tool import Tool
    from panel.orchestrator.report_files import ReportFiles
    from panel.orchestrator.run import ReviewRun
    from panel.orchestrator.setup import PanelSetup, ResolvedModel

T = TypeVar("T")

INCOMPLETE = 3
RESUME = "run the same command again; what was answered is kept, and not paid for twice"
AGAIN = "what was answered is in the reports; run the same command again to ask the panels anew"
AGAIN_AT_ONCE = "run the same command again to ask the panels anew, without --no-store to keep every answer"
NOTHING = "nothing was answered; run the same command again"
AT_ONCE = "left at once; calls in flight may be billed all the same"


class Runner:
    """Runs the reviews of one command; setting `stop` ends the run early.

    `complete` is false once a seat has failed. A `resumable` run is a batch or a retry.
    """

    def __init__(self, *, quiet: bool, verbose: bool, stored: bool = True, resumable: bool = False) -> None:
        self.stop = StopSignal()
        self.complete = True
        self._quiet = quiet
        self._verbose = verbose
        self._stored = stored
        self._resumable = resumable
        self._interrupts = Interrupts()
        self._reader_left = self._answered = self._recorded = False
        self._run: int | None = None

    def review(
        self,
        panels: Sequence[tuple[PanelSetup, ReportFiles]],
        tools: Sequence[Tool],
        show: Callable[[Reviewed], None],
        *,
        kind: str = "review",
        fresh: bool = False,
    ) -> None:
        """Review tools with each of the panels; raises as `follow` does."""

        async def work() -> None:
            opened = configured_store(panels[0][0].resolved) if self._stored else nullcontext()
            async with opened as store:
                for setup, reports in panels:
                    progress = Progress() if self._quiet else SeatProgress(verbose=self._verbose)
                    service = RunService(store, progress, self.stop)
                    run = await service.review(setup, tools, kind=kind, fresh=fresh, reports=reports)
                    await self.follow(run, progress, show)

        self.run(work())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end; `SignalReceived` is raised if a signal stops it."""
        try:
            return asyncio.run(work)
        except KeyboardInterrupt:
            raise self._interrupted(self._advice()) from None
        except asyncio.CancelledError:
            raise self._interrupted(f"{AT_ONCE}; {self._advice(at_once=True)}") from None

    async def follow(self, run: ReviewRun, progress: Progress, show: Callable[[Reviewed], None]) -> Finished:
        """Show a run until it has ended, and return its last event.

        Raises:
            PanelError: the run was stopped before all was done; the message says how to continue.
            SignalReceived: by a signal.
            ReaderLeft: by a reader of stdout that left.
        """
        usage, drafts, tools = Usage.lost(0), list[int](), 0
        finished: Finished | None = None
        with ExitStack() as running:
            async with aclosing(run.events()) as events:
                async for event in events:
                    match event:
                        case Started():
                            tools = event.tools
                            self._introduce(event)
                            progress.started(event)
                            # What is loaded now stays to the end: the collector need not look at it again and again.
                            gc.freeze()
                            running.enter_context(self._interrupts.caught(self._finish_calls))
                            running.enter_context(progress.shown())
                        case Reviewed(review=review):
                            self.complete = self.complete and review.complete
                            self._answered = self._answered or review.answered
                            usage += review.usage
                            drafts += [event.draft] if event.draft is not None else []
                            if event.reports == () and not review.answered:
                                self.note(
                                    f"{review.tool.name}: no seat was answered, so no report was written; see the reasons above."
                                )
                            with progress.hidden():
                                self._show(event, show)
                        case Finished():
                            running.close()
                            finished = event
                            progress.finished(event, self.stop.reason)
        if finished is None:
            raise AssertionError("a run ends with an event")
        if not self._resumable:
            self._sum_up(finished, tools, usage, drafts)
        self._raise_if_stopped()
        return finished

    def note(self, message: str) -> None:
        """Print a note on stderr, unless the command is quiet."""
        if not self._quiet:
            tell(message)

    def _introduce(self, event: Started) -> None:
        """Note which models are asked and why."""
        setup, self._run = event.setup, event.run
        self._answered, self._recorded = False, setup.recording is not None
        for name in setup.unpriced if self._resumable else ():
            self.note(f"Note: the price of {name} is not known; what it costs is not counted.")
        self.note(f"Model: {_introduction(setup.model)}")
        for persona, model in setup.seat_models.items():
            self.note(f"Model of {persona}: {_introduction(model)}")
        if self._verbose:
            self.note(f"Panel: {', '.join(persona.name for persona in setup.personas)}; tools: {event.tools}")
            self.note(f"Prompts: {setup.model.prompts.digest}")
            for name, source in setup.resolved.sources.items():
                if source != DEFAULT:
                    self.note(f"Setting: {name} from {source}")

    def _sum_up(self, event: Finished, tools: int, usage: Usage, drafts: Sequence[int]) -> None:
        """Note consumption, drafts and reused answers."""
        from panel.report import usage_line

        if tools > 1:
            self.note(f"In all: {usage_line(usage)}")
        if len(drafts) == 1:
            self.note(f"Kept as draft {drafts[0]}: panel queue show {drafts[0]}")
        elif drafts:
            self.note(f"Kept as drafts {', '.join(map(str, drafts[:-1]))} and {drafts[-1]}: panel queue list")
        if event.reused:
            were = "answer was" if event.reused == 1 else "answers were"
            self.note(f"{event.reused} {were} in the store and cost nothing; --fresh asks again.")

    def _show(self, event: Reviewed, show: Callable[[Reviewed], None]) -> None:
        """Print a review; if nobody reads it, calls in flight are still kept and written."""
        if self._reader_left:
            return
        try:
            show(event)
            if event.reports and not self._resumable:
                self.note(f"Wrote {', '.join(map(str, event.reports))}")
        except ReaderLeft:
            self._reader_left = True
            self.stop.set("nobody reads the output")
        except StorageError as error:
            self._reader_left = True
            self.stop.fail(error)

    def _raise_if_stopped(self) -> None:
        stop = self.stop
        if stop.storage_error is not None:
            raise StorageError(f"{stop.storage_error}; {self._advice()}")
        if self._interrupts.number is not None:
            raise self._interrupted(self._advice())
        if self._reader_left:
            raise ReaderLeft
        if stop.reason is not None:
            raise RunStopped(f"stopped early: {stop.reason}; {self._advice()}")

    def _finish_calls(self) -> None:
        self.stop.set("interrupted")
        tell("Finishing the calls in flight; interrupt again to leave at once.")

    def _interrupted(self, message: str) -> SignalReceived:
        return SignalReceived(self._interrupts.number or 2, f"interrupted: {message}")

    def _advice(self, *, at_once: bool = False) -> str:
        """Return how to continue after a stop."""
        if self._resumable:
            again = "run the same command again"
            return again if self._run is None else f"to resume: panel batch resume {self._run}"
        if self._recorded or (self._stored and (self._answered or at_once)):
            return RESUME
        if at_once:
            return AGAIN_AT_ONCE
        return AGAIN if self._answered else NOTHING


def _introduction(model: ResolvedModel) -> str:
    """Return a model, its address and why it was chosen."""
    if model.connection.recorded:
        return f"{model.ref.model}, from the recording in {model.connection.folder}"
    at = f" at {model.connection.base_url}" if model.connection.base_url else ""
    return f"{model.choice}{at} ({model.choice.why})"
