"""Running a panel over tools for a command: progress, report files, interruption, exit code."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panel.cli.compose import cast, critics, report_context
from panel.cli.console import tell
from panel.cli.exits import ReaderLeft, SignalReceived
from panel.cli.forecast import cache_plan
from panel.cli.interrupts import Interrupts
from panel.cli.output import Outputs
from panel.cli.progress import progress
from panel.cli.seating import seated
from panel.domain.completion import Usage
from panel.errors import RunStopped, StorageError
from panel.providers.base import Halt
from panel.settings.resolve import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from panel.cli.compose import Cast
    from panel.cli.means import Means
    from panel.domain.review import PanelReview
    from panel.domain.tool import Tool
    from panel.settings.resolve import Resolved

INCOMPLETE = 3
AGAIN = "what was answered is in the reports; run the same command again to ask the panels anew"
RESUME = "run the same command again; answers that were recorded are not paid for twice"
AGAIN_AT_ONCE = "run the same command again to ask the panels anew, with --record to keep every answer"
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


class Sitting:
    """One run of a panel.

    Args:
        resolved: the settings.
        voice: how much is said.
        ending: what report files carry after the tool's slug, to tell the models of one run apart.

    Attributes:
        settings: what was set.
        outputs: where reports go.
        context: what reports say beside the reviews.
        complete: whether no seat has failed so far.
    """

    def __init__(self, resolved: Resolved, voice: Voice, ending: str = "") -> None:
        self.settings = resolved.settings
        self._resolved = resolved
        self._voice = voice
        self._halt = Halt()
        self._interrupts = Interrupts()
        self._ending = ending
        self._cast: Cast | None = None
        self._critics = critics(resolved)
        self.context = report_context(self._critics.values())
        self.outputs = Outputs(resolved.settings.out, resolved.settings.format)
        self.complete = True
        self._usage = Usage.lost(0)
        self._written = False
        self._unwritten: StorageError | None = None
        self._reader_left = False

    def prepare(self, tools: Sequence[Tool]) -> Cast:
        """Check all that the run needs, before anything is asked or written.

        Raises:
            PanelError: something is missing, or cannot be used.
        """
        if self._cast is None:
            self._cast = cast(self._resolved, self._critics)
            _rehearse(self._cast, tools)
        return self._cast

    def review(self, tools: Sequence[Tool], each: Callable[[PanelReview, list[Path]], None]) -> None:
        """Review the tools; write each review's reports and hand both on as soon as it is complete.

        Raises:
            RunStopped: the provider went down for good; what was answered has been written.
            SignalReceived: the user interrupted; likewise.
        """
        cast_ = self.prepare(tools)
        self._introduce(cast_, len(tools))
        try:
            asyncio.run(self._sit(cast_, tools, each))
        except asyncio.CancelledError:
            left = "left at once; answers of panels that were not complete are lost"
            raise self._interrupted(f"{left}; {RESUME if cast_.record else AGAIN_AT_ONCE}") from None
        finally:
            if cast_.record:
                cast_.record[0].close()
        self._sum_up(tools)
        if self._unwritten is not None:
            raise self._unwritten
        advice = RESUME if cast_.record else AGAIN if self._written else NOTHING
        if self._interrupts.number is not None:
            raise self._interrupted(advice)
        if self._reader_left:
            raise ReaderLeft
        if self._halt.reason is not None:
            raise RunStopped(f"stopped early: {self._halt.reason}; {advice}")

    async def _sit(
        self, cast_: Cast, tools: Sequence[Tool], each: Callable[[PanelReview, list[Path]], None]
    ) -> None:
        observer = progress(quiet=self._voice.quiet, verbose=self._voice.verbose)
        warm = bool(tools) and cache_plan(cast_, self.settings, tools).warm
        async with seated(self._resolved, cast_, observer, self._halt, warm=warm) as panel:
            self.outputs.prepare()
            self._begin_recording(cast_)
            # What is loaded now stays to the end: the collector need not look at it again and again.
            gc.freeze()
            with observer.shown(), self._interrupts.caught(self._finish_what_is_in_flight):
                async for review in panel.reviews(tools):
                    self.complete = self.complete and review.complete
                    self._usage += review.usage
                    with observer.hidden():
                        self._hand_on(review, each)

    @staticmethod
    def _begin_recording(cast_: Cast) -> None:
        if cast_.record is None:
            return
        recording, manifest = cast_.record
        try:
            recording.begin(manifest)
        except OSError as error:
            raise StorageError(
                f"{error.filename}: {error.strerror}; choose another folder with --record"
            ) from error

    def _hand_on(self, review: PanelReview, each: Callable[[PanelReview, list[Path]], None]) -> None:
        """Write a review and show it; when nobody reads on, what is in flight is still written."""
        try:
            paths = self._write(review)
        except StorageError as error:
            # What was paid for is still shown, and what is in flight still arrives.
            self._unwritten = self._unwritten or error
            self._halt.set(str(error))
            paths = []
        self._written = self._written or bool(paths)
        if not paths and self._unwritten is None:
            self._voice.note(
                f"{review.tool.name}: no seat was answered, so no report was written; see the reasons above."
            )
        if self._reader_left:
            return
        try:
            each(review, paths)
        except ReaderLeft:
            self._reader_left = True
            self._halt.set("nobody reads the output")

    def _write(self, review: PanelReview) -> list[Path]:
        """Write a review's reports; one without a single answer is not worth displacing an earlier one."""
        from panel.report import review_reports

        if not review.answered:
            return []
        slug = review.tool.slug + self._ending
        return self.outputs.write_review(slug, review_reports(review, self.context))

    def _sum_up(self, tools: Sequence[Tool]) -> None:
        from panel.report import usage_line

        if len(tools) > 1:
            self._voice.note(f"In all: {usage_line(self._usage)}")

    def _finish_what_is_in_flight(self) -> None:
        self._halt.set("interrupted")
        tell("Finishing the calls in flight; interrupt again to leave at once.")

    def _interrupted(self, message: str) -> SignalReceived:
        return SignalReceived(self._interrupts.number or 2, f"interrupted: {message}")

    def _introduce(self, cast_: Cast, tools: int) -> None:
        names = ", ".join(persona.name for persona in cast_.personas)
        self._voice.note(f"Model: {_introduction(cast_.means)}")
        for persona, means in cast_.exceptions.items():
            self._voice.note(f"Model of {persona}: {_introduction(means)}")
        if self._voice.verbose:
            self._voice.note(f"Panel: {names}; tools: {tools}")
            self._voice.note(f"Prompts: {cast_.prompts.digest}")
            for name, source in self._resolved.sources.items():
                if source != DEFAULT:
                    self._voice.note(f"Setting: {name} from {source}")


def _introduction(means: Means) -> str:
    """Return which model is asked, where and why."""
    if means.connection.recorded:
        return f"{means.asked.model}, from the recording in {means.connection.folder}"
    at = f" at {means.connection.base_url}" if means.connection.base_url else ""
    return f"{means.choice}{at} ({means.choice.why})"


def _rehearse(cast_: Cast, tools: Sequence[Tool]) -> None:
    """Make each kind of question once, so that a template or a persona that is at fault is told before any call."""
    for persona in cast_.personas:
        prompts = cast_.exceptions.get(persona.id, cast_.means).prompts
        for tool in tools[:1]:
            prompts.take(tool, persona)
            prompts.reask(tool, persona, reply="{}", problems=["reply: rehearsal"])
