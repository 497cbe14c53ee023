"""Leases: at most one process works on a run, and no clock is trusted for that.

The holder of a lease moves its beat forward. A process that wants the run watches the beat: if the beat moves, the holder is at work; if it
stands still for as long as a lease lasts, by the watcher's own waiting, the holder is dead. No clocks of two machines are compared
(the rule of Amazon DynamoDB's lock client). A holder on the same machine whose process has ended is replaced at once.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import null, or_, select, update

from panel.core.frozen import Frozen
from panel.core.text import utc_time
from panel.errors import RunStopped, StorageError
from panel.store.columns import now
from panel.store.process_id import ProcessId
from panel.store.repository import Repository, reads, writes
from panel.store.schema import runs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy import ColumnElement, Connection

LEASE_SECONDS = 15.0
RENEW_SECONDS = 5.0
LOOKS = 15


class Lease(Frozen):
    """The exclusive right to work on a run.

    `token` tells it from an earlier lease of the same holder; `beat` counts renewals; `since` is for people to read.
    """

    run: int
    token: str
    beat: int
    holder: ProcessId
    since: datetime


class Leases(Repository):
    """Leases of runs."""

    async def acquire(
        self,
        run: int,
        holder: ProcessId | None = None,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> Lease:
        """Acquire the lease of a run for this process or another holder; it must be renewed every 5 s.

        Takes up to 15 s if a process of another machine held the run and died. `wait` waits a number of seconds.

        Raises:
            RunStopped: another process holds the run and is at work.
            StorageError: there is no such run, or the lease was not committed.
        """
        found = await self._get(run)
        if found and not found.holder.has_ended:
            await self._watch(found, wait)
        lease = Lease(
            run=run, token=secrets.token_hex(16), beat=0, holder=holder or ProcessId.current(), since=now()
        )
        if await self._acquire(lease, found):
            return lease
        faster = await self._get(run)
        if faster is None:
            return await self.acquire(run, holder, wait)
        raise _held(faster)

    async def renew(self, lease: Lease) -> None:
        """Move the beat, which shows that the holder is at work.

        Raises:
            RunStopped: another process took the lease, or it was released.
            StorageError: the renewal was not committed.
        """
        moved = {"lease_beat": runs.c.lease_beat + 1}
        if not await self._update(lease, moved):
            raise RunStopped(
                f"the lease of run {lease.run} was lost; run it again once nobody else works on it"
            )

    async def release(self, lease: Lease) -> None:
        """Give a lease back; one that was lost is left alone."""
        free = {"lease_token": None, "lease_holder": null(), "lease_since": None}
        await self._update(lease, free)

    async def _watch(self, lease: Lease, wait: Callable[[float], Awaitable[None]]) -> None:
        for _ in range(LOOKS):
            await wait(LEASE_SECONDS / LOOKS)
            found = await self._get(lease.run)
            if found is None:
                return
            if (found.token, found.beat) != (lease.token, lease.beat):
                raise _held(found)

    @reads
    def _get(self, connection: Connection, run: int) -> Lease | None:
        columns = ("lease_token", "lease_beat", "lease_holder", "lease_since")
        query = select(*(runs.c[name].label(name.removeprefix("lease_")) for name in columns))
        query = query.where(runs.c.id == run)
        row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise StorageError(f"{self._db.where} holds no run {run}")
        return Lease(run=run, **row) if row["token"] else None

    @writes
    def _acquire(self, connection: Connection, lease: Lease, found: Lease | None) -> bool:
        is_free: ColumnElement[bool] = runs.c.lease_token.is_(None)
        if found:
            is_free = or_(is_free, (runs.c.lease_token == found.token) & (runs.c.lease_beat == found.beat))
        query = update(runs).where(runs.c.id == lease.run, is_free)
        query = query.values(
            lease_token=lease.token,
            lease_holder=lease.holder.model_dump(),
            lease_beat=lease.beat,
            lease_since=lease.since,
        )
        return connection.execute(query).rowcount == 1

    @writes
    def _update(self, connection: Connection, lease: Lease, values: dict[str, Any]) -> bool:
        query = update(runs).where(runs.c.id == lease.run, runs.c.lease_token == lease.token)
        return connection.execute(query.values(**values)).rowcount == 1


def _held(lease: Lease) -> RunStopped:
    since = utc_time(lease.since)
    return RunStopped(
        f"run {lease.run} is held by {lease.holder} since {since}; wait until that has ended, then run it again"
    )
