"""Draft locks: one reader at a time, for ten minutes by the database's clock.

A lock is a courtesy and may lapse early or late when the clock jumps. It does not protect anybody's work; the hash of the version that
each reader was shown does.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from panel.core.draft_state import Action, DraftEvent
from panel.core.frozen import Frozen
from panel.core.text import canonical
from panel.errors import NotFound
from panel.store.columns import database_time
from panel.store.events import add_event
from panel.store.repository import Repository, reads, writes
from panel.store.schema import draft_locks, drafts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from panel.core.actor import Actor

LOCK_SECONDS = 600.0


class DraftLock(Frozen):
    """A draft that is reserved for a reader, the holder, for some seconds more."""

    draft: int
    holder: str
    seconds: float

    @property
    def minutes(self) -> int:
        """Minutes left, rounded up."""
        return math.ceil(self.seconds / 60)

    def is_of(self, name: str) -> bool:
        """Return whether the lock is a person's."""
        return canonical(self.holder) == canonical(name)


class DraftLocks(Repository):
    """Locks of drafts."""

    @writes
    def lock(self, connection: Connection, draft: int, actor: Actor) -> DraftLock:
        """Lock a draft for ten minutes, or renew the lock; return the lock in force, which may be another reader's."""
        _shown_hash(connection, draft)
        found = find_lock(connection, draft)
        return found if found and not found.is_of(actor.name) else _give(connection, draft, actor)

    @reads
    def get(self, connection: Connection, draft: int) -> DraftLock | None:
        """Return the lock of a draft, or None if it has none."""
        return find_lock(connection, draft)

    @writes
    def take_over(self, connection: Connection, draft: int, actor: Actor) -> DraftLock:
        """Lock a draft, also if another reader holds it, which adds an event."""
        shown = _shown_hash(connection, draft)
        found = find_lock(connection, draft)
        if found and not found.is_of(actor.name):
            event = DraftEvent(
                draft=draft,
                actor=actor.name,
                kind=Action.TAKE_OVER,
                hash_before=shown,
                hash_after=shown,
                payload={"role": actor.role, "from": found.holder},
            )
            add_event(connection, event)
        return _give(connection, draft, actor)

    @writes
    def release(self, connection: Connection, draft: int, actor: Actor) -> None:
        """Release the lock of a draft if it is the actor's."""
        release_lock(connection, draft, actor)


def find_lock(connection: Connection, draft: int) -> DraftLock | None:
    """Return the lock of a draft, or None if it has none."""
    row = connection.execute(select(draft_locks).where(draft_locks.c.draft_id == draft)).one_or_none()
    left = row.until - database_time(connection) if row else 0.0
    return DraftLock(draft=draft, holder=row.holder, seconds=left) if row and left > 0 else None


def release_lock(connection: Connection, draft: int, actor: Actor) -> None:
    """Release the lock of a draft if it is the actor's."""
    found = find_lock(connection, draft)
    if found and found.is_of(actor.name):
        connection.execute(delete(draft_locks).where(draft_locks.c.draft_id == draft))


def _give(connection: Connection, draft: int, actor: Actor) -> DraftLock:
    connection.execute(delete(draft_locks).where(draft_locks.c.draft_id == draft))
    until = database_time(connection) + LOCK_SECONDS
    connection.execute(insert(draft_locks).values(draft_id=draft, holder=actor.name, until=until))
    return DraftLock(draft=draft, holder=actor.name, seconds=LOCK_SECONDS)


def _shown_hash(connection: Connection, draft: int) -> str:
    """Return the hash of the shown version, with the draft's row locked until the transaction ends."""
    query = select(drafts.c.shown).where(drafts.c.id == draft).with_for_update()
    shown: str | None = connection.scalar(query)
    if shown is None:
        raise NotFound(f"there is no draft {draft}; see the queue for those that there are")
    return shown
