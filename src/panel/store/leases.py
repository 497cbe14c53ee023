"""Leases: at most one process works on a run, and no clock is trusted for that.

The holder of a lease moves its beat forward. A process that wants the run watches the beat: if the beat moves, the holder is at work; if it
stands still for as long as a lease lasts, by the watcher's own waiting, the holder is dead. No clocks of two machines are compared
(the rule of Amazon DynamoDB's lock client). A holder on the same machine whose process has ended is replaced at once.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import null, or_, select, update

from panel.core.frozen import Frozen
from panel.core.text import utc_time
from panel.errors import RunStopped
from panel.store.columns import now
from panel.store.runs import missing_run
from panel.store.schema import runs
from panel.store.transactions import Repository, reads, writes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy import ColumnElement, Connection

LEASE_SECONDS = 15.0
RENEW_SECONDS = 5.0
LOOKS = 15
PROC = Path("/proc")
_ENDED_STATES = {"Z", "X"}


class ProcessId(Frozen):
    """A process, distinguished from all others.

    `space` is the machine's boot and PID namespace: two PIDs can be compared only within one. `started`, in clock ticks, tells the process
    from a later one of the same PID; it is empty where the system does not report it.
    """

    host: str
    space: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> ProcessId:
        """Return the identity of this process."""
        pid = os.getpid()
        started = _state_and_start(pid)[1]
        return cls(host=socket.gethostname(), space=_current_space(), pid=pid, started=started)

    @property
    def is_local(self) -> bool:
        """Whether the process is of this machine, so that it can be seen from here."""
        return self.space == _current_space()

    @property
    def has_ended(self) -> bool:
        """Whether the process is known to have ended; False for one of another machine."""
        if not self.is_local:
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False
        state, started = _state_and_start(self.pid)
        return state in _ENDED_STATES or started != self.started

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def _current_space() -> str:
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {(PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _state_and_start(pid: int) -> tuple[str, str]:
    # Fields 3 and 22 of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; field 2 may hold anything in brackets.
    try:
        fields = (PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return "", ""
    return fields[0], fields[19]


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
    """Leases of runs. Every method raises StorageError if it cannot be done."""

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
        """
        found = await self._get(run)
        if found and not found.holder.has_ended:
            await self._watch(found, wait)
        lease = Lease(
            run=run, token=secrets.token_hex(16), beat=0, holder=holder or ProcessId.current(), since=now()
        )
        is_free: ColumnElement[bool] = runs.c.lease_token.is_(None)
        if found:
            is_free = or_(is_free, _is_of(found) & (runs.c.lease_beat == found.beat))
        values = {f"lease_{name}": value for name, value in lease.model_dump(exclude={"run"}).items()}
        if await self._update(lease, is_free, values):
            return lease
        faster = await self._get(run)
        if faster is None:
            return await self.acquire(run, holder, wait)
        raise _held(faster)

    async def renew(self, lease: Lease) -> None:
        """Move the beat, which shows that the holder is at work; raises RunStopped if the lease was taken or released."""
        if not await self._update(lease, _is_of(lease), {"lease_beat": runs.c.lease_beat + 1}):
            raise RunStopped(
                f"the lease of run {lease.run} was lost; run it again once nobody else works on it"
            )

    async def release(self, lease: Lease) -> None:
        """Give a lease back; one that was lost is left alone."""
        free = {"lease_token": None, "lease_holder": null(), "lease_since": None}
        await self._update(lease, _is_of(lease), free)

    @writes
    def _update(
        self, connection: Connection, lease: Lease, where: ColumnElement[bool], values: dict[str, Any]
    ) -> bool:
        query = update(runs).where(runs.c.id == lease.run, where).values(**values)
        return bool(connection.execute(query).rowcount)

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
        columns = (runs.c[f"lease_{name}"].label(name) for name in Lease.model_fields if name != "run")
        query = select(*columns).where(runs.c.id == run)
        row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise missing_run(self._db.where, run)
        return Lease(run=run, **row) if row["token"] else None


def _is_of(lease: Lease) -> ColumnElement[bool]:
    return runs.c.lease_token == lease.token


def _held(lease: Lease) -> RunStopped:
    since = utc_time(lease.since)
    return RunStopped(
        f"run {lease.run} is held by {lease.holder} since {since}; wait until that has ended, then run it again"
    )
