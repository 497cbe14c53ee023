"""Runs: the one service by which tools are reviewed. New, resumed, retried or rerun; with a store or without.

`RunService` returns a `ReviewRun`, whose `events` are read to the end inside `contextlib.aclosing`: `Started`, `Reviewed`...,
`Finished`. Set the service's `stop` to end a run early: calls in flight finish. Cancelling the task that reads leaves at once; a
batch can be resumed after either.
"""

from __future__ import annotations

import math
from contextlib import AsyncExitStack, aclosing
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from panel.core.draft_state import Action
from panel.core.review import review_id
from panel.errors import GateError, RunStopped, SettingsError, StorageError
from panel.orchestrator.estimate import plan_for
from panel.orchestrator.panel import one_by_one, open_session
from panel.orchestrator.report_files import ReportFiles, report_files
from panel.orchestrator.run_storage import (
    BATCH,
    RERUN,
    RESUMABLE,
    RETRY,
    StoredRerun,
    StoredRetry,
    StoredRun,
    hold_run,
)
from panel.orchestrator.seat import Observer
from panel.orchestrator.setup import build_setup
from panel.providers.base import StopSignal
from panel.providers.middleware.budget import Budget
from panel.settings.fields import REMOVED_SETTINGS, Settings
from panel.settings.resolve import Resolved, resolve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from panel.checks import Finding
    from panel.core.review import PanelReview
    from panel.core.take import NoTakeReason, Seat
    from panel.core.tool import Tool
    from panel.orchestrator.setup import PanelSetup
    from panel.store import DraftRecord, RunSummary, Store

PAGE = 200


