"""What a sitting works through and what it keeps: a run in the store, or nothing at all."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from panel.errors import PanelError, RunStopped, StorageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence

    from panel.core.call_record import CallKey, CallRecord
    from panel.core.completion import Completion
    from panel.core.persona import Persona
    from panel.core.review import PanelReview
    from panel.core.take import Seat
    from panel.core.tool import Tool
    from panel.providers.base import StopSignal
    from panel.providers.middleware.answer_cache import Wait
    from panel.providers.middleware.budget import Budget
    from panel.store import Checks, Store

WAITING = "Waiting for another run that asks the same at this moment; its answers cost nothing here."


class Ledger(Protocol):
    """Where the tools of a sitting come from, and where its reviews go."""

    @property
    def journal(self) -> StoredRun | None:
        """Where calls are written down, or None."""
        ...

    @property
    def budget(self) -> Budget | None:
        """What may be paid, or None for no limit."""
        ...

    def todo(self) -> AsyncGenerator[Tool]:
        """Yield the tools that are to be reviewed."""
        ...

    def settled(self, tool: Tool, persona: Persona) -> Seat | None:
        """Return a seat that needs no asking, or None."""
        ...

    async def keep(self, review: PanelReview, checks: Checks) -> int | None:
        """Keep a review whose seats have all ended, with what checks find in it, and return the number of its draft.

        Raises:
            StorageError: it was not kept.
        """
        ...

    async def reported(self, review: PanelReview) -> None:
        """Keep that a draft's report files are written; raises as `keep` does."""
        ...

    def leave(self, review: PanelReview) -> None:
        """Forget a tool that is done with."""
        ...


class Unstored:
    """Tools that are at hand, and a sitting of which nothing is kept."""

    journal: StoredRun | None = None
    budget: Budget | None = None

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = tools

    async def todo(self) -> AsyncGenerator[Tool]:
        """Yield the tools."""
        for tool in self._tools:
            yield tool

    def settled(self, tool: Tool, persona: Persona) -> Seat | None:  # noqa: ARG002 - its signature
        """Return None: every seat is asked."""
        return None

    async def keep(self, review: PanelReview, checks: Checks) -> int | None:
        """Keep nothing."""

    async def reported(self, review: PanelReview) -> None:
        """Keep nothing."""

    def leave(self, review: PanelReview) -> None:
        """Have nothing to forget."""


