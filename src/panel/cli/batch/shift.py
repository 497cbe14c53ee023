"""One process at work on a run: holding it, working through what is left of it, and saying how it ended."""

from __future__ import annotations

import math
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panel.cli.batch.progress import BatchProgress
from panel.cli.batch.runs import standing_of
from panel.cli.console import plain_result, width
from panel.cli.ledger import StoredRun, leased
from panel.cli.output import REVIEWS
from panel.cli.sitting import INCOMPLETE, Job, Keeping, Sitting
from panel.errors import SettingsError
from panel.orchestrator.stores import configured_store
from panel.providers.middleware.budget import Budget

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from panel.cli.sitting import Voice
    from panel.core.review import PanelReview
    from panel.core.tool import Tool
    from panel.orchestrator.setup import PanelSetup
    from panel.providers.base import StopSignal
    from panel.settings.resolve import Resolved
    from panel.store import Store

    Opener = Callable[["Shift", Store], Awaitable["Assignment | None"]]


NOTHING = Keeping(None)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A run to work on.

    Attributes:
        run: its number.
        ledger: makes its ledger, given what may be paid.
        also: other runs that nobody else may work on at the same time.
    """

    run: int
    ledger: Callable[[Budget], StoredRun]
    also: tuple[int, ...] = ()


class Shift:
    """One process's work on a run.

    Args:
        resolved: the settings.
        voice: how much is said on stderr.
        events: whether events go to stdout, for programs.
        reports: whether report files are written.
        keeping: whether answers are asked for anew, or nobody is asked; its run is the shift's own.

    Attributes:
        run: the run, once it is known.
        sitting: the panel.
    """

    def __init__(
        self, resolved: Resolved, voice: Voice, *, events: bool, reports: bool, keeping: Keeping = NOTHING
    ) -> None:
        self.resolved = resolved
        self.voice = voice
        self.run: int | None = None
        self.sitting = Sitting(resolved, voice, keeping)
        self._events = events
        self._reports = reports
        self._progress = BatchProgress(quiet=voice.quiet, verbose=voice.verbose, events=events)
        self._failed = 0
        self._priced = True

    def prepare(self, first: Tool | None, *, allow_unknown_price: bool) -> PanelSetup:
        """Check all that the run needs, before anything is asked or kept.

        Raises:
            PanelError: something is missing or cannot be used, or there is a budget and a price is unknown.
        """
        from panel.orchestrator.models import rates_of

        cast = self.sitting.prepare(first)
        for means in {id(one): one for one in (cast.means, *cast.seat_models.values())}.values():
            rates = rates_of(means)
            if rates is not None and rates.input is not None and rates.output is not None:
                continue
            unknown = f"the price of {means.asked.model} is not known"
            if self._budget is not None and not allow_unknown_price:
                raise SettingsError(
                    f"{unknown}, so that no budget can be kept; go without --budget, or with --allow-unknown-price"
                )
            self._priced = False
            self.voice.note(f"Note: {unknown}; what it costs is not counted.")
        return cast

    def work(self, first: Tool | None, count: int, opener: Opener) -> int:
        """Work through a run and return the exit code.

        Args:
            first: one of its tools, or None if there are none at hand.
            count: how many there are.
            opener: finds or makes the run, once the store is open; None if there is nothing to do.

        Raises:
            PanelError: it could not be begun, or was stopped before it was done.
        """
        job = Job(
            first,
            count,
            lambda halt: self._ledger(halt, opener),
            self._progress,
            reports=self._reports,
            whole=True,
            advice=self._advice,
        )
        if self._reports:
            self.sitting.outputs.prepare()  # before there is a run that could not be gone on with
        try:
            self.sitting.work(job, self._reviewed)
        except NothingToDo:
            self._progress.end("nothing to do")
            return 0
        return INCOMPLETE if self._failed else 0

    @property
    def _budget(self) -> float | None:
        return self.resolved.settings.budget

    def _advice(self) -> str:
        return (
            "run the same command again" if self.run is None else f"go on with: panel batch resume {self.run}"
        )

    def _reviewed(self, review: PanelReview, draft: int | None, _paths: list[Path]) -> None:
        if draft is not None:
            self._progress.reviewed(review, draft)

    @asynccontextmanager
    async def _ledger(self, halt: StopSignal, opener: Opener) -> AsyncIterator[StoredRun]:
        async with configured_store(self.resolved) as store:
            assignment = await opener(self, store)
            if assignment is None:
                raise NothingToDo
            run = assignment.run
            async with AsyncExitStack() as leases:
                for other in assignment.also:
                    await leases.enter_async_context(leased(store, other, halt, heed=False))
                await leases.enter_async_context(leased(store, run, halt))
                self.run = run  # from here on it can be resumed
                spent = await store.run_stats.spent(run)
                budget = Budget(math.inf if self._budget is None else self._budget, spent.most_usd)
                await self._begin(store, run, budget)
                yield assignment.ledger(budget)
                await self._finish(store, run, halt)
            if halt.reason is None and not self._events:
                await self._show(store, run)

    async def _begin(self, store: Store, run: int, budget: Budget) -> None:
        await self._keep_budget(store, run)
        progress = await store.run_stats.progress(run)
        if self._reports:
            await self._write_missing(store, run)
        total = progress.todo + progress.done
        model = str(self.sitting.prepare(None).choice)
        self._progress.begin(run, total, progress.done, budget if self._priced else None, model=model)

    async def _keep_budget(self, store: Store, run: int) -> None:
        """Keep the budget in force with the run, for its status and for the next time it is resumed."""
        kept = (await store.runs.get(run)).settings
        if kept.get("budget_usd") != self._budget:
            settings = {**kept["settings"], "budget": self._budget}
            await store.runs.set_settings(run, {**kept, "budget_usd": self._budget, "settings": settings})

    async def _write_missing(self, store: Store, run: int) -> None:
        """Write the reports of drafts whose process ended before it could, and those that are gone."""
        outputs, after = self.sitting.outputs, 0
        outputs.prepare()
        while page := await store.runs.drafted_tools(run, after=after):
            for tool in page:
                if not (tool.reported and outputs.has(REVIEWS, tool.slug)):
                    self.sitting.write((await store.drafts.get(tool.draft)).review)
                    await store.runs.mark_reported(run, tool.version)
            after = page[-1].position

    async def _finish(self, store: Store, run: int, halt: StopSignal) -> None:
        """Mark a run done if it is, and say how it ended."""
        from panel.store import RunState

        if halt.storage_error is not None:
            self._progress.end("stopped", why=str(halt.storage_error))
            return
        progress = await store.run_stats.progress(run)
        if not progress.todo and (await store.runs.get(run)).state is not RunState.DONE:
            await store.runs.set_state(run, RunState.DONE)
        counts = (await standing_of(store, run)).failures
        self._failed = sum(counts.values())
        self._progress.end(
            "stopped" if progress.todo else "done",
            why=halt.reason,
            failed={reason.value: seats for reason, seats in counts.items()},
        )

    async def _show(self, store: Store, run: int) -> None:
        """Print how a run that is done stands."""
        from panel.cli.batch.words import standing_lines

        plain_result("\n".join(standing_lines(await standing_of(store, run), width())))


class NothingToDo(Exception):
    """Everything that was given is drafted already; that was told."""