@dataclass(frozen=True, slots=True)
class Started:
    """The run begins to ask. `budget` has the cost so far and its limit; it is None if a price is unknown, or nothing is counted."""

    setup: PanelSetup
    run: int | None
    tools: int
    done: int = 0
    budget: Budget | None = None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A tool is reviewed. `draft` is None without a store, `reports` is None if no report files were asked for."""

    review: PanelReview
    findings: tuple[Finding, ...]
    draft: int | None = None
    reports: tuple[Path, ...] | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """The run has ended; if it ended early, the service's `stop` has the reason.

    `failed` counts failed seats in all drafts of a batch, by reason; it is None for other runs, and where the store failed.
    `reused` counts the answers that were in the store already.
    """

    run: int | None
    state: Literal["done", "stopped"]
    failed: Mapping[NoTakeReason, int] | None = None
    reused: int = 0


RunEvent = Started | Reviewed | Finished


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """Options of a batch, stored with its run.

    `sources` are files and addresses for people to read; `fresh` ignores earlier answers and drafts; `similar` admits tools that share
    only the address or the text with a known one; `allow_unknown_price` permits a budget although the price of a model is unknown.
    """

    sources: Sequence[str] = ()
    fresh: bool = False
    similar: bool = False
    reports: bool = False
    allow_unknown_price: bool = False


@dataclass(frozen=True, slots=True)
class RunService:
    """Makes runs, and takes up stored ones. Methods raise a PanelError if a run cannot begin, say because its panel has changed.

    Without a store only `review` works, and nothing is stored. Setting `stop` ends a run early, and no further call begins.
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
    ) -> ReviewRun:
        """Return a new run over tools in memory; `kind` is its kind in the store, `fresh` ignores earlier answers and drafts."""
        if reports is not None:
            reports.prepare()
        storage = None
        if self.store is not None:
            run = await self.store.runs.create(kind, setup.stored_settings())
            await self.store.runs.add_tools(run, tools)
            storage = StoredRun(self.store, run, self.observer, fresh=fresh)
        return ReviewRun(self, setup, storage, reports, tools[0] if tools else None, tools)

    async def batch(
        self, setup: PanelSetup, tools: Iterable[Tool], options: BatchOptions | None = None
    ) -> ReviewRun | None:
        """Return a new run that can be resumed, or None if all tools are left out; the observer is told of those that are."""
        from panel.store import RunState

        options, store = options or BatchOptions(), self._required_store()
        require_prices(setup, allow_unknown=options.allow_unknown_price)
        reports = _prepared_reports(setup) if options.reports else None
        storage: StoredRun | None = None
        example: Tool | None = None
        async for page, skipped in new_tools(store, setup, tools, options):
            for why in skipped.values():
                self.observer.skipped(why)
            if page and storage is None:
                settings = setup.stored_settings(**asdict(options))
                run = await store.runs.create(BATCH, settings, RunState.MAKING)
                storage, example = StoredRun(store, run, self.observer, fresh=options.fresh), page[0]
            if storage is not None:
                await store.runs.add_tools(storage.run, page)
        return None if storage is None else ReviewRun(self, setup, storage, reports, example)

    async def resume(
        self,
        run: int,
        changes: Mapping[str, Any] | None = None,
        config: Path | None = None,
        *,
        allow_unknown_price: bool | None = None,
    ) -> ReviewRun:
        """Return a batch or a retry that was stopped or killed, with the settings it was begun with.

        `changes` replace stored settings by name; `config` is a settings file used in place of `./panel.yaml`. If `allow_unknown_price` is
        None, the run's own choice holds.
        """
        store = self._required_store()
        stored = await _resumable_run(store, run)
        settings = stored.settings
        following = await store.runs.next_tools(run, limit=1)
        example = following[0].tool if following else None
        setup = build_setup(_settings_of(stored, changes or {}, config), sample=example)
        allowed = settings.get("allow_unknown_price") if allow_unknown_price is None else allow_unknown_price
        require_prices(setup, allow_unknown=bool(allowed))
        _require_unchanged(stored, setup)
        if stored.kind == RETRY:
            storage: StoredRun = StoredRetry(store, run, int(settings["of"]), settings["reasons"])
        else:
            storage = StoredRun(store, run, self.observer, fresh=bool(settings.get("fresh")))
        reports = _prepared_reports(setup) if settings.get("reports") else None
        return ReviewRun(self, setup, storage, reports, example, stored=settings)

    async def retry(
        self,
        run: int,
        reasons: Collection[NoTakeReason] | None = None,
        changes: Mapping[str, Any] | None = None,
        config: Path | None = None,
        *,
        allow_unknown_price: bool = False,
    ) -> ReviewRun | None:
        """Return a new run that asks the failed seats of a batch again, or None if there are none.

        `changes` replace stored settings by name, except that the budget is always the one in force now; `config` is a settings file used
        in place of `./panel.yaml`. Without `reasons`, all failures are asked again.
        """
        from panel.store import FAILURES, RunState

        store = self._required_store()
        stored = await _resumable_run(store, run)
        if stored.kind != BATCH:
            of = stored.settings["of"]
            raise SettingsError(
                f"run {run} is a retry itself; retry the run that it is of: panel batch retry {of}"
            )
        setup = build_setup(_settings_of(stored, changes or {}, config, current={"budget"}))
        require_prices(setup, allow_unknown=allow_unknown_price)
        _require_unchanged(stored, setup)
        reports = _prepared_reports(setup) if stored.settings.get("reports") else None
        wanted = sorted(FAILURES if reasons is None else reasons)
        failed = store.run_stats.failed_seats(run, wanted)
        drafts = list(dict.fromkeys([seat.draft async for seat in failed]))
        if not drafts:
            return None
        await _require_no_open_retry(store, run)
        options = {
            "of": run,
            "reasons": [reason.value for reason in wanted],
            "reports": reports is not None,
            "allow_unknown_price": allow_unknown_price,
        }
        retry = await store.runs.create(RETRY, setup.stored_settings(**options), RunState.MAKING)
        for start in range(0, len(drafts), PAGE):
            page = [(await store.drafts.get(draft)).review.tool for draft in drafts[start : start + PAGE]]
            await store.runs.add_tools(retry, page)
        return ReviewRun(self, setup, StoredRetry(store, retry, run, wanted), reports)

    async def rerun(self, resolved: Resolved, record: DraftRecord, persona: str) -> Seat:
        """Ask one persona, by id, of a draft again and return its seat; the draft itself is not changed.

        The panel has the settings of the draft's run; `resolved` holds those in force now. The answer is stored before this returns. If it
        is not put into the draft, because the process ends or the draft has changed, the next call for the same state of the draft returns
        that answer without paying again.

        Raises:
            GateError: the draft has no such seat.
            RunStopped: there is no usable answer; the message says why.
            PanelError: a model, a persona or a template is no longer usable.
        """
        from panel.store import RunState

        store, stop = self._required_store(), self.stop
        if record.shown.review.seat_of(persona) is None:
            raise GateError(f"{persona} has no seat in draft {record.id}")
        setup = build_setup(await _settings_of_draft(resolved, store, record.id))
        # Each replacement, undone or not, begins a run of its own.
        replaced = sum(event.kind in {Action.RERUN_SEAT, Action.UNDO} for event in record.history)
        of = {"draft": record.id, "persona": persona, "shown": record.shown.hash, "replaced": replaced}
        settings = setup.stored_settings(**of)
        run = await store.runs.find(RERUN, settings)
        if run is None:
            run = await store.runs.create(RERUN, settings)
        storage = StoredRerun(store, run, record.shown.original, persona)
        async with (
            hold_run(store, run, stop),
            open_session(setup, storage, self.observer, stop) as session,
        ):
            review = await session.review(record.shown.review.tool)
        await store.runs.set_state(run, RunState.STOPPED if stop.reason else RunState.DONE)
        seat = review.seat_of(persona)
        if seat is None:
            raise GateError(f"{persona} is not among the personas that the draft's run was begun with")
        if stop.storage_error is not None:
            raise stop.storage_error
        if seat.failure is not None:
            why = f"{seat.failure.reason.label}: {seat.failure.detail}"
            raise RunStopped(f"{seat.name}: {why} The draft stays as it is; ask again later.")
        return seat

    def _required_store(self) -> Store:
        if self.store is None:
            raise SettingsError("a run that is kept needs a store")
        return self.store


