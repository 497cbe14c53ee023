"""Stored runs: where their tools come from, and where their calls and reviews go."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from panel.errors import PanelError, RunStopped, StorageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Collection

    from panel.core.completion import CallKey, CallRecord, Completion
    from panel.core.persona import Persona
    from panel.core.review import PanelReview
    from panel.core.take import Seat
    from panel.core.tool import Tool
    from panel.orchestrator.seat import Observer
    from panel.providers.base import StopSignal
    from panel.providers.middleware.answer_cache import Wait
    from panel.providers.middleware.budget import Budget
    from panel.store import Checks, Store

BATCH, RETRY, RERUN = "batch", "retry", "rerun"
RESUMABLE = (BATCH, RETRY)


class StoredRun:
    """A run in the store: its tools, its drafts, and, as a `CallJournal`, its calls. Methods raise StorageError.

    The observer is notified once when an answer to another run is awaited; `fresh` ignores answers and drafts of other runs.
    `drafts_run` is the run that owns the drafts: for a retry, the run whose failed seats are asked again.
    """

    def __init__(
        self, store: Store, run: int, observer: Observer | None = None, *, fresh: bool = False
    ) -> None:
        self.store = store
        self.run = run
        self.drafts_run = run
        self.budget: Budget | None = None
        self.reused = 0
        self._observer = observer
        self._fresh = fresh
        self._versions: dict[str, int] = {}

    async def tools(self) -> AsyncGenerator[Tool]:
        """Yield the tools to review; one page of them is in memory at a time."""
        after = 0
        while page := await self.store.runs.next_tools(self.run, after=after):
            for pending in page:
                self._versions[pending.tool.canonical] = pending.version
                yield pending.tool
            after = page[-1].position

    def known_seat(self, tool: Tool, persona: Persona) -> Seat | None:  # noqa: ARG002 - for subclasses
        """Return a seat that needs no call, or None."""
        return None

    async def keep(self, review: PanelReview, checks: Checks) -> int:
        """Keep a review as a draft and return its number."""
        version = self._versions[review.tool.canonical]
        return await self.store.drafts.put(review, self.run, version, anew=self._fresh, checks=checks)

    async def mark_reported(self, review: PanelReview) -> None:
        """Record that a draft's report files are written."""
        await self.store.runs.mark_reported(self.run, self._versions[review.tool.canonical])

    def forget(self, review: PanelReview) -> None:
        """Free the memory of a tool that is finished."""
        self._versions.pop(review.tool.canonical, None)

    async def find(self, key: CallKey) -> CallRecord | None:
        """Return the record of an earlier call."""
        record = await self.store.calls.find(key.key, self.run if self._fresh else None)
        self.reused += record is not None
        return record

    async def begin(self, key: CallKey, wait: Wait) -> int | Completion:
        """Commit that a call is about to be made, unless another run makes it at this moment."""
        key = key.model_copy(update={"run": self.run})
        if self._fresh:
            return await self.store.calls.begin(key)

        async def announced_wait(seconds: float) -> None:
            if self._observer is not None:
                self._observer.waiting()
                self._observer = None
            await wait(seconds)

        begun = await self.store.calls.begin_once(key, announced_wait)
        self.reused += not isinstance(begun, int)
        return begun

    async def settle(self, call: int, record: CallRecord) -> None:
        """Commit the result of a call."""
        await self.store.calls.settle(call, record)

    async def withdraw(self, call: int, record: CallRecord) -> None:  # noqa: ARG002 - the journal's signature
        """Commit that no call was made."""
        await self.store.calls.withdraw(call)


class StoredRetry(StoredRun):
    """The seats of the drafts of a run (`of`) that failed for some reasons, asked again in a run of their own."""

    def __init__(self, store: Store, run: int, of: int, reasons: Collection[str]) -> None:
        super().__init__(store, run, fresh=True)
        self.drafts_run = of
        self._reasons = reasons
        self._reviews: dict[str, PanelReview] = {}

    async def tools(self) -> AsyncGenerator[Tool]:
        """Yield the tools that have seats to ask again."""
        async for tool in super().tools():
            draft = await self.store.drafts.of_tool(self.drafts_run, tool)
            if draft is not None:
                self._reviews[tool.canonical] = draft.review
                yield draft.review.tool

    def known_seat(self, tool: Tool, persona: Persona) -> Seat | None:
        """Return the seat of the draft, unless it is asked again."""
        seat = self._reviews[tool.canonical].seat_of(persona.id)
        again = seat is None or (seat.failure is not None and seat.failure.reason in self._reasons)
        return None if again else seat

    async def keep(self, review: PanelReview, checks: Checks) -> int:
        """Put the completed review in the draft's place."""
        version = self._versions[review.tool.canonical]
        draft = await self.store.drafts.put(review, self.drafts_run, version, checks=checks)
        await self.store.runs.mark_done(self.run, version, draft)
        return draft

    def forget(self, review: PanelReview) -> None:
        """Free the memory of a tool that is finished."""
        super().forget(review)
        self._reviews.pop(review.tool.canonical, None)


class StoredRerun(StoredRun):
    """One seat of a draft, asked again in a run of its own."""

    def __init__(self, store: Store, run: int, review: PanelReview, persona: str) -> None:
        super().__init__(store, run, fresh=True)
        self._seats = {seat.persona: seat for seat in review.seats if seat.persona != persona}

    def known_seat(self, tool: Tool, persona: Persona) -> Seat | None:  # noqa: ARG002 - its signature
        """Return every other seat of the draft."""
        return self._seats.get(persona.id)


@asynccontextmanager
async def hold_run(store: Store, run: int, stop: StopSignal, *, watch: bool = True) -> AsyncIterator[None]:
    """Hold the lease of a run until the block ends; stop if the lease is lost or, if that is watched, the run is cancelled.

    A run that is watched is reopened first, unless it is done: an earlier cancellation does not count.

    Raises:
        RunStopped: another process holds the run.
        StorageError: there is no such run, or the lease was not committed.
    """
    from panel.store import RENEW_SECONDS, RunState

    lease = await store.leases.acquire(run)

    async def renew() -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await store.leases.renew(lease)
                if watch and (await store.runs.get(run)).state is RunState.STOPPED:
                    stop.set(f"run {run} was cancelled")
            except StorageError as error:
                stop.fail(error)
            except RunStopped as error:
                stop.set(str(error))

    renewing: asyncio.Task[None] | None = None
    try:
        if watch and (await store.runs.get(run)).state is not RunState.DONE:
            await store.runs.set_state(run, RunState.OPEN)
        renewing = asyncio.create_task(renew())
        yield
    finally:
        if renewing is not None:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
        with suppress(PanelError):
            await store.leases.release(lease)
