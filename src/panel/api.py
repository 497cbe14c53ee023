"""The Python API; import it from `panel`: `from panel import Panel, review`.

`AsyncPanel` and `AsyncStore` are the core. `Panel`, `Store` and the functions are the same for programs without an event loop: they run the
core in one background thread. Keyword arguments named `settings` are the settings that `panel config` lists; a setting that is not given
comes from the environment, the settings files or its default, as for the commands.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, aclosing
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, ParamSpec, Self, TypeVar

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
from panel.orchestrator.store_access import configured_store
from panel.settings.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        AsyncIterator,
        Awaitable,
        Callable,
        Collection,
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

P = ParamSpec("P")
T = TypeVar("T")
CoreT = TypeVar("CoreT", bound=AbstractAsyncContextManager[Any])

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
    from panel.report import Editorial, render_report

    personas = available_personas(resolve({}, None))
    context, checks = report_context(personas.values()), review_checks(personas)
    reviews = [page] if isinstance(page, PanelReview) else page.reviews
    return render_report(page, ending, context, [Editorial(findings=checks(one)) for one in reviews])


class AsyncStore:
    """The database of runs, drafts and publications; use it as an async context manager.

    `where` is a file, `postgresql://USER@HOST/NAME`, or None for the configured database; it is created if it does not exist. Other settings, such
    as `editor`, are given by name. An invalid setting raises SettingsError.
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

        async def ask_seat(record: DraftRecord, persona: str) -> Seat:
            return await RunService(self.opened).rerun(self.resolved, record, persona)

        return ApprovalService(self.opened, review_checks(available_personas(self.resolved)), ask_seat)

    async def runs(self) -> list[RunSummary]:
        """Return all runs, the latest first."""
        found: list[RunSummary] = []
        last = None
        while page := await self.opened.run_stats.summaries(before=last, limit=PAGE):
            found += page
            last = page[-1].id
        return found

    async def drafts(self, filters: QueueFilter | None = None) -> AsyncIterator[QueueRow]:
        """Yield the drafts that pass the filters, or all drafts, the oldest first."""
        page = await self.opened.queue.page(filters, after=None, limit=PAGE)
        for row in page.rows:
            yield row
        while page.after is not None:
            page = await self.opened.queue.page(filters, after=page.after, limit=PAGE)
            for row in page.rows:
                yield row

    async def draft(self, number: int) -> DraftView:
        """Return a draft with its findings, resolutions and history; raise NotFound if there is none of this number."""
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
            SettingsError: the action is unknown, or no actor is given or set.
        """
        from panel.approval.commands import DraftCommand

        command = DraftCommand(
            action=_action(action),
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

        `site_url` is its public address, by default that of the settings. Unchanged files are written again if `full`.

        Raises:
            PanelError: the address is missing, the folder is no site, or a file cannot be written.
        """
        from panel.site import build_site, configured_build

        own = {} if site_url is None else {"site_url": site_url}
        build = configured_build(resolve({**self._settings, **own}, None), folder)
        return await build_site(self.opened, *build, full=full)

    def _actor(self, actor: Actor | str | None) -> Actor:
        if isinstance(actor, Actor):
            return actor
        name = actor or self.resolved.settings.editor
        if name is None:
            raise SettingsError(
                "editor: not set; give the name of the person as `actor`, or set PANEL_EDITOR"
            )
        return Actor(name=name, role=Role.PUBLISHER)