@dataclass(frozen=True, slots=True)
class ReviewRun:
    """One run that is ready to ask.

    Without a `storage`, nothing is stored; without `reports`, no report files are written. `example` is one of its tools, for the cache
    plan. `tools` are None for a batch or a retry, which can be resumed; `stored` holds the settings of one that is.
    """

    service: RunService
    setup: PanelSetup
    storage: StoredRun | None
    reports: ReportFiles | None = None
    example: Tool | None = None
    tools: Sequence[Tool] | None = None
    stored: Mapping[str, Any] | None = None

    async def events(self) -> AsyncGenerator[RunEvent]:
        """Ask, check, keep and report; yield an event after each step.

        A review that was cut short by a stop is yielded without being kept; in a batch it is neither yielded nor reported, and its
        seats are asked when the run is resumed.
        """
        setup, storage, stop = self.setup, self.storage, self.service.stop
        async with AsyncExitStack() as stack:
            if storage is not None:
                for run in dict.fromkeys((storage.drafts_run, storage.run)):
                    watch = self.tools is None and run == storage.run
                    await stack.enter_async_context(hold_run(storage.store, run, stop, watch=watch))
            started = await self._start()
            yield started
            left = started.tools - started.done
            warm = self.example is not None and plan_for(setup, self.example, left).warm
            if setup.recording is not None:
                recording, manifest = setup.recording
                stack.callback(recording.close)
                try:
                    recording.open(manifest)
                except OSError as error:
                    raise StorageError(
                        f"{error.filename}: {error.strerror}; choose another folder with --record"
                    ) from error
            session = await stack.enter_async_context(
                open_session(setup, storage, self.service.observer, stop, warm=warm)
            )
            tools = one_by_one(self.tools or ()) if storage is None else storage.tools()
            async with aclosing(session.reviews(tools)) as reviews:
                async for review in reviews:
                    reviewed = await self._reviewed(review)
                    if reviewed is not None:
                        yield reviewed
                        if storage is not None:
                            storage.forget(review)
            yield await self._finish()

    async def _start(self) -> Started:
        storage, stored = self.storage, self.stored
        if self.tools is not None or storage is None:
            return Started(self.setup, storage.run if storage else None, len(self.tools or ()))
        runs, stats, limit = storage.store.runs, storage.store.run_stats, self.setup.settings.budget
        spent = await stats.spent(storage.run)
        storage.budget = Budget(math.inf if limit is None else limit, spent.most_usd)
        if stored is not None and stored.get("budget_usd") != limit:
            settings = {**stored["settings"], "budget": limit}
            await runs.set_settings(storage.run, {**stored, "budget_usd": limit, "settings": settings})
        progress = await stats.progress(storage.run)
        if self.reports is not None:
            await self._write_missing_reports(self.reports, storage)
        counted = None if self.setup.unpriced else storage.budget
        return Started(self.setup, storage.run, progress.todo + progress.done, progress.done, counted)

    async def _write_missing_reports(self, reports: ReportFiles, storage: StoredRun) -> None:
        """Write the report files of drafts whose process ended before it could, and those that are gone."""
        runs, after = storage.store.runs, 0
        while page := await runs.drafted_tools(storage.run, after=after):
            for tool in page:
                if not (tool.reported and reports.has_review(tool.slug)):
                    review = (await storage.store.drafts.get(tool.draft)).review
                    reports.write_review(review, self.setup.checks(review))
                    await runs.mark_reported(storage.run, tool.version)
            after = page[-1].position

    async def _reviewed(self, review: PanelReview) -> Reviewed | None:
        """Check, keep and report a review; an error of storage stops the run, but answers in flight are still handed on."""
        stop, setup, storage, reports = self.service.stop, self.setup, self.storage, self.reports
        findings = setup.checks(review)
        draft: int | None = None
        if storage is not None and (stop.reason is None or review.complete):
            try:
                draft = await storage.keep(
                    review, lambda shown: findings if shown is review else setup.checks(shown)
                )
            except StorageError as error:
                stop.fail(error)
        if draft is None and self.tools is None:
            return None
        paths: tuple[Path, ...] | None = None
        if reports is not None:
            paths = ()
            try:
                paths = tuple(reports.write_review(review, findings))
                if self.tools is None and storage is not None and stop.storage_error is None:
                    await storage.mark_reported(review)
            except StorageError as error:
                stop.fail(error)
            except OSError as error:
                stop.fail(StorageError(f"{error.filename or 'a report'}: {error.strerror or error}"))
        return Reviewed(review, findings, draft, paths)

    async def _finish(self) -> Finished:
        storage, stop = self.storage, self.service.stop
        state: Literal["done", "stopped"] = "done" if stop.reason is None else "stopped"
        if storage is None:
            return Finished(None, state)
        # SQLAlchemy is loaded by runs with a store alone.
        from panel.store import RunState

        if stop.storage_error is not None:
            return Finished(storage.run, state, reused=storage.reused)
        runs, stats, run = storage.store.runs, storage.store.run_stats, storage.run
        if self.tools is not None:
            await runs.set_state(run, RunState(state))
            return Finished(run, state, reused=storage.reused)
        progress = await stats.progress(run)
        if not progress.todo and (await runs.get(run)).state is not RunState.DONE:
            await runs.set_state(run, RunState.DONE)
        failed = await stats.failure_counts(storage.drafts_run)
        return Finished(run, "stopped" if progress.todo else "done", failed, storage.reused)


