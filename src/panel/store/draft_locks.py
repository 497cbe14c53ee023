"""Who has a draft before them, for ten minutes at a time, so that two people do not read the same one.

It is a courtesy, and by the database's clock: if that jumps, somebody is let in early or late. That nobody's work is overwritten
does not rest on it, but on the hash of what each was shown.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from panel.core.base import Frozen
from panel.core.draft_rules import Action, Actor
from panel.core.text import canonical
from panel.errors import NotFound
from panel.store.columns import database_time
from panel.store.events import Event, add_event
from panel.store.repository import Repository
from panel.store.schema import claims, drafts

if TYPE_CHECKING:
    from sqlalchemy import Connection

CLAIM_SECONDS = 600.0


class Claim(Frozen):
    """Who has a draft before them.

    Attributes:
        draft: the draft.
        holder: their name.
        seconds: for how long yet, unless they claim it again.
    """

    draft: int
    holder: str
    seconds: float

    @property
    def minutes(self) -> int:
        """For how many minutes yet, begun ones included."""
        return math.ceil(self.seconds / 60)

    def is_of(self, name: str) -> bool:
        """Whether it is somebody's."""
        return canonical(self.holder) == canonical(name)


class Claims(Repository):
    """One reader for each draft."""

    async def claim(self, draft: int, actor: Actor) -> Claim:
        """Take a draft for ten minutes, or for ten more; return whose it is, which is somebody else's if they were faster.

        Raises:
            StorageError: there is no such draft, or it was not committed.
        """
        return await self._db.write(lambda connection: _claim(connection, draft, actor))

    async def claim_of(self, draft: int) -> Claim | None:
        """Return who has a draft before them, if anybody has."""
        return await self._db.read(lambda connection: claim_of(connection, draft))

    async def take_over(self, draft: int, actor: Actor) -> Claim:
        """Take a draft from whoever has it, which its history shows.

        Raises:
            StorageError: there is no such draft, or it was not committed.
        """
        return await self._db.write(lambda connection: _take_over(connection, draft, actor))

    async def let_go(self, draft: int, actor: Actor) -> None:
        """Give a draft back; somebody else's is left alone."""
        await self._db.write(lambda connection: let_go(connection, draft, actor))


def claim_of(connection: Connection, draft: int) -> Claim | None:
    """Return who has a draft before them, if anybody has."""
    row = connection.execute(select(claims).where(claims.c.draft_id == draft)).one_or_none()
    left = row.until - database_time(connection) if row else 0.0
    return Claim(draft=draft, holder=row.holder, seconds=left) if row and left > 0 else None


def let_go(connection: Connection, draft: int, actor: Actor) -> None:
    """Give a draft back; somebody else's is left alone."""
    found = claim_of(connection, draft)
    if found and found.is_of(actor.name):
        connection.execute(delete(claims).where(claims.c.draft_id == draft))


def _claim(connection: Connection, draft: int, actor: Actor) -> Claim:
    _shown(connection, draft)
    found = claim_of(connection, draft)
    return found if found and not found.is_of(actor.name) else _give(connection, draft, actor)


def _take_over(connection: Connection, draft: int, actor: Actor) -> Claim:
    shown = _shown(connection, draft)
    found = claim_of(connection, draft)
    if found and not found.is_of(actor.name):
        payload = {"role": actor.role, "from": found.holder}
        event = Event(
            draft=draft,
            actor=actor.name,
            kind=Action.TAKE_OVER,
            hash_before=shown,
            hash_after=shown,
            payload=payload,
        )
        add_event(connection, event)
    return _give(connection, draft, actor)


def _give(connection: Connection, draft: int, actor: Actor) -> Claim:
    connection.execute(delete(claims).where(claims.c.draft_id == draft))
    until = database_time(connection) + CLAIM_SECONDS
    connection.execute(insert(claims).values(draft_id=draft, holder=actor.name, until=until))
    return Claim(draft=draft, holder=actor.name, seconds=CLAIM_SECONDS)


def _shown(connection: Connection, draft: int) -> str:
    """Return what is shown of a draft, which nobody changes until the transaction has ended."""
    shown: str | None = connection.scalar(
        select(drafts.c.shown).where(drafts.c.id == draft).with_for_update()
    )
    if shown is None:
        raise NotFound(f"there is no draft {draft}; see the queue for those that there are")
    return shown