class AsyncPanel:
    """A panel of critics; use it as an async context manager.

    With an open store, answers and drafts are stored there and no answer is paid for twice. Settings are given by name, such as
    `model="openai:gpt-6.1-terra"` or `roster=("builder", "skeptic", "founder")`.

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
        """Review one tool; stored answers are ignored if `fresh`.

        Raises:
            RunStopped: the run was stopped early, as by a key that was refused.
            StorageError: an answer could not be stored.
        """
        async with aclosing(self.reviews([tool], fresh=fresh)) as reviews:
            return (await anext(reviews)).review

    def reviews(self, tools: Iterable[Tool], *, fresh: bool = False) -> AsyncGenerator[Reviewed]:
        """Yield the review of each tool as it is finished, with findings and draft number; raises as `review` does."""
        return self._results(lambda runs: runs.review(self.setup, list(tools), fresh=fresh))

    async def compare(self, *entries: Tool | PanelReview) -> Comparison:
        """Review the tools among the entries and compare all of them; raises as `review` does."""
        if len(entries) < FEWEST_COMPARED:
            raise SettingsError(f"a comparison takes at least {FEWEST_COMPARED} tools or reviews")
        tools = [entry for entry in entries if isinstance(entry, Tool)]
        done = {one.review.tool.canonical: one.review async for one in self.reviews(tools)} if tools else {}
        return Comparison(
            reviews=tuple(done[one.canonical] if isinstance(one, Tool) else one for one in entries)
        )

    def batch(self, tools: Iterable[Tool], *, fresh: bool = False) -> AsyncGenerator[Reviewed]:
        """Draft many tools in one stored run and yield each review; tools that are drafted already are left out.

        Raises:
            SettingsError: there is no store, or a budget is set and a price is unknown.
            RunStopped: the run was stopped early; `resume` continues it.
        """
        return self._results(lambda runs: runs.batch(self.setup, tools, BatchOptions(fresh=fresh)))

    def resume(self, run: int) -> AsyncGenerator[Reviewed]:
        """Continue a batch or retry that was stopped, with its own settings; yields and raises as `batch` does."""
        return self._results(lambda runs: runs.resume(run))

    def retry(self, run: int, reasons: Collection[NoTakeReason] | None = None) -> AsyncGenerator[Reviewed]:
        """Ask the failed seats of a batch again, all or those that failed for some reasons; yields and raises as `batch` does."""
        return self._results(lambda runs: runs.retry(run, reasons))

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


class _Blocking(Generic[CoreT]):
    """Runs an async object in a background thread, which all open objects share."""

    _portals = BlockingPortalProvider()

    def __init__(self, core: CoreT) -> None:
        self.core = core
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            portal = stack.enter_context(self._portals)
            stack.enter_context(portal.wrap_async_context_manager(self.core))
            self._stack, self._portal = stack.pop_all(), portal
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

    def _stop(self) -> None:
        """Start no further work; called in the background thread if a caller leaves an iteration early."""

    def _iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
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
            self.portal.call(self._stop)
            self.portal.call(drain)
            raise
        finally:
            self.portal.call(receive.aclose)
        pumping.result()


def _blocking(
    method: Callable[Concatenate[CoreT, P], Awaitable[T]],
) -> Callable[Concatenate[_Blocking[CoreT], P], T]:
    """Return a coroutine method as a method that waits for the result."""

    @wraps(method)
    def wait(self: _Blocking[CoreT], /, *args: P.args, **named: P.kwargs) -> T:
        return self.portal.call(partial(method, self.core, *args, **named))

    return wait


def _iterating(
    method: Callable[Concatenate[CoreT, P], AsyncIterator[T]],
) -> Callable[Concatenate[_Blocking[CoreT], P], Iterator[T]]:
    """Return a method with an async iterator as one with an iterator."""

    @wraps(method)
    def iterate(self: _Blocking[CoreT], /, *args: P.args, **named: P.kwargs) -> Iterator[T]:
        return self._iterate(method(self.core, *args, **named))

    return iterate


class Store(_Blocking[AsyncStore]):
    """The database of runs, drafts and publications; use it in a `with` statement. Arguments and errors are those of `AsyncStore`.

    >>> with Store("reviews.db") as store, Panel(store, model="mock") as panel:
    ...     done = list(panel.batch(read_tools("fixtures/tools/smollm3.yaml")))
    ...     [(row.id, row.name, row.state.label) for row in store.drafts()]
    [(1, 'SmolLM3', 'drafted')]
    """

    def __init__(self, where: str | Path | None = None, **settings: object) -> None:
        super().__init__(AsyncStore(where, **settings))

    runs = _blocking(AsyncStore.runs)
    drafts = _iterating(AsyncStore.drafts)
    draft = _blocking(AsyncStore.draft)
    act = _blocking(AsyncStore.act)
    build_site = _blocking(AsyncStore.build_site)


class Panel(_Blocking[AsyncPanel]):
    """A panel of critics; use it in a `with` statement. Arguments and errors are those of `AsyncPanel`.

    >>> with Panel(model="mock", roster=("builder", "skeptic", "founder")) as panel:
    ...     for tool in read_tools("fixtures/tools/smollm3.yaml"):
    ...         panel.review(tool).panel_size
    3
    """

    def __init__(self, store: Store | None = None, **settings: object) -> None:
        super().__init__(AsyncPanel(store.core if store else None, **settings))

    review = _blocking(AsyncPanel.review)
    reviews = _iterating(AsyncPanel.reviews)
    compare = _blocking(AsyncPanel.compare)
    batch = _iterating(AsyncPanel.batch)
    resume = _iterating(AsyncPanel.resume)
    retry = _iterating(AsyncPanel.retry)
    estimate = _blocking(AsyncPanel.estimate)

    def _stop(self) -> None:
        self.core.stop()


def _action(named: Action | str) -> Action:
    found = named if isinstance(named, Action) else Action.named(named)
    if found is None:
        raise SettingsError(f"action: unknown {named!r}; known are {', '.join(Action.__members__).lower()}")
    return found


def _tool(given: Tool | str | Path) -> Tool:
    """Return a tool, or the only one in a file."""
    if isinstance(given, Tool):
        return given
    tools = read_tools(given)
    if len(tools) != 1:
        raise InputError([Problem(str(given), f"holds {len(tools)} tools; use `read_tools` and choose")])
    return tools[0]
