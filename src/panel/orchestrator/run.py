"""Runs: the one service by which tools are reviewed. New, resumed, retried or rerun; with a store or without.

Every method takes plain values and, but for `rerun`, yields events: `ToolSkipped`..., `Started`, `Reviewed`..., `Finished`. A caller
reads them to the end inside `contextlib.aclosing`, and sets `RunService.stop` to end a run early: calls in flight finish, and
`Finished` tells the reason. Cancelling the task that reads them leaves at once; a stored run can then be resumed.
"""

from __future__ import annotations

import math
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from panel.core.draft_state import Action
from panel.errors import GateError, RunStopped, SettingsError, StorageError
from panel.orchestrator.estimate import plan_for
from panel.orchestrator.report_files import ReportFiles
from panel.orchestrator.run_storage import (
    BATCH,
    RERUN,
    RESUMABLE,
    RETRY,
    RunStorage,
    StoredRerun,
    StoredRetry,
    StoredRun,
    hold_run,
)
from panel.orchestrator.seat import Observer
from panel.orchestrator.session import open_session
from panel.orchestrator.setup import build_setup
from panel.providers.base import StopSignal
from panel.providers.middleware.budget import Budget
from panel.settings.model import Settings
from panel.settings.resolve import Resolved, resolve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from panel.checks import Finding
    from panel.core.review import PanelReview
    from panel.core.take import NoTakeReason, Seat
    from panel.core.tool import Tool
    from panel.orchestrator.setup import PanelSetup
    from panel.store import DraftRecord, DraftSummary, RunSummary, Store

PAGE = 200
RETIRED_SETTINGS = {"hedge", "logprobs"}
"""Settings of earlier versions, which stored runs may hold."""


@dataclass(frozen=True, slots=True)
class ToolSkipped:
    """A tool is left out because it is drafted already, or known under another name.

    Attributes:
        tool: the tool.
        draft: its draft, by the same panel from the same listing.
        known_as: the name under which a similar tool is known.
    """

    tool: Tool
    draft: DraftSummary | None = None
    known_as: str | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """A run begins to ask.

    Attributes:
        setup: the panel.
        run: the run's number; None if it is not stored.
        tools: tools of the run.
        done: those of them that were finished before.
        budget: the budget, with the cost so far; None where there is none to count against, or a price is unknown.
    """

    setup: PanelSetup
    run: int | None
    tools: int
    done: int = 0
    budget: Budget | None = None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A tool is reviewed.

    Attributes:
        review: the review.
        findings: what the checks found in it.
        draft: the number of its draft; None if it was not kept.
        reports: the report files that were written; None if none are wanted.
    """

    review: PanelReview
    findings: tuple[Finding, ...]
    draft: int | None = None
    reports: tuple[Path, ...] | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event of a run. If it ended early, `stop` of the service has the reason.

    Attributes:
        run: the run's number; None if it is not stored.
        state: how it ended; `nothing to do` if no run was made.
        failed: failed seats in all drafts of a batch, by reason; None for reviews, and where the store could not be read.
        reused: answers that were in the store already.
    """

    run: int | None
    state: Literal["done", "stopped", "nothing to do"]
    failed: Mapping[NoTakeReason, int] | None = None
    reused: int = 0


RunEvent = ToolSkipped | Started | Reviewed | Finished


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """Options of a batch, stored with its run.

    Attributes:
        sources: files and addresses of the tools, for people to read.
        fresh: whether earlier answers and drafts are ignored.
        similar: whether tools are reviewed that share only the address or the text with a known one.
        reports: whether report files are written.
        allow_unknown_price: whether a budget is kept although the price of a model is unknown.
    """

    sources: Sequence[str] = ()
    fresh: bool = False
    similar: bool = False
    reports: bool = False
    allow_unknown_price: bool = False

    @property
    def stored(self) -> dict[str, Any]:
        """The options as JSON values."""
        return {name: getattr(self, name) for name in self.__slots__} | {"sources": list(self.sources)}