class StoredRun:
    """A run in the store: its tools, its calls and its drafts.

    Args:
        store: the store.
        run: the run.
        fresh: whether answers and drafts of other runs do not count.
        budget: what may be paid, or None for no limit.
        note: is told, once, that an answer to another run is waited for.

    Attributes:
        reused: answers that were there already.
    """

    def __init__(
        self,
        store: Store,
        run: int,
        *,
        fresh: bool = False,
        budget: Budget | None = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self.run = run
        self.reused = 0
        self.journal: StoredRun | None = self
        self.budget = budget
        self._store = store
        self._fresh = fresh
        self._note = note
        self._versions: dict[str, int] = {}

    async def todo(self) -> AsyncGenerator[Tool]:
        """Yield the tools that are to be reviewed, a page of them at a time in memory."""
        after = 0
        while page := await self._store.runs.next_tools(self.run, after=after):
            for todo in page:
                self._versions[todo.tool.canonical] = todo.version
                yield todo.tool
            after = page[-1].position

    def settled(self, tool: Tool, persona: Persona) -> Seat | None:  # noqa: ARG002 - its signature
        """Return None: every seat is asked, and answered from the store where it can be."""
        return None

    async def keep(self, review: PanelReview, checks: Checks) -> int:
        """Keep a review; see `Ledger.keep`."""
        version = self._versions[review.tool.canonical]
        return await self._store.drafts.put(review, self.run, version, anew=self._fresh, checks=checks)

    async def reported(self, review: PanelReview) -> None:
        """Keep that a draft's report files are written."""
        await self._store.runs.mark_reported(self.run, self._versions[review.tool.canonical])

    def leave(self, review: PanelReview) -> None:
        """Forget a tool that is done with."""
        self._versions.pop(review.tool.canonical, None)

    async def find(self, step: CallKey) -> CallRecord | None:
        """Return what a step brought earlier; see `CallJournal`."""
        entry = await self._store.calls.find(step.key, self.run if self._fresh else None)
        self.reused += entry is not None
        return entry

    async def begin(self, step: CallKey, wait: Wait) -> int | Completion:
        """Commit that a step is about to be asked, unless another run asks it at this moment; see `CallJournal`."""
        step = step.model_copy(update={"run": self.run})
        if self._fresh:
            return await self._store.calls.begin(step)

        async def noted(seconds: float) -> None:
            if self._note is not None:
                self._note(WAITING)
                self._note = None
            await wait(seconds)

        begun = await self._store.calls.begin_once(step, noted)
        self.reused += not isinstance(begun, int)
        return begun

    async def settle(self, call: int, entry: CallRecord) -> None:
        """Commit what came of it; see `CallJournal`."""
        await self._store.calls.settle(call, entry)

    async def withdraw(self, call: int, entry: CallRecord) -> None:  # noqa: ARG002 - its signature
        """Commit that no call was made; see `CallJournal`."""
        await self._store.calls.withdraw(call)


class StoredRetry(StoredRun):
    """The seats of a run that failed, asked again in a run of their own.

    Args:
        store: the store.
        run: the retry.
        of: the run whose drafts it mends.
        reasons: why seats must have failed to be asked again.
        budget: what may be paid, or None for no limit.
    """

    def __init__(
        self, store: Store, run: int, of: int, reasons: Collection[str], budget: Budget | None = None
    ) -> None:
        super().__init__(store, run, fresh=True, budget=budget)
        self._of = of
        self._reasons = reasons
        self._kept: dict[str, PanelReview] = {}

    async def todo(self) -> AsyncGenerator[Tool]:
        """Yield the tools of which seats are asked again."""
        async for tool in super().todo():
            draft = await self._store.drafts.of_tool(self._of, tool)
            if draft is not None:
                self._kept[tool.canonical] = draft.review
                yield draft.review.tool

    def settled(self, tool: Tool, persona: Persona) -> Seat | None:
        """Return the seat as it is, unless it is to be asked again."""
        seat = self._kept[tool.canonical].seat_of(persona.id)
        again = seat is None or (seat.failure is not None and seat.failure.reason in self._reasons)
        return None if again else seat

    async def keep(self, review: PanelReview, checks: Checks) -> int:
        """Put the mended review in the place of the draft; see `Ledger.keep`."""
        version = self._versions[review.tool.canonical]
        draft = await self._store.drafts.put(review, self._of, version, checks=checks)
        await self._store.runs.mark_done(self.run, version, draft)
        return draft

    def leave(self, review: PanelReview) -> None:
        """Forget a tool that is done with."""
        super().leave(review)
        self._kept.pop(review.tool.canonical, None)


@asynccontextmanager
async def leased(store: Store, run: int, halt: StopSignal, *, heed: bool = True) -> AsyncIterator[None]:
    """Be the only one who works on a run, until the block ends or the run is taken away or, if that is heeded, cancelled.

    A run whose cancelling is heeded is opened first, unless it is done: an earlier cancelling does not count.

    Raises:
        RunStopped: somebody else works on it.
        StorageError: there is no such run, or the lease was not committed.
    """
    from panel.store import RENEW_SECONDS, RunState

    lease = await store.leases.acquire(run)

    async def stay() -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await store.leases.renew(lease)
                if heed and (await store.runs.get(run)).state is RunState.STOPPED:
                    halt.set(f"run {run} was cancelled")
            except StorageError as error:
                halt.fail(error)
            except RunStopped as error:
                halt.set(str(error))

    try:
        if heed and (await store.runs.get(run)).state is not RunState.DONE:
            await store.runs.set_state(run, RunState.OPEN)
        staying = asyncio.create_task(stay())
        try:
            yield
        finally:
            staying.cancel()
            await asyncio.gather(staying, return_exceptions=True)
    finally:
        with suppress(PanelError):
            await store.leases.release(lease)