def require_prices(setup: PanelSetup, *, allow_unknown: bool) -> None:
    """Raise `SettingsError` if there is a budget and the price of a model is unknown, unless that is allowed."""
    if setup.settings.budget is not None and setup.unpriced and not allow_unknown:
        raise SettingsError(
            f"the price of {setup.unpriced[0]} is not known, so that no budget can be kept; "
            "go without --budget, or with --allow-unknown-price"
        )


async def new_tools(
    store: Store, setup: PanelSetup, tools: Iterable[Tool], options: BatchOptions
) -> AsyncIterator[tuple[list[Tool], dict[str, str]]]:
    """Yield the tools of a batch a page at a time: those to review, and by canonical name, why others are left out."""
    following = iter(tools)
    while page := list(islice(following, PAGE)):
        skipped: dict[str, str] = {}
        ids = {} if options.fresh else {review_id(tool, setup.review_setup): tool for tool in page}
        drafted = await store.drafts.complete(ids) if ids else {}
        for key, tool in ids.items():
            if draft := drafted.get(key):
                why = f"drafted already, in run {draft.run} (draft {draft.id}); left out"
            elif not options.similar and (others := await store.tools.duplicates_of(tool)):
                why = f"known already as {others[0].name}; left out (--allow-similar lets it in)"
            else:
                continue
            skipped[tool.canonical] = f"{tool.name}: {why}"
        yield [tool for tool in page if tool.canonical not in skipped], skipped