@dataclass(frozen=True, slots=True)
class RunService:
    """Reviews tools.

    Attributes:
        store: an open store; None to keep nothing, which only `review` allows.
        observer: is told how seats go.
        stop: set it to end a run early. A service whose stop is set starts no calls any more.
    """

    store: Store | None = None
    observer: Observer = field(default_factory=Observer)
    stop: StopSignal = field(default_factory=StopSignal)

    async def review(
        self,
        setup: PanelSetup,
        tools: Sequence[Tool],
        *,
        kind: str = "review",
        fresh: bool = False,
        reports: ReportFiles | None = None,
    ) -> AsyncGenerator[RunEvent]:
        """Review tools in a run of their own.

        Args:
            setup: the panel.
            tools: the tools.
            kind: the run's kind in the store.
            fresh: whether earlier answers and drafts are ignored.
            reports: where report files are written; None to write none.

        Raises:
            PanelError: the run could not begin.
        """
        if reports is not None:
            reports.prepare()
        run, storage = None, RunStorage(tools)
        async with AsyncExitStack() as lease:
            if self.store is not None:
                run = await self.store.runs.create(kind, setup.stored_settings())
                await self.store.runs.add_tools(run, tools)
                storage = StoredRun(self.store, run, self.observer, fresh=fresh)
                await lease.enter_async_context(hold_run(self.store, run, self.stop, watch=False))
            yield Started(setup, run, len(tools))
            warm = bool(tools) and plan_for(setup, tools[0], len(tools)).warm
            async with aclosing(self._reviews(setup, storage, reports, warm=warm)) as reviews:
                async for reviewed in reviews:
                    yield reviewed
        if self.store is not None and run is not None and self.stop.storage_error is None:
            from panel.store import RunState

            state = RunState.STOPPED if self.stop.reason else RunState.DONE
            await self.store.runs.set_state(run, state)
        yield Finished(run, "done" if self.stop.reason is None else "stopped", reused=storage.reused)

    async def batch(
        self, setup: PanelSetup, tools: Iterable[Tool], options: BatchOptions | None = None
    ) -> AsyncGenerator[RunEvent]:
        """Review many tools in one run that can be resumed; a tool whose panel was cut short is yielded when it is resumed.

        Raises:
            PanelError: the run could not begin.
        """
        options = options or BatchOptions()
        store = self._required_store
        require_prices(setup, allow_unknown=options.allow_unknown_price)
        reports = report_files(setup) if options.reports else None
        if reports is not None:
            reports.prepare()
        from panel.store import RunState

        run: int | None = None
        example: Tool | None = None
        async for page, skipped in new_tools(store, setup, tools, options):
            for skip in skipped:
                yield skip
            if page:
                if run is None:
                    example = page[0]
                    run = await store.runs.create(
                        BATCH, setup.stored_settings(**options.stored), RunState.MAKING
                    )
                await store.runs.add_tools(run, page)
        if run is None:
            yield Finished(None, "nothing to do")
            return
        storage = StoredRun(store, run, self.observer, fresh=options.fresh)
        async with aclosing(self._resumable(setup, storage, reports, example=example)) as events:
            async for event in events:
                yield event

    async def resume(
        self,
        run: int,
        changes: Mapping[str, Any] | None = None,
        config: Path | None = None,
        *,
        allow_unknown_price: bool | None = None,
    ) -> AsyncGenerator[RunEvent]:
        """Continue a batch or a retry that was stopped or killed, with the settings it was begun with.

        Args:
            run: its number.
            changes: settings to use in place of the stored ones, by name.
            config: settings file used in place of `./panel.yaml`.
            allow_unknown_price: whether a budget is kept although a price is unknown; None for the run's own choice.

        Raises:
            PanelError: there is no such batch, its settings are unusable, or its panel has changed.
        """
        store = self._required_store
        stored = await resumable_run(store, run)
        following = await store.runs.next_tools(run, limit=1)
        example = following[0].tool if following else None
        setup = build_setup(stored_settings(stored, changes or {}, config), sample=example)
        if allow_unknown_price is None:
            allow_unknown_price = bool(stored.settings.get("allow_unknown_price"))
        require_prices(setup, allow_unknown=allow_unknown_price)
        require_unchanged(stored, setup)
        reports = report_files(setup) if stored.settings.get("reports") else None
        storage = self._storage(stored)
        async with aclosing(self._resumable(setup, storage, reports, example=example)) as events:
            async for event in events:
                yield event

    async def retry(
        self,
        run: int,
        reasons: Collection[NoTakeReason] | None = None,
        changes: Mapping[str, Any] | None = None,
        config: Path | None = None,
        *,
        allow_unknown_price: bool = False,
    ) -> AsyncGenerator[RunEvent]:
        """Ask the failed seats of a batch again, in a run of their own; takes stay as they are.

        Args:
            run: the batch.
            reasons: failures that are asked again; None for all.
            changes: settings to use in place of the stored ones, by name; the budget is always the one in force now.
            config: settings file used in place of `./panel.yaml`.
            allow_unknown_price: whether a budget is kept although a price is unknown.

        Raises:
            PanelError: there is no such batch, it is retried already, or its panel has changed.
        """
        from panel.store import FAILURES, RunState

        store = self._required_store
        stored = await resumable_run(store, run)
        if stored.kind != BATCH:
            raise SettingsError(
                f"run {run} is a retry itself; retry the run that it is of: panel batch retry {stored.settings['of']}"
            )
        setup = build_setup(stored_settings(stored, changes or {}, config, current=("budget",)))
        require_prices(setup, allow_unknown=allow_unknown_price)
        require_unchanged(stored, setup)
        wanted = sorted(FAILURES if reasons is None else reasons)
        reports = report_files(setup) if stored.settings.get("reports") else None
        if reports is not None:
            reports.prepare()
        failed = store.run_stats.failed_seats(run, wanted)
        drafts = list(dict.fromkeys([seat.draft async for seat in failed]))
        if not drafts:
            yield Finished(None, "nothing to do")
            return
        await self._require_no_open_retry(run)
        options = {
            "of": run,
            "reasons": [reason.value for reason in wanted],
            "reports": reports is not None,
            "allow_unknown_price": allow_unknown_price,
        }
        settings = setup.stored_settings(**options)
        retry = await store.runs.create(RETRY, settings, RunState.MAKING)
        for start in range(0, len(drafts), PAGE):
            page = [(await store.drafts.get(draft)).review.tool for draft in drafts[start : start + PAGE]]
            await store.runs.add_tools(retry, page)
        async with aclosing(self._resumable(setup, self._retry(retry, settings), reports)) as events:
            async for event in events:
                yield event

    async def rerun(self, resolved: Resolved, record: DraftRecord, persona: str) -> Seat:
        """Ask one persona of a draft again and return its seat; the draft itself is not changed.

        The answer is stored before this returns. If it is not put into the draft, because the process ends or the draft has changed,
        the next call for the same state of the draft returns that answer without paying again.

        Args:
            resolved: the settings in force; the draft's panel has those of its run.
            record: the draft.
            persona: the id of the seat's persona.

        Raises:
            GateError: the draft has no such seat.
            RunStopped: there is no usable answer; the message says why.
            PanelError: a model, a persona or a template is no longer usable.
        """
        from panel.store import RunState

        store = self._required_store
        if record.shown.review.seat_of(persona) is None:
            raise GateError(f"{persona} has no seat in draft {record.id}")
        setup = build_setup(await self._draft_settings(resolved, record.id))
        replaced = sum(event.kind in {Action.RERUN_SEAT, Action.UNDO} for event in record.history)
        of = {"draft": record.id, "persona": persona, "shown": record.shown.hash, "replaced": replaced}
        settings = setup.stored_settings(**of)
        run = await store.runs.find(RERUN, settings)
        if run is None:
            run = await store.runs.create(RERUN, settings)
        storage = StoredRerun(store, run, record.shown.original, persona)
        async with (
            hold_run(store, run, self.stop),
            open_session(setup, storage, self.observer, self.stop) as session,
        ):
            review = await session.review(record.shown.review.tool)
        await store.runs.set_state(run, RunState.STOPPED if self.stop.reason else RunState.DONE)
        seat = review.seat_of(persona)
        if seat is None:
            raise GateError(f"{persona} is not among the personas that the draft's run was begun with")
        if self.stop.storage_error is not None:
            raise self.stop.storage_error
        if seat.failure is not None:
            raise RunStopped(
                f"{seat.name}: {seat.failure.reason.label}: {seat.failure.detail} The draft stays as it is; ask again later."
            )
        return seat

    @property
    def _required_store(self) -> Store:
        if self.store is None:
            raise SettingsError("this needs a store")
        return self.store

    def _storage(self, run: RunSummary) -> StoredRun:
        if run.kind == RETRY:
            return self._retry(run.id, run.settings)
        fresh = bool(run.settings.get("fresh"))
        return StoredRun(self._required_store, run.id, self.observer, fresh=fresh)

    def _retry(self, run: int, settings: Mapping[str, Any]) -> StoredRetry:
        return StoredRetry(self._required_store, run, int(settings["of"]), frozenset(settings["reasons"]))

    async def _draft_settings(self, resolved: Resolved, draft: int) -> Resolved:
        """Return the settings that a draft's panel was asked with; whatever is the user's own is taken as it is now."""
        store = self._required_store
        run = await store.runs.get((await store.drafts.get(draft)).run)
        then = {**_known(run.settings.get("settings", {})), "record": None, "budget": None}
        settings = Settings.model_validate({**resolved.settings.model_dump(mode="json"), **then})
        return Resolved(settings, {**resolved.sources, **dict.fromkeys(then, f"run {run.id}")})

    async def _require_no_open_retry(self, of: int) -> None:
        """Refuse a second retry of a run while one is begun and not done, and no process works on it."""
        from panel.store import RunState

        store, before = self._required_store, None
        while lines := await store.run_stats.summaries((RETRY,), before=before, limit=PAGE):
            for line in lines:
                if line.settings.get("of") == of and line.state is RunState.OPEN and not line.at_work:
                    raise SettingsError(
                        f"run {line.id} is a retry of run {of} that was interrupted, and has answers that are paid for; "
                        f"go on with it: panel batch resume {line.id}, or give it up: panel batch cancel {line.id}"
                    )
            before = lines[-1].id

    async def _resumable(
        self,
        setup: PanelSetup,
        storage: StoredRun,
        reports: ReportFiles | None,
        *,
        example: Tool | None = None,
    ) -> AsyncGenerator[RunEvent]:
        """Work on a stored batch or retry until it is done or stopped."""
        from panel.store import RunState

        store, run = self._required_store, storage.run
        async with AsyncExitStack() as leases:
            if storage.drafts_run != run:
                await leases.enter_async_context(hold_run(store, storage.drafts_run, self.stop, watch=False))
            await leases.enter_async_context(hold_run(store, run, self.stop))
            limit = setup.settings.budget
            spent = await store.run_stats.spent(run)
            storage.budget = Budget(math.inf if limit is None else limit, spent.most_usd)
            await self._store_budget(run, limit)
            progress = await store.run_stats.progress(run)
            if reports is not None:
                await self._write_missing_reports(run, setup, reports)
            total = progress.todo + progress.done
            yield Started(setup, run, total, progress.done, None if setup.unpriced else storage.budget)
            warm = example is not None and plan_for(setup, example, progress.todo).warm
            async with aclosing(self._reviews(setup, storage, reports, warm=warm, whole=True)) as reviews:
                async for reviewed in reviews:
                    yield reviewed
            if self.stop.storage_error is not None:
                yield Finished(run, "stopped", reused=storage.reused)
                return
            progress = await store.run_stats.progress(run)
            if not progress.todo and (await store.runs.get(run)).state is not RunState.DONE:
                await store.runs.set_state(run, RunState.DONE)
            failed = await store.run_stats.failure_counts(storage.drafts_run)
            yield Finished(run, "stopped" if progress.todo else "done", failed, storage.reused)

    async def _store_budget(self, run: int, limit: float | None) -> None:
        """Store the budget in force with the run, for its status and for the next time it is resumed."""
        store = self._required_store
        stored = (await store.runs.get(run)).settings
        if stored.get("budget_usd") != limit:
            settings = {**stored["settings"], "budget": limit}
            await store.runs.set_settings(run, {**stored, "budget_usd": limit, "settings": settings})

    async def _write_missing_reports(self, run: int, setup: PanelSetup, reports: ReportFiles) -> None:
        """Write the report files of drafts whose process ended before it could, and those that are gone."""
        store, after = self._required_store, 0
        reports.prepare()
        while page := await store.runs.drafted_tools(run, after=after):
            for tool in page:
                if not (tool.reported and reports.has_review(tool.slug)):
                    review = (await store.drafts.get(tool.draft)).review
                    reports.write_review(review, setup.checks(review))
                    await store.runs.mark_reported(run, tool.version)
            after = page[-1].position

    async def _reviews(
        self,
        setup: PanelSetup,
        storage: RunStorage,
        reports: ReportFiles | None,
        *,
        warm: bool,
        whole: bool = False,
    ) -> AsyncGenerator[Reviewed]:
        """Ask, check, keep, write reports, and yield; with `whole`, only reviews that were kept."""
        try:
            _open_recording(setup)
            async with (
                open_session(setup, storage, self.observer, self.stop, warm=warm) as session,
                aclosing(session.reviews(storage.tools())) as reviews,
            ):
                async for review in reviews:
                    findings = setup.checks(review)
                    draft = await self._keep(setup, storage, review, findings)
                    if draft is None and whole:
                        continue
                    paths = self._write(reports, review, findings)
                    if paths is not None and whole and self.stop.storage_error is None:
                        await self._mark_reported(storage, review)
                    yield Reviewed(review, findings, draft, paths)
                    storage.forget(review)
        finally:
            if setup.recording:
                setup.recording[0].close()

    async def _keep(
        self, setup: PanelSetup, storage: RunStorage, review: PanelReview, findings: tuple[Finding, ...]
    ) -> int | None:
        """Keep a review as a draft, unless the run was stopped before all of its seats were asked."""
        if self.stop.reason is not None and not review.complete:
            return None

        def checks(shown: PanelReview) -> tuple[Finding, ...]:
            return findings if shown is review else setup.checks(shown)

        try:
            return await storage.keep(review, checks)
        except StorageError as error:
            self.stop.fail(error)
            return None

    def _write(
        self, reports: ReportFiles | None, review: PanelReview, findings: tuple[Finding, ...]
    ) -> tuple[Path, ...] | None:
        """Write report files; if that fails, the run stops, but answers in flight still arrive and are yielded."""
        if reports is None:
            return None
        try:
            return tuple(reports.write_review(review, findings))
        except StorageError as error:
            self.stop.fail(error)
        except OSError as error:
            self.stop.fail(StorageError(f"{error.filename or 'a report'}: {error.strerror or error}"))
        return ()

    async def _mark_reported(self, storage: RunStorage, review: PanelReview) -> None:
        try:
            await storage.mark_reported(review)
        except StorageError as error:
            self.stop.fail(error)


