"""The Python API; import it from `panel`: `from panel import Panel, review`.

`AsyncPanel` and `AsyncStore` are the core. `Panel`, `Store` and the functions are the same for programs without an event loop: they run the
core in one background thread. Keyword arguments named `settings` are the settings that `panel config` lists; a setting that is not given
comes from the environment, the settings files or its default, as for the commands.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, ExitStack, aclosing
from typing import TYPE_CHECKING, Literal, Self, TypeVar

import anyio
from anyio.from_thread import BlockingPortalProvider

from panel.core.actor import Actor, Role
from panel.core.comparison import Comparison
from panel.core.draft_state import Action
from panel.core.review import PanelReview
from panel.core.tool import Tool
from panel.errors import InputError, Problem, RunStopped, SettingsError
from panel.orchestrator.run import BatchOptions, Reviewed, ReviewRun, RunService
from panel.orchestrator.setup import available_personas, build_setup, report_context, review_checks
from panel.orchestrator.stores import configured_store
from panel.settings.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Collection,
        Generator,
        Iterable,
        Iterator,
        Sequence,
    )
    from pathlib import Path

    from anyio.from_thread import BlockingPortal

    from panel.approval import DraftView
    from panel.approval.service import ApprovalService
    from panel.core.draft_edits import Change
    from panel.core.finding import Resolution
    from panel.core.take import NoTakeReason, Seat
    from panel.orchestrator.estimate import RunEstimate
    from panel.settings.resolve import Resolved
    from panel.site import BuildResult
    from panel.store import DraftRecord, QueueFilter, QueueRow, RunSummary
    from panel.store import Store as OpenStore

T = TypeVar("T")

Format = Literal["html", "md", "json"]
FEWEST_COMPARED = 2
PAGE = 200


def read_tools(*sources: str | Path) -> list[Tool]:
    """Return the tools of files, folders or quoted patterns.

    >>> [tool.name for tool in read_tools("fixtures/tools")]
    ['SkillClaw', 'SmolLM3']

    Raises:
        InputError: a file is invalid; every problem is listed with its file, field and line.
    """
    from panel.tool_files.duplicates import collect_tools
    from panel.web_pages.sources import read_records

    return collect_tools(read_records(map(str, sources)))


def review(tool: Tool | str | Path, **settings: object) -> PanelReview:
    """Review one tool, or the one in a file, and return its review; nothing is stored.

    >>> review("fixtures/tools/smollm3.yaml", model="mock").tally.line
    'Ship · 3 ship / 2 skip'

    Raises:
        PanelError: the tool, a setting or a key is invalid, or the run was stopped early.
    """
    with Panel(None, **settings) as panel:
        return panel.review(_tool(tool))


def compare(*entries: Tool | PanelReview | str | Path, **settings: object) -> Comparison:
    """Compare two or more tools, tool files or reviews, and return the comparison; nothing is stored.

    >>> compare("fixtures/tools/smollm3.yaml", "fixtures/tools/skillclaw.yaml", model="mock").title
    'SmolLM3 vs SkillClaw'

    Raises:
        PanelError: as for `review`.
    """
    with Panel(None, **settings) as panel:
        return panel.compare(
            *(entry if isinstance(entry, PanelReview) else _tool(entry) for entry in entries)
        )


def render(page: PanelReview | Comparison, ending: Format = "html") -> str:
    """Return a review or a comparison as HTML, Markdown or JSON, with the findings of the checks.

    >>> render(review("fixtures/tools/smollm3.yaml", model="mock"), "md").splitlines()[0]
    '# SmolLM3'
    """
    from panel.report import Editorial, comparison_reports, review_reports

    personas = available_personas(resolve({}, None))
    context, checks = report_context(personas.values()), review_checks(personas)
    if isinstance(page, PanelReview):
        return review_reports(page, context, Editorial(findings=checks(page)))[ending]
    editorials = [Editorial(findings=checks(one)) for one in page.reviews]
    return comparison_reports(page, context, editorials)[ending]


class AsyncStore:
    """The database of runs, drafts and publications; use it as an async context manager.

    Args:
        where: a file, or `postgresql://USER@HOST/NAME`; None for the configured database. It is created if it does not exist.
        settings: other settings by name, such as `editor`.

    Raises:
        SettingsError: a setting is invalid.
    """

    def __init__(self, where: str | Path | None = None, **settings: object) -> None:
        self._settings = settings if where is None else {**settings, "database_url": str(where)}
        self.resolved: Resolved = resolve(self._settings, None)
        self._open: OpenStore | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._open = await self._stack.enter_async_context(configured_store(self.resolved))
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._open = None
        await self._stack.aclose()

    @property
    def opened(self) -> OpenStore:
        """The open database, with its repositories."""
        if self._open is None:
            raise SettingsError("the store is not open; use it in a `with` statement")
        return self._open

    @property
    def approval(self) -> ApprovalService:
        """The service that `panel queue` and `panel serve` use."""
        from panel.approval.service import ApprovalService

        checks = review_checks(available_personas(self.resolved))
        return ApprovalService(self.opened, checks, self._ask_seat)

    async def runs(self) -> list[RunSummary]:
        """Return all runs, the latest first."""
        found: list[RunSummary] = []
        while page := await self.opened.run_stats.summaries(
            before=found[-1].id if found else None, limit=PAGE
        ):
            found += page
        return found

    async def drafts(self, filters: QueueFilter | None = None) -> AsyncIterator[QueueRow]:
        """Yield the drafts that pass the filters, or all drafts, the oldest first."""
        after: str | None = None
        while True:
            page = await self.opened.queue.page(filters, after=after, limit=PAGE)
            for row in page.rows:
                yield row
            after = page.after
            if after is None:
                return

    async def draft(self, number: int) -> DraftView:
        """Return a draft with its findings, resolutions and history.

        Raises:
            NotFound: there is no draft of this number.
        """
        return await self.approval.view(number)

    async def act(  # noqa: PLR0913 - a draft command in plain values
        self,
        view: DraftView,
        action: Action | str,
        *,
        actor: Actor | str | None = None,
        reason: str | None = None,
        changes: Sequence[Change] = (),
        resolution: Resolution | None = None,
        persona: str | None = None,
    ) -> DraftView:
        """Take an action with a draft that was read before, and return the draft after it.

        Args:
            view: the draft as the person saw it; if it has changed since, the action is refused.
            action: an `Action` or its name, such as `"approve"` or `"request_changes"`.
            actor: the person; None for the setting `editor`. A name stands for a publisher, who may take every action.
            reason: required to request changes, to reject and to retract.
            changes: of an edit.
            resolution: of a finding.
            persona: the seat to ask again.

        Raises:
            GateError: a rule refuses it, as an approval with open findings; or the draft has changed.
            SettingsError: no actor is given or set.
        """
        from panel.approval.commands import DraftCommand

        command = DraftCommand(
            action=action_named(action),
            actor=self._actor(actor),
            seen=view.shown.hash,
            seen_resolutions=view.current.resolutions_digest,
            reason=reason,
            changes=tuple(changes),
            resolution=resolution,
            persona=persona,
        )
        return await self.approval.execute(view.id, command)

    async def build_site(
        self, folder: str | Path, site_url: str | None = None, *, full: bool = False
    ) -> BuildResult:
        """Build the site of all published reviews in a folder, which is replaced as a whole.

        Args:
            folder: the folder of the site.
            site_url: public address of the site; None for the setting.
            full: whether to write unchanged files again.

        Raises:
            PanelError: the address is missing, the folder is no site, or a file cannot be written.
        """
        from panel.site import build_site, configured_build

        resolved = (
            self.resolved if site_url is None else resolve({**self._settings, "site_url": site_url}, None)
        )
        return await build_site(self.opened, *configured_build(resolved, folder), full=full)

    def _actor(self, actor: Actor | str | None) -> Actor:
        if isinstance(actor, Actor):
            return actor
        name = actor or self.resolved.settings.editor
        if name is None:
            raise SettingsError(
                "editor: not set; give the name of the person as `actor`, or set PANEL_EDITOR"
            )
        return Actor(name=name, role=Role.PUBLISHER)

    async def _ask_seat(self, record: DraftRecord, persona: str) -> Seat:
        return await RunService(self.opened).rerun(self.resolved, record, persona)


class AsyncPanel:
    """A panel of critics; use it as an async context manager.

    Args:
        store: an open store, in which answers and drafts are kept and no answer is paid for twice; None to keep nothing.
        settings: settings by name, such as `model="openai:gpt-6.1-terra"` or `roster=("builder", "skeptic", "founder")`.

    Raises:
        SettingsError: a setting is invalid, or the model's key is missing.
        InputError: a persona or a template is invalid.
    """

    def __init__(self, store: AsyncStore | None = None, **settings: object) -> None:
        self._store = store
        self._runs: RunService | None = None
        self.setup = build_setup(resolve(settings, None))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        return None

    async def review(self, tool: Tool, *, fresh: bool = False) -> PanelReview:
        """Review one tool.

        Args:
            tool: the tool.
            fresh: whether stored answers are ignored.

        Raises:
            RunStopped: the run was stopped early, as by a key that was refused.
            StorageError: an answer could not be stored.
        """
        async with aclosing(self.reviews([tool], fresh=fresh)) as reviews:
            return (await anext(reviews)).review

    async def reviews(self, tools: Iterable[Tool], *, fresh: bool = False) -> AsyncGenerator[Reviewed]:
        """Yield the review of each tool as it is finished, with findings and draft number; raises as `review` does."""
        async for one in self._results(lambda runs: runs.review(self.setup, list(tools), fresh=fresh)):
            yield one

    async def compare(self, *entries: Tool | PanelReview) -> Comparison:
        """Review the tools among the entries and compare all of them; raises as `review` does."""
        if len(entries) < FEWEST_COMPARED:
            raise SettingsError(f"a comparison takes at least {FEWEST_COMPARED} tools or reviews")
        tools = [entry for entry in entries if isinstance(entry, Tool)]
        done = {one.review.tool.canonical: one.review async for one in self.reviews(tools)} if tools else {}
        return Comparison(
            reviews=tuple(done[one.canonical] if isinstance(one, Tool) else one for one in entries)
        )

    async def batch(self, tools: Iterable[Tool], *, fresh: bool = False) -> AsyncGenerator[Reviewed]:
        """Draft many tools in one stored run and yield each review; tools that are drafted already are left out.

        Raises:
            SettingsError: there is no store, or a budget is set and a price is unknown.
            RunStopped: the run was stopped early; `resume` continues it.
        """
        options = BatchOptions(fresh=fresh)
        async for one in self._results(lambda runs: runs.batch(self.setup, tools, options)):
            yield one

    async def resume(self, run: int) -> AsyncGenerator[Reviewed]:
        """Continue a batch or retry that was stopped, with its own settings; yields and raises as `batch` does."""
        async for one in self._results(lambda runs: runs.resume(run)):
            yield one

    async def retry(
        self, run: int, reasons: Collection[NoTakeReason] | None = None
    ) -> AsyncGenerator[Reviewed]:
        """Ask the failed seats of a batch again, all or those that failed for some reasons; yields and raises as `batch` does."""
        async for one in self._results(lambda runs: runs.retry(run, reasons)):
            yield one

    async def estimate(self, tools: Sequence[Tool]) -> RunEstimate | None:
        """Return calls, tokens and dollars of a run over tools without asking any model; None if nothing is left to ask."""
        from panel.orchestrator.estimate import estimate_run

        return await estimate_run(self.setup, tools, self._store.opened if self._store else None)

    def stop(self, reason: str = "stopped by the caller") -> None:
        """Start no further calls; those in flight finish and are kept, and the iteration ends with RunStopped."""
        if self._runs is not None:
            self._runs.stop.set(reason)

    async def _results(
        self, make: Callable[[RunService], Awaitable[ReviewRun | None]]
    ) -> AsyncGenerator[Reviewed]:
        """Yield the reviews of a run; raise the reason if it was stopped early."""
        self._runs = RunService(self._store.opened if self._store else None)
        stop = self._runs.stop
        run = await make(self._runs)
        if run is not None:
            async with aclosing(run.events()) as events:
                async for event in events:
                    if isinstance(event, Reviewed):
                        yield event
        if stop.storage_error is not None:
            raise stop.storage_error
        if stop.reason is not None:
            raise RunStopped(f"stopped early: {stop.reason}")


def action_named(action: Action | str) -> Action:
    """Return an action by its name.

    >>> action_named("resolve") is Action.RESOLVE
    True

    Raises:
        SettingsError: there is no action of this name.
    """
    if isinstance(action, Action):
        return action
    if action.upper() not in Action.__members__:
        names = ", ".join(Action.__members__).lower()
        raise SettingsError(f"action: unknown {action!r}; known are {names}")
    return Action[action.upper()]


_PORTALS = BlockingPortalProvider()


class _Blocking:
    """Runs the core in a background thread, which all open objects share."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None

    def __enter__(self) -> Self:
        self._portal = self._stack.enter_context(_PORTALS)
        return self

    def __exit__(self, *exception: object) -> None:
        self._portal = None
        self._stack.close()

    @property
    def portal(self) -> BlockingPortal:
        if self._portal is None:
            raise SettingsError(
                f"the {type(self).__name__.lower()} is not open; use it in a `with` statement"
            )
        return self._portal

    def _call(self, function: Callable[..., Awaitable[T]], *words: object, **named: object) -> T:
        async def call() -> T:
            return await function(*words, **named)

        return self.portal.call(call)

    def _iterate(self, items: AsyncIterator[T], stop: Callable[[], None] = lambda: None) -> Generator[T]:
        """Yield from an async iterator, which runs in one task; a caller that leaves early stops it and waits for its end."""
        send, receive = anyio.create_memory_object_stream[T](0)

        async def pump() -> None:
            async with send:
                async for item in items:
                    await send.send(item)

        async def drain() -> None:
            async for _ in receive:
                pass

        pumping = self.portal.start_task_soon(pump)
        try:
            while True:
                try:
                    item = self.portal.call(receive.receive)
                except anyio.EndOfStream:
                    break
                yield item
        except GeneratorExit:
            self.portal.call(stop)
            self.portal.call(drain)
            raise
        finally:
            self.portal.call(receive.aclose)
        pumping.result()