def _prepared_reports(setup: PanelSetup) -> ReportFiles:
    """Return the report files that the settings ask for, in folders that can be written to."""
    reports = report_files(setup.settings, setup.available)
    reports.prepare()
    return reports


async def _resumable_run(store: Store, run: int) -> RunSummary:
    """Return a batch or a retry; raise `SettingsError` if there is none of this number, or its tools were never added in full."""
    from panel.orchestrator.run_status import run_summary
    from panel.store import RunState

    summary = await run_summary(store, run)
    if summary.kind not in RESUMABLE:
        raise SettingsError(
            f"run {run} is a {summary.kind}; only batches and retries can be resumed or retried"
        )
    if summary.state is RunState.MAKING:
        raise SettingsError(
            f"run {run} was interrupted while its tools were added, and asked nothing; begin it again with panel batch run"
        )
    return summary


async def _require_no_open_retry(store: Store, of: int) -> None:
    """Refuse a second retry of a run while one is begun and not done, and no process works on it."""
    from panel.store import RunState

    before = None
    while page := await store.run_stats.summaries((RETRY,), before=before, limit=PAGE):
        for run in page:
            if run.settings.get("of") == of and run.state is RunState.OPEN and not run.at_work:
                raise SettingsError(
                    f"run {run.id} is a retry of run {of} that was interrupted, and has answers that are paid for; "
                    f"resume it: panel batch resume {run.id}, or give it up: panel batch cancel {run.id}"
                )
        before = page[-1].id


def _settings_of(
    run: RunSummary, changes: Mapping[str, Any], config: Path | None, current: Collection[str] = ()
) -> Resolved:
    """Return a run's own settings with `changes` applied; settings named in `current` have today's value."""
    left_out = {*REMOVED_SETTINGS, *current}
    then = {name: value for name, value in run.settings["settings"].items() if name not in left_out}
    resolved = resolve({**then, **changes}, config)
    sources = dict.fromkeys(then.keys() - changes.keys(), f"run {run.id}")
    return replace(resolved, sources=resolved.sources | sources)


async def _settings_of_draft(resolved: Resolved, store: Store, draft: int) -> Resolved:
    """Return the settings that a draft's panel was asked with; the user's own are taken as they are now."""
    run = await store.runs.get((await store.drafts.get(draft)).run)
    stored = run.settings.get("settings", {})
    then = {name: value for name, value in stored.items() if name not in REMOVED_SETTINGS}
    then |= {"record": None, "budget": None}
    settings = Settings.model_validate({**resolved.settings.model_dump(mode="json"), **then})
    return Resolved(settings, {**resolved.sources, **dict.fromkeys(then, f"run {run.id}")})


def _require_unchanged(run: RunSummary, setup: PanelSetup) -> None:
    """Raise `SettingsError` if a persona, a prompt, a model, its address or the user's secret has changed since a run was begun."""
    if changed := list(setup.changes_since(run.settings)):
        raise SettingsError(
            f"{', '.join(changed)} changed since run {run.id} was begun, and a run is never a mixture; "
            "put it back, or begin a new run: answers that are still right are not paid for again"
        )
