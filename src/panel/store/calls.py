"""Calls that cost money: the intent is committed before a call is made, and its outcome right after.

A call whose outcome was lost stays open: it may have been billed. A call that another run has in flight is waited for, so that no
question is paid for twice; the lease of that run tells whether it is still at work.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, insert, or_, select, update

from panel.core.completion import CallKey, CallRecord, Completion, Usage
from panel.errors import StorageError
from panel.store.columns import now, without_nul
from panel.store.leases import LEASE_SECONDS, LOOKS, ProcessId
from panel.store.schema import calls, runs
from panel.store.transactions import Repository, reads, writes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container, Sequence

    from sqlalchemy import BindParameter, Connection

OPEN = "open"
ANSWERED = "answered"
FAILED = "failed"
WITHDRAWN = "withdrawn"


class _InFlight(NamedTuple):
    """A call of another run without an outcome, and the beat of that run's lease."""

    call: int
    token: str
    beat: int


# Another transaction is about to begin the same call.
_BEING_BEGUN = _InFlight(0, "", 0)


class Calls(Repository):
    """Calls and their outcomes. Every method raises StorageError if it cannot be done."""

    @reads
    def find(self, connection: Connection, key: str, run: int | None = None) -> CallRecord | None:
        """Return the latest answer to a key, of one run or of any, or None."""
        if run is None:
            answer = connection.scalar(_LATEST_ANSWER, {"call_key": key})
        else:
            answer = connection.scalar(_LATEST_ANSWER_OF_RUN, {"call_key": key, "run": run})
        return None if answer is None else CallRecord(key=key, completion=Completion.model_validate(answer))

    @reads
    def answered(self, connection: Connection, keys: Sequence[str]) -> set[str]:
        """Return the keys that have an answer."""
        query = select(calls.c.key).where(calls.c.key.in_(keys), calls.c.state == ANSWERED)
        return set(connection.scalars(query))

    @writes
    def begin(self, connection: Connection, key: CallKey) -> int:
        """Commit the intent to make a call, and return the call's id; no call may be made without."""
        return _begin(connection, key)

    async def begin_once(
        self, key: CallKey, wait: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> int | Completion:
        """Begin a call unless it was answered in the meantime; return the call's id, or the answer.

        If another run has the same call in flight, wait for its outcome, until that run's process has ended or its lease has not moved for as
        long as a lease lasts. `wait` waits a number of seconds; an exception that it raises ends the waiting.
        """
        looks: Counter[_InFlight] = Counter()
        while True:
            abandoned = {call for call, count in looks.items() if count >= LOOKS}
            begun = await self._begin_unless_answered(key, abandoned)
            if not isinstance(begun, _InFlight):
                return begun
            looks[begun] += 1
            await wait(LEASE_SECONDS / LOOKS)

    @writes
    def _begin_unless_answered(
        self, connection: Connection, key: CallKey, abandoned: Container[_InFlight]
    ) -> int | Completion | _InFlight:
        if not self._db.database.try_lock(connection, key.key):
            return _BEING_BEGUN
        in_flight = None
        for row in connection.execute(_ANSWERED_OR_IN_FLIGHT, {"call_key": key.key, "run": key.run}):
            if row.completion is not None:
                return Completion.model_validate(row.completion)
            call = _InFlight(row.id, row.lease_token, row.lease_beat)
            if call not in abandoned and not ProcessId.model_validate(row.lease_holder).has_ended:
                in_flight = call
        return in_flight or _begin(connection, key)

    async def settle(self, call: int, record: CallRecord) -> None:
        """Commit the outcome of an open call: an answer, usable or not, or a failure."""
        await self._db.write(lambda connection: _settle(connection, call, record), paid=True)

    @writes
    def withdraw(self, connection: Connection, call: int) -> None:
        """Record that an open call was not made."""
        query = update(calls).where(calls.c.id == call, calls.c.state == OPEN)
        connection.execute(query.values(state=WITHDRAWN, settled_at=now()))


# The statements of every call are built once: SQLAlchemy takes longer to build one than to run it.
_KEY: BindParameter[str] = bindparam("call_key")
_LATEST_ANSWER = (
    select(calls.c.completion)
    .where(calls.c.key == _KEY, calls.c.state == ANSWERED)
    .order_by(calls.c.id.desc())
    .limit(1)
)
_LATEST_ANSWER_OF_RUN = _LATEST_ANSWER.where(calls.c.run_id == bindparam("run"))
_ANSWERED_OR_IN_FLIGHT = (
    select(calls.c.id, calls.c.completion, runs.c.lease_token, runs.c.lease_beat, runs.c.lease_holder)
    # A call that an earlier holder of the same run left open is not in flight: its lease token is another one.
    .outerjoin_from(calls, runs, (runs.c.id == calls.c.run_id) & (runs.c.lease_token == calls.c.lease_token))
    .where(
        calls.c.key == _KEY,
        or_(calls.c.state == ANSWERED, (calls.c.state == OPEN) & (runs.c.id != bindparam("run"))),
    )
    .order_by(calls.c.id.desc())
)
_LEASE_TOKEN = select(runs.c.lease_token).where(runs.c.id == bindparam("of_run")).scalar_subquery()
_BEGIN = insert(calls).values(key=_KEY, state=OPEN, lease_token=_LEASE_TOKEN).returning(calls.c.id)
_SETTLE = update(calls).where(
    calls.c.id == bindparam("call"), calls.c.key == _KEY, calls.c.state == bindparam("open_state")
)


def _begin(connection: Connection, key: CallKey) -> int:
    row = {
        "call_key": key.key,
        "run_id": key.run,
        "of_run": key.run,
        "label": without_nul(key.label),
        "provider": key.provider,
        "model": without_nul(key.model),
        "prompt_digest": key.prompt_digest,
        "worst_usd": key.worst_usd,
        "most_calls": key.most_calls,
        "begun_at": now(),
    }
    return int(connection.execute(_BEGIN, row).scalar_one())


def _settle(connection: Connection, call: int, record: CallRecord) -> None:
    where = {"call": call, "call_key": record.key, "open_state": OPEN}
    if connection.execute(_SETTLE, {**where, "settled_at": now(), **_outcome(record)}).rowcount != 1:
        raise StorageError(f"call {call} is not open: it was settled or withdrawn already")


def _outcome(record: CallRecord) -> dict[str, Any]:
    if (answer := record.completion) is not None:
        row = {"state": ANSWERED, "completion": answer.model_dump(mode="json")}
        usage = answer.usage
    elif (failure := record.failure) is not None:
        row = {"state": FAILED, "failure": failure.model_dump(mode="json")}
        usage = Usage.lost(failure.lost_calls)
    else:
        raise StorageError("a call is settled with an answer or with a failure")
    # Statistics add up these columns; the outcome holds the same figures.
    return row | usage.model_dump(include={"input_tokens", "output_tokens", "cost_usd", "lost_calls"})