class Store(_Blocking):
    """The database of runs, drafts and publications; use it in a `with` statement. See `AsyncStore` for arguments and errors.

    >>> with Store("reviews.db") as store, Panel(store, model="mock") as panel:
    ...     done = list(panel.batch(read_tools("fixtures/tools/smollm3.yaml")))
    ...     [(row.id, row.name, row.state.label) for row in store.drafts()]
    [(1, 'SmolLM3', 'drafted')]
    """

    def __init__(self, where: str | Path | None = None, **settings: object) -> None:
        super().__init__()
        self.core = AsyncStore(where, **settings)

    def __enter__(self) -> Self:
        super().__enter__()
        self._stack.enter_context(self.portal.wrap_async_context_manager(self.core))
        return self

    def runs(self) -> list[RunSummary]:
        """Return all runs, the latest first."""
        return self._call(self.core.runs)

    def drafts(self, filters: QueueFilter | None = None) -> Iterator[QueueRow]:
        """Yield the drafts that pass the filters, or all drafts, the oldest first."""
        return self._iterate(self.core.drafts(filters))

    def draft(self, number: int) -> DraftView:
        """Return a draft with its findings, resolutions and history."""
        return self._call(self.core.draft, number)

    def act(  # noqa: PLR0913 - a draft command in plain values
        self,
        view: DraftView,
        action: Action | str,
        *,
        actor: Actor | str | None = None,
        reason: str | None = None,
        changes: Sequence[Change] = (),
        resolution: Resolution | None = None,
        persona: str | None = None,
    ) -> DraftView:
        """Take an action with a draft that was read before, and return the draft after it; see `AsyncStore.act`."""
        return self._call(
            self.core.act,
            view,
            action,
            actor=actor,
            reason=reason,
            changes=changes,
            resolution=resolution,
            persona=persona,
        )

    def build_site(
        self, folder: str | Path, site_url: str | None = None, *, full: bool = False
    ) -> BuildResult:
        """Build the site of all published reviews in a folder; see `AsyncStore.build_site`."""
        return self._call(self.core.build_site, folder, site_url, full=full)


