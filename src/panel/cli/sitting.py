"""Running a panel over tools for a command: progress, drafts, report files, interruption, exit code."""

from __future__ import annotations

import asyncio
import gc
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panel.cli.console import tell
from panel.cli.forecast import cache_plan
from panel.cli.ledger import StoredRun, Unstored, leased
from panel.cli.output import Outputs
from panel.cli.progress import progress
from panel.cli.signals import Interrupts, ReaderLeft, SignalReceived
from panel.core.completion import Usage
from panel.errors import RunStopped, SettingsError, StorageError
from panel.orchestrator.run_settings import settings_of
from panel.orchestrator.seating import Terms, seated
from panel.orchestrator.setup import available_personas, build_setup, report_context, review_checks
from panel.orchestrator.stores import configured_store
from panel.providers.base import StopSignal
from panel.settings.resolve import DEFAULT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from panel.cli.ledger import Ledger
    from panel.cli.progress import Silence
    from panel.core.edits import EditMark
    from panel.core.review import PanelReview
    from panel.core.tool import Tool
    from panel.orchestrator.models import ResolvedModel
    from panel.orchestrator.setup import PanelSetup
    from panel.report import Editorial
    from panel.settings.resolve import Resolved

    Each = Callable[[PanelReview, int | None, list[Path]], None]

INCOMPLETE = 3
RESUME = "run the same command again; what was answered is kept, and not paid for twice"
AGAIN = "what was answered is in the reports; run the same command again to ask the panels anew"
AGAIN_AT_ONCE = "run the same command again to ask the panels anew, without --no-store to keep every answer"
NOTHING = "nothing was answered; run the same command again"


