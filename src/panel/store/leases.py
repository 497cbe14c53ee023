"""Who works on a run: a lease that no clock can break.

A lease has a beat that its holder moves on. Whoever wants the run watches the beat: it has moved, so somebody is at work; or it
has stood still for as long as a lease lasts, by the watcher's own waiting, so nobody is. No two machines' clocks are compared,
and none that can be set is read (the rule of Amazon DynamoDB's lock client). A holder on this machine whose process has ended needs no
watching.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import null, or_, select, update

from panel.core.base import Frozen
from panel.errors import RunStopped, StorageError
from panel.store.columns import now
from panel.store.process_id import ProcessId
from panel.store.repository import Repository
from panel.store.schema import runs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy import ColumnElement, Connection, Update

LEASE_SECONDS = 15.0
RENEW_SECONDS = 5.0
LOOKS = 15


class Lease(Frozen):
    """The right to work on a run.

    Attributes:
        run: the run.
        token: what tells this lease from an earlier one of the same holder.
        beat: how often it was renewed.
        holder: who has it.
        since: when it was given, for people to read.
    """

    run: int
    token: str
    beat: int
    holder: ProcessId
    since: datetime


class Leases(Repository):
    """One holder for each run."""

    async def acquire(
        self,
        run: int,
        holder: ProcessId | None = None,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> Lease:
        """Take the lease of a run; it must be renewed every 5 s.

        Takes up to 15 s if the run was held by a process of another machine that ended without a word.

        Args:
            run: the run.
            holder: who takes it; this process unless given.
            wait: how to wait, in seconds.

        Raises:
            RunStopped: somebody else holds it, and is at work.
            StorageError: there is no such run, or it was not committed.
        """
        found = await self._lease(run)
        if found and not found.holder.has_ended:
            await self._watch(found, wait)
        mine = Lease(
            run=run, token=secrets.token_hex(16), beat=0, holder=holder or ProcessId.current(), since=now()
        )
        if await self._db.write(lambda connection: _take(connection, mine, found)):
            return mine
        faster = await self._lease(run)
        if faster is None:
            return await self.acquire(run, holder, wait)
        raise _held(faster)

    async def renew(self, lease: Lease) -> None:
        """Show that the holder is at work.

        Raises:
            RunStopped: the lease was lost to somebody else, or released.
            StorageError: it was not committed.
        """
        moved = {"lease_beat": runs.c.lease_beat + 1}
        if not await self._db.write(lambda connection: _change(connection, lease, moved)):
            raise RunStopped(
                f"the lease of run {lease.run} was lost; run it again once nobody else works on it"
            )

    async def release(self, lease: Lease) -> None:
        """Give a lease back; one that was lost is left alone."""
        await self._db.write(lambda connection: _change(connection, lease, _FREE))

    async def _watch(self, lease: Lease, wait: Callable[[float], Awaitable[None]]) -> None:
        for _ in range(LOOKS):
            await wait(LEASE_SECONDS / LOOKS)
            found = await self._lease(lease.run)
            if found is None:
                return
            if (found.token, found.beat) != (lease.token, lease.beat):
                raise _held(found)

    async def _lease(self, run: int) -> Lease | None:
        row = await self._db.read(lambda connection: _row(connection, run))
        if row is None:
            raise StorageError(f"{self._db.where} holds no run {run}")
        return Lease.model_validate(row) if row["token"] else None


_FREE: dict[str, Any] = {"lease_token": None, "lease_holder": null(), "lease_since": None}


def _row(connection: Connection, run: int) -> dict[str, Any] | None:
    fields = {
        "run": runs.c.id,
        "token": runs.c.lease_token,
        "beat": runs.c.lease_beat,
        "holder": runs.c.lease_holder,
        "since": runs.c.lease_since,
    }
    query = select(*(column.label(name) for name, column in fields.items())).where(runs.c.id == run)
    row = connection.execute(query).mappings().one_or_none()
    return dict(row) if row else None


def _take(connection: Connection, lease: Lease, found: Lease | None) -> bool:
    free: ColumnElement[bool] = runs.c.lease_token.is_(None)
    if found:
        free = or_(free, (runs.c.lease_token == found.token) & (runs.c.lease_beat == found.beat))
    query = update(runs).where(runs.c.id == lease.run, free)
    return _changed(
        connection,
        query.values(
            lease_token=lease.token,
            lease_holder=lease.holder.model_dump(),
            lease_beat=lease.beat,
            lease_since=lease.since,
        ),
    )


def _change(connection: Connection, lease: Lease, values: dict[str, Any]) -> bool:
    query = update(runs).where(runs.c.id == lease.run, runs.c.lease_token == lease.token)
    return _changed(connection, query.values(**values))


def _changed(connection: Connection, query: Update) -> bool:
    return connection.execute(query).rowcount == 1


def _held(lease: Lease) -> RunStopped:
    since = f"{lease.since:%Y-%m-%d %H:%M:%S} UTC"
    return RunStopped(
        f"run {lease.run} is held by {lease.holder} since {since}; wait until that has ended, then run it again"
    )