class Panel(_Blocking):
    """A panel of critics; use it in a `with` statement. See `AsyncPanel` for arguments and errors.

    >>> with Panel(model="mock", roster=("builder", "skeptic", "founder")) as panel:
    ...     for tool in read_tools("fixtures/tools/smollm3.yaml"):
    ...         panel.review(tool).panel_size
    3
    """

    def __init__(self, store: Store | None = None, **settings: object) -> None:
        super().__init__()
        self.core = AsyncPanel(store.core if store else None, **settings)

    def review(self, tool: Tool, *, fresh: bool = False) -> PanelReview:
        """Review one tool."""
        return self._call(self.core.review, tool, fresh=fresh)

    def reviews(self, tools: Iterable[Tool], *, fresh: bool = False) -> Iterator[Reviewed]:
        """Yield the review of each tool as it is finished, with findings and draft number."""
        return self._iterate(self.core.reviews(tools, fresh=fresh), self.core.stop)

    def compare(self, *entries: Tool | PanelReview) -> Comparison:
        """Review the tools among the entries and compare all of them."""
        return self._call(self.core.compare, *entries)

    def batch(self, tools: Iterable[Tool], *, fresh: bool = False) -> Iterator[Reviewed]:
        """Draft many tools in one stored run and yield each review; tools that are drafted already are left out."""
        return self._iterate(self.core.batch(tools, fresh=fresh), self.core.stop)

    def resume(self, run: int) -> Iterator[Reviewed]:
        """Continue a batch or retry that was stopped."""
        return self._iterate(self.core.resume(run), self.core.stop)

    def retry(self, run: int, reasons: Collection[NoTakeReason] | None = None) -> Iterator[Reviewed]:
        """Ask the failed seats of a batch again."""
        return self._iterate(self.core.retry(run, reasons), self.core.stop)

    def estimate(self, tools: Sequence[Tool]) -> RunEstimate | None:
        """Return calls, tokens and dollars of a run over tools without asking any model."""
        return self._call(self.core.estimate, tools)


def _tool(given: Tool | str | Path) -> Tool:
    """Return a tool, or the only one in a file."""
    if isinstance(given, Tool):
        return given
    tools = read_tools(given)
    if len(tools) != 1:
        raise InputError([Problem(str(given), f"holds {len(tools)} tools; use `read_tools` and choose")])
    return tools[0]