@dataclass(frozen=True, slots=True)
class Voice:
    """How much is said on stderr."""

    quiet: bool
    verbose: bool

    def note(self, message: str) -> None:
        """Say something that is good to know."""
        if not self.quiet:
            tell(message)

    def wrote(self, paths: Sequence[Path]) -> None:
        """Name the files that were written, if any were."""
        if paths:
            self.note(f"Wrote {', '.join(map(str, paths))}")


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept of a sitting in the store.

    Attributes:
        kind: what its run is called there; None to keep nothing.
        fresh: whether answers that are there are asked for anew.
        dry: whether nobody is asked, and nothing at all is written.
    """

    kind: str | None
    fresh: bool = False
    dry: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """Tools for a panel to work through.

    Attributes:
        first: one of them, to try the prompts with; None if there are none.
        count: how many there are.
        ledger: opens where they come from and where their reviews go.
        observer: is told how it goes.
        reports: whether report files are written.
        whole: whether reviews are handed on only if all of their seats were asked.
        advice: says how to go on after a stop; `Sitting` has its own.
    """

    first: Tool | None
    count: int
    ledger: Callable[[StopSignal], AbstractAsyncContextManager[Ledger]]
    observer: Silence
    reports: bool = True
    whole: bool = False
    advice: Callable[[], str] | None = None


class Sitting:
    """One run of a panel.

    Args:
        resolved: the settings.
        voice: how much is said.
        keeping: what is kept of it in the store.
        ending: what report files carry after the tool's slug, to tell the models of one run apart.

    Attributes:
        resolved: the settings, and where each comes from.
        settings: what was set.
        outputs: where reports go.
        context: what reports say beside the reviews.
        complete: whether no seat has failed so far.
    """

    def __init__(self, resolved: Resolved, voice: Voice, keeping: Keeping, ending: str = "") -> None:
        if keeping.fresh and resolved.settings.record is not None:
            raise SettingsError(
                "--fresh and a recording exclude each other: record anew in another folder, without --fresh"
            )
        self.settings = resolved.settings
        self.resolved = resolved
        self._voice = voice
        self._keeping = keeping
        self._halt = StopSignal()
        self._interrupts = Interrupts()
        self._ending = ending
        self._cast: PanelSetup | None = None
        self._critics = available_personas(resolved)
        self._checks = review_checks(self._critics)
        self.context = report_context(self._critics.values())
        self.outputs = Outputs(resolved.settings.out, resolved.settings.format)
        self.complete = True
        self._usage = Usage.lost(0)
        self._reused = 0
        self._drafts: list[int] = []
        self._written = False
        self._reader_left = False

    def prepare(self, first: Tool | None) -> PanelSetup:
        """Check all that the run needs, before anything is asked or written.

        Raises:
            PanelError: something is missing, or cannot be used.
        """
        if self._cast is None:
            self._cast = build_setup(self.resolved, self._critics, throwaway=self._keeping.dry)
            if first is not None:
                _rehearse(self._cast, first)
        return self._cast

    def review(self, tools: Sequence[Tool], each: Each) -> None:
        """Review the tools; write each review's reports and hand both on as soon as it is complete.

        Raises:
            RunStopped: the provider went down for good; what was answered has been written.
            SignalReceived: the user interrupted; likewise.
        """
        observer = progress(quiet=self._voice.quiet, verbose=self._voice.verbose)
        first = tools[0] if tools else None
        self.work(Job(first, len(tools), lambda _halt: self._ledger(tools), observer), each)

    def work(self, job: Job, each: Each) -> None:
        """Work through a job; see `review`."""
        cast_ = self.prepare(job.first)
        self._introduce(cast_, job.count)
        try:
            asyncio.run(self._sit(cast_, job, each))
        except KeyboardInterrupt:
            raise self._interrupted(self._advice(cast_, job)) from None
        except asyncio.CancelledError:
            kept = "left at once; what was not answered yet may be billed all the same"
            raise self._interrupted(f"{kept}; {self._advice(cast_, job, at_once=True)}") from None
        finally:
            if cast_.record:
                cast_.record[0].close()
        self._sum_up(job)
        self._end(self._advice(cast_, job))

    def _end(self, advice: str) -> None:
        """Leave in the way of what stopped the run, if anything did."""
        if self._halt.storage_error is not None:
            raise StorageError(f"{self._halt.storage_error}; {advice}")
        if self._interrupts.number is not None:
            raise self._interrupted(advice)
        if self._reader_left:
            raise ReaderLeft
        if self._halt.reason is not None:
            raise RunStopped(f"stopped early: {self._halt.reason}; {advice}")

    def _advice(self, cast_: PanelSetup, job: Job, *, at_once: bool = False) -> str:
        if job.advice is not None:
            return job.advice()
        if cast_.record or (self._keeping.kind and self._written):
            return RESUME
        if at_once:
            return RESUME if self._keeping.kind else AGAIN_AT_ONCE
        return AGAIN if self._written else NOTHING

    @asynccontextmanager
    async def _ledger(self, tools: Sequence[Tool]) -> AsyncIterator[Ledger]:
        if self._keeping.kind is None:
            yield Unstored(tools)
            return
        from panel.store import RunState

        async with configured_store(self.resolved) as store:
            settings = settings_of(self.resolved, self.prepare(None))
            run = await store.runs.create(self._keeping.kind, settings)
            await store.runs.add_tools(run, tools)
            ledger = StoredRun(store, run, fresh=self._keeping.fresh, note=self._voice.note)
            async with leased(store, run, self._halt, heed=False):
                yield ledger
            self._reused = ledger.reused
            if self._halt.storage_error is None:
                await store.runs.set_state(run, RunState.STOPPED if self._halt.reason else RunState.DONE)

    async def _sit(self, cast_: PanelSetup, job: Job, each: Each) -> None:
        warm = job.first is not None and cache_plan(cast_, self.settings, job.first, job.count).warm
        async with job.ledger(self._halt) as ledger:
            terms = Terms(self._halt, ledger.journal, ledger.budget, warm=warm)
            async with seated(self.resolved, cast_, job.observer, terms, ledger.settled) as panel:
                if job.reports:
                    self.outputs.prepare()
                self._begin_recording(cast_)
                # What is loaded now stays to the end: the collector need not look at it again and again.
                gc.freeze()
                with job.observer.shown(), self._interrupts.caught(self._finish_what_is_in_flight):
                    async for review in panel.reviews(ledger.todo()):
                        self.complete = self.complete and review.complete
                        self._usage += review.usage
                        draft = await self._keep(job, ledger, review)
                        if draft is None and job.whole:
                            continue
                        with job.observer.hidden():
                            paths = self._report(review) if job.reports else []
                            self._show(review, draft, paths, each)
                        if job.reports and job.whole and self._halt.storage_error is None:
                            await self._reported(ledger, review)
                        ledger.leave(review)

    async def _keep(self, job: Job, ledger: Ledger, review: PanelReview) -> int | None:
        """Keep a review as a draft, unless the run was stopped before all of its seats were asked."""
        if self._halt.reason is not None and not review.complete:
            return None
        try:
            draft = await ledger.keep(review, self._checks)
        except StorageError as error:
            self._halt.fail(error)
            return None
        self._drafts += [draft] if draft is not None and job.advice is None else []
        return draft

    async def _reported(self, ledger: Ledger, review: PanelReview) -> None:
        try:
            await ledger.reported(review)
        except StorageError as error:
            self._halt.fail(error)

    @staticmethod
    def _begin_recording(cast_: PanelSetup) -> None:
        if cast_.record is None:
            return
        recording, manifest = cast_.record
        try:
            recording.open(manifest)
        except OSError as error:
            raise StorageError(
                f"{error.filename}: {error.strerror}; choose another folder with --record"
            ) from error

    def _report(self, review: PanelReview) -> list[Path]:
        """Write a review's reports, and return their paths."""
        try:
            paths = self.write(review)
        except (StorageError, OSError) as error:
            # What was paid for is still shown, and what is in flight still arrives.
            self._halt.fail(error if isinstance(error, StorageError) else unwritten(error))
            return []
        if not paths:
            self._voice.note(
                f"{review.tool.name}: no seat was answered, so no report was written; see the reasons above."
            )
        return paths

    def _show(self, review: PanelReview, draft: int | None, paths: list[Path], each: Each) -> None:
        """Hand a review on; when nobody reads on, what is in flight is still kept and written."""
        self._written = self._written or review.answered
        if self._reader_left:
            return
        try:
            each(review, draft, paths)
        except ReaderLeft:
            self._reader_left = True
            self._halt.set("nobody reads the output")
        except StorageError as error:
            # Nothing more can be said there, but what is in flight is paid for.
            self._reader_left = True
            self._halt.fail(error)

    def write(self, review: PanelReview) -> list[Path]:
        """Write a review's reports; one without a single answer is not worth displacing an earlier one."""
        from panel.report import review_reports

        if not review.answered:
            return []
        slug = review.tool.slug + self._ending
        return self.outputs.write_review(slug, review_reports(review, self.context, self.known_of(review)))

    def known_of(self, review: PanelReview, edits: tuple[EditMark, ...] = ()) -> Editorial:
        """Return what reports tell of a draft beside the review: what checks find in it, and what was edited in it."""
        from panel.report import Editorial

        return Editorial(findings=self._checks(review), marks=edits)

    def _sum_up(self, job: Job) -> None:
        from panel.report import usage_line

        if job.count > 1 and job.advice is None:
            self._voice.note(f"In all: {usage_line(self._usage)}")
        if self._drafts:
            self._voice.note(_kept_as(self._drafts))
        if self._reused:
            were = "answer was" if self._reused == 1 else "answers were"
            self._voice.note(
                f"{self._reused} {were} kept from earlier and cost nothing now; --fresh asks anew."
            )

    def _finish_what_is_in_flight(self) -> None:
        self._halt.set("interrupted")
        tell("Finishing the calls in flight; interrupt again to leave at once.")

    def _interrupted(self, message: str) -> SignalReceived:
        return SignalReceived(self._interrupts.number or 2, f"interrupted: {message}")

    def _introduce(self, cast_: PanelSetup, tools: int) -> None:
        names = ", ".join(persona.name for persona in cast_.personas)
        self._voice.note(f"Model: {_introduction(cast_.means)}")
        for persona, means in cast_.seat_models.items():
            self._voice.note(f"Model of {persona}: {_introduction(means)}")
        if self._voice.verbose:
            self._voice.note(f"Panel: {names}; tools: {tools}")
            self._voice.note(f"Prompts: {cast_.prompts.digest}")
            for name, source in self.resolved.sources.items():
                if source != DEFAULT:
                    self._voice.note(f"Setting: {name} from {source}")


def unwritten(error: OSError) -> StorageError:
    """Return the line about a report that could not be made."""
    return StorageError(f"{error.filename or 'a report'}: {error.strerror or error}")


def _kept_as(drafts: Sequence[int]) -> str:
    if len(drafts) == 1:
        return f"Kept as draft {drafts[0]}: panel queue show {drafts[0]}"
    *others, last = drafts
    return f"Kept as drafts {', '.join(map(str, others))} and {last}: panel queue list"


def _introduction(means: ResolvedModel) -> str:
    """Return which model is asked, where and why."""
    if means.connection.recorded:
        return f"{means.asked.model}, from the recording in {means.connection.folder}"
    at = f" at {means.connection.base_url}" if means.connection.base_url else ""
    return f"{means.choice}{at} ({means.choice.why})"


def _rehearse(cast_: PanelSetup, tool: Tool) -> None:
    """Make each kind of question once, so that a template or a persona that is at fault is told before any call."""
    for persona in cast_.personas:
        prompts = cast_.seat_models.get(persona.id, cast_.means).prompts
        prompts.take(tool, persona)
        prompts.reask(tool, persona, reply="{}", problems=["reply: rehearsal"])
