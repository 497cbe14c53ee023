"""Calls that cost money: what is meant to be asked is committed before the call, and what came of it right after.

A call whose answer was lost stays open: it may have been paid for. What another run has in flight is waited for and not asked
beside it; whether that run is still at work is told by its lease.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, func, insert, or_, select, update

from panel.core.base import Frozen
from panel.core.call_record import CallKey, CallRecord
from panel.core.completion import Completion, Usage
from panel.errors import StorageError
from panel.store.columns import now, plain
from panel.store.leases import LEASE_SECONDS, LOOKS
from panel.store.process_id import ProcessId
from panel.store.repository import Repository
from panel.store.schema import calls, runs

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container, Sequence

    from sqlalchemy import BindParameter, Connection, RowMapping

OPEN = "open"
ANSWERED = "answered"
FAILED = "failed"
WITHDRAWN = "withdrawn"

_STEP = (
    calls.c.key,
    calls.c.run_id.label("run"),
    calls.c.label,
    calls.c.provider,
    calls.c.model,
    calls.c.prompt_digest,
    calls.c.worst_usd,
    calls.c.most_calls,
)


class Call(Frozen):
    """One asking of a step.

    Attributes:
        id: its number.
        step: what was asked.
        seq: how often the step had been asked by then, this time included.
        begun_at: when it was meant to be asked.
    """

    id: int
    step: CallKey
    seq: int
    begun_at: datetime


class _InFlight(NamedTuple):
    """A call of another run of which nothing came yet, and how whoever works on that run last showed itself."""

    call: int
    token: str
    beat: int


# Another transaction begins it at this moment.
_BEING_BEGUN = _InFlight(0, "", 0)


class Calls(Repository):
    """Intents and answers."""

    async def find(self, key: str, run: int | None = None) -> CallRecord | None:
        """Return the latest answer to a step, or None if none was kept; with a run, only what it asked itself counts.

        Raises:
            StorageError: it cannot be read.
        """
        return await self._db.read(lambda connection: _find(connection, key, run))

    async def answered(self, keys: Sequence[str]) -> set[str]:
        """Return those keys of steps that were answered.

        Raises:
            StorageError: it cannot be read.
        """
        return await self._db.read(lambda connection: _answered(connection, keys))

    async def begin(self, step: CallKey) -> int:
        """Commit that a step is about to be asked, and return the number of the call; no call may be made without.

        Raises:
            StorageError: it was not committed.
        """
        return await self._db.write(lambda connection: _begin(connection, step))

    async def begin_once(
        self, step: CallKey, wait: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> int | Completion:
        """Begin a step, unless it was answered since that was looked for: then return the answer.

        A call that another run has in flight is waited for, until something came of it, or whoever works on that run has ended or
        has not shown itself for as long as a lease lasts.

        Args:
            step: what is asked, and for which run.
            wait: how to wait, in seconds; what it raises ends the waiting.

        Raises:
            StorageError: it was not committed.
        """
        seen: Counter[_InFlight] = Counter()
        while True:
            still = {call for call, looks in seen.items() if looks >= LOOKS}
            begun = await self._db.write(partial(self._begin_once, step, still))
            if not isinstance(begun, _InFlight):
                return begun
            seen[begun] += 1
            await wait(LEASE_SECONDS / LOOKS)

    def _begin_once(
        self, step: CallKey, still: Container[_InFlight], connection: Connection
    ) -> int | Completion | _InFlight:
        if not self._db.database.claim(connection, step.key):
            return _BEING_BEGUN
        taken = _taken(connection, step, still)
        return _begin(connection, step) if taken is None else taken

    async def settle(self, call_id: int, entry: CallRecord) -> None:
        """Commit what a call brought: an answer, usable or not, or a failure.

        Raises:
            StorageError: it was not committed, or no such call is open.
        """
        await self._db.write(lambda connection: _settle(connection, call_id, entry), paid=True)

    async def withdraw(self, call_id: int) -> None:
        """Commit that a call was not made after all.

        Raises:
            StorageError: it was not committed.
        """
        query = update(calls).where(calls.c.id == call_id, calls.c.state == OPEN)
        query = query.values(state=WITHDRAWN, settled_at=now())
        await self._db.write(lambda connection: connection.execute(query) and None)

    async def open_calls(self, run: int | None = None) -> list[Call]:
        """Return the calls, of one run or of all, of which nothing came: they may have been paid for."""
        return await self._db.read(lambda connection: _open_calls(connection, run))


# Statements of every call are made once: building one takes SQLAlchemy longer than running it.
_KEY: BindParameter[str] = bindparam("step_key")
_ANSWERS = (
    select(calls.c.completion)
    .where(calls.c.key == _KEY, calls.c.state == ANSWERED)
    .order_by(calls.c.id.desc())
    .limit(1)
)
_ANSWERS_OF_RUN = _ANSWERS.where(calls.c.run_id == bindparam("run"))
_TAKEN = (
    select(calls.c.id, calls.c.completion, runs.c.lease_token, runs.c.lease_beat, runs.c.lease_holder)
    # A call that an earlier holder of the same run left open is in nobody's hands.
    .outerjoin_from(calls, runs, (runs.c.id == calls.c.run_id) & (runs.c.lease_token == calls.c.lease_token))
    .where(
        calls.c.key == _KEY,
        or_(calls.c.state == ANSWERED, (calls.c.state == OPEN) & (runs.c.id != bindparam("run"))),
    )
    .order_by(calls.c.id.desc())
)
_EARLIER = select(func.count() + 1).select_from(calls).where(calls.c.key == _KEY).scalar_subquery()
_LEASE = select(runs.c.lease_token).where(runs.c.id == bindparam("of_run")).scalar_subquery()
_BEGIN = insert(calls).values(key=_KEY, seq=_EARLIER, state=OPEN, lease_token=_LEASE).returning(calls.c.id)
_SETTLE = update(calls).where(
    calls.c.id == bindparam("call"), calls.c.key == _KEY, calls.c.state == bindparam("open_state")
)


def _find(connection: Connection, key: str, run: int | None) -> CallRecord | None:
    if run is None:
        kept = connection.scalar(_ANSWERS, {"step_key": key})
    else:
        kept = connection.scalar(_ANSWERS_OF_RUN, {"step_key": key, "run": run})
    return None if kept is None else CallRecord(key=key, completion=Completion.model_validate(kept))


def _answered(connection: Connection, keys: Sequence[str]) -> set[str]:
    query = select(calls.c.key).where(calls.c.key.in_(keys), calls.c.state == ANSWERED)
    return set(connection.scalars(query))


def _taken(
    connection: Connection, step: CallKey, still: Container[_InFlight]
) -> Completion | _InFlight | None:
    """Return the answer to a step, or a call that may yet bring one."""
    in_flight = None
    for row in connection.execute(_TAKEN, {"step_key": step.key, "run": step.run}):
        if row.completion is not None:
            return Completion.model_validate(row.completion)
        call = _InFlight(row.id, row.lease_token, row.lease_beat)
        if call not in still and not ProcessId.model_validate(row.lease_holder).has_ended:
            in_flight = call
    return in_flight


def _begin(connection: Connection, step: CallKey) -> int:
    row = {
        "step_key": step.key,
        "run_id": step.run,
        "of_run": step.run,
        "label": plain(step.label),
        "provider": step.provider,
        "model": plain(step.model),
        "prompt_digest": step.prompt_digest,
        "worst_usd": step.worst_usd,
        "most_calls": step.most_calls,
        "begun_at": now(),
    }
    return int(connection.execute(_BEGIN, row).scalar_one())


def _settle(connection: Connection, call_id: int, entry: CallRecord) -> None:
    call = {"call": call_id, "step_key": entry.key, "open_state": OPEN}
    if connection.execute(_SETTLE, {**call, "settled_at": now(), **_outcome(entry)}).rowcount != 1:
        raise StorageError(
            f"call {call_id} is not open, so that nothing can be kept of it; begin a call first"
        )


def _outcome(entry: CallRecord) -> dict[str, Any]:
    if (answer := entry.completion) is not None:
        return {
            "state": ANSWERED,
            "completion": answer.model_dump(mode="json"),
            "attempts": answer.attempts,
            "request_id": plain(answer.request_id),
            **answer.usage.model_dump(mode="json"),
        }
    if (failure := entry.failure) is not None:
        return {
            "state": FAILED,
            "failure": failure.model_dump(mode="json"),
            "attempts": failure.attempts,
            **Usage.lost(failure.lost_calls).model_dump(mode="json"),
        }
    raise StorageError("nothing came of the call; settle it with an answer or a failure")


def _open_calls(connection: Connection, run: int | None) -> list[Call]:
    query = select(calls.c.id, calls.c.seq, calls.c.begun_at, *_STEP).where(calls.c.state == OPEN)
    if run is not None:
        query = query.where(calls.c.run_id == run)
    return [_call(row) for row in connection.execute(query.order_by(calls.c.id)).mappings()]


def _call(row: RowMapping) -> Call:
    step = CallKey.model_validate({name: row[name] for name in CallKey.model_fields})
    return Call(id=row["id"], step=step, seq=row["seq"], begun_at=row["begun_at"])