def report_files(setup: PanelSetup, suffix: str = "") -> ReportFiles:
    """Return the report files that the settings ask for; `suffix` follows the slugs in their names."""
    return ReportFiles(setup.settings.out, setup.settings.format, setup.report_context(), suffix)


def require_prices(setup: PanelSetup, *, allow_unknown: bool) -> None:
    """Refuse a budget if the price of a model is unknown, unless that is allowed.

    Raises:
        SettingsError: that is so.
    """
    if setup.settings.budget is not None and setup.unpriced and not allow_unknown:
        raise SettingsError(
            f"the price of {setup.unpriced[0]} is not known, so that no budget can be kept; "
            "go without --budget, or with --allow-unknown-price"
        )


async def new_tools(
    store: Store, setup: PanelSetup, tools: Iterable[Tool], options: BatchOptions
) -> AsyncIterator[tuple[list[Tool], list[ToolSkipped]]]:
    """Yield the tools of a batch a page at a time: those to review, and those that are left out."""
    following = iter(tools)
    while page := list(islice(following, PAGE)):
        skipped = [] if options.fresh else await _known_tools(store, setup, page, similar=options.similar)
        names = {skip.tool.canonical for skip in skipped}
        yield [tool for tool in page if tool.canonical not in names], skipped


async def _known_tools(
    store: Store, setup: PanelSetup, page: Sequence[Tool], *, similar: bool
) -> list[ToolSkipped]:
    from panel.core.review import review_id

    ids = {review_id(tool, setup.review_setup): tool for tool in page}
    drafted = await store.drafts.complete(ids)
    skipped = []
    for key, tool in ids.items():
        if line := drafted.get(key):
            skipped.append(ToolSkipped(tool, draft=line))
        elif not similar and (others := await store.tools.duplicates_of(tool)):
            skipped.append(ToolSkipped(tool, known_as=others[0].name))
    return skipped


async def resumable_run(store: Store, run: int) -> RunSummary:
    """Return a batch or a retry that can be worked on.

    Raises:
        SettingsError: there is none of this number, it is of another kind, or its tools were never added in full.
    """
    from panel.store import RunState

    line = await store.run_stats.summary(run)
    if line is None or line.kind not in RESUMABLE:
        raise SettingsError(f"there is no batch {run}; `panel batch list` shows which there are")
    if line.state is RunState.MAKING:
        raise SettingsError(
            f"run {run} was interrupted while its tools were added, and asked nothing; begin it again with panel batch run"
        )
    return line


def stored_settings(
    run: RunSummary, changes: Mapping[str, Any], config: Path | None, current: Collection[str] = ()
) -> Resolved:
    """Return the settings that a run was begun with.

    Args:
        run: the run.
        changes: settings to use in place of the stored ones, by name.
        config: settings file used in place of `./panel.yaml`.
        current: names of settings that are the ones in force now.

    Raises:
        PanelError: a setting is unusable.
    """
    then = {name: value for name, value in _known(run.settings["settings"]).items() if name not in current}
    resolved = resolve({**then, **changes}, config)
    sources = dict.fromkeys(then.keys() - changes.keys(), f"run {run.id}")
    return replace(resolved, sources=resolved.sources | sources)


def require_unchanged(run: RunSummary, setup: PanelSetup) -> None:
    """Refuse to continue a run with another panel.

    Raises:
        SettingsError: a persona, a prompt, a model, its address or the user's secret has changed since the run was begun.
    """
    if changed := list(setup.changes_since(run.settings)):
        raise SettingsError(
            f"{', '.join(changed)} changed since run {run.id} was begun, and a run is never a mixture; "
            "put it back, or begin a new run: answers that are still right are not paid for again"
        )


def _known(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in RETIRED_SETTINGS}


def _open_recording(setup: PanelSetup) -> None:
    if setup.recording is None:
        return
    recording, manifest = setup.recording
    try:
        recording.open(manifest)
    except OSError as error:
        raise StorageError(
            f"{error.filename}: {error.strerror}; choose another folder with --record"
        ) from error
