"""People who sign in, and their sessions. Passwords and tokens come here as hashes, made elsewhere, and mean nothing here."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from panel.core.base import Frozen
from panel.core.draft_rules import Actor, PersonName, Role
from panel.core.text import canonical
from panel.errors import SettingsError
from panel.store.clock import database_time
from panel.store.columns import insert_new, now
from panel.store.repository import Repository
from panel.store.schema import sessions, users

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection


class User(Frozen):
    """Somebody who may sign in.

    Attributes:
        id: their number.
        name: as it is printed under what they approve; unique without case.
        role: what they are trusted with.
        password: the hash of their password.
        created_at: when they were added.
        disabled_at: since when they may no longer sign in; None if they may.
    """

    id: int
    name: PersonName
    role: Role
    password: str
    created_at: datetime
    disabled_at: datetime | None = None

    @property
    def actor(self) -> Actor:
        """Them, as drafts know them."""
        return Actor(name=self.name, role=self.role)


class Users(Repository):
    """Users and sessions."""

    async def add(self, actor: Actor, password: str) -> int:
        """Add somebody, and return their number.

        Args:
            actor: their name and role.
            password: the hash of their password.

        Raises:
            SettingsError: there is somebody of this name.
            StorageError: it was not committed.
        """
        row = {"canonical": canonical(actor.name), "name": actor.name, "role": actor.role}
        number = await self._db.write(lambda connection: _add(connection, {**row, "password": password}))
        if number is None:
            raise SettingsError(f"there is a user {actor.name} already; choose another name")
        return number

    async def get(self, name: str) -> User | None:
        """Return somebody by name, without case; None if there is nobody of it."""
        found = await self._db.read(
            lambda connection: _users(connection, users.c.canonical == canonical(name))
        )
        return found[0] if found else None

    async def all(self) -> list[User]:
        """Return everybody, in the order they were added, those who may no longer sign in included."""
        return await self._db.read(_users)

    async def set_role(self, name: str, role: Role) -> None:
        """Trust somebody with something else; sessions that are open know it at once.

        Raises:
            SettingsError: there is nobody of this name.
        """
        await self._change(name, {"role": role})

    async def set_password(self, name: str, password: str) -> None:
        """Keep the hash of another password, and end all sessions of that user.

        Raises:
            SettingsError: there is nobody of this name.
        """
        await self._change(name, {"password": password}, leave=True)

    async def disable(self, name: str) -> None:
        """Let somebody no longer sign in, and end all their sessions; what they did stays theirs.

        Raises:
            SettingsError: there is nobody of this name.
        """
        await self._change(name, {"disabled_at": now()}, leave=True)

    async def enable(self, name: str) -> None:
        """Let somebody sign in again.

        Raises:
            SettingsError: there is nobody of this name.
        """
        await self._change(name, {"disabled_at": None})

    async def begin_session(self, user: int, token_hash: str, seconds: float) -> None:
        """Keep a session, by the database's clock; sessions that have lapsed are forgotten.

        Args:
            user: the user's number.
            token_hash: the hash of the token that the browser keeps.
            seconds: how long it lasts.

        Raises:
            StorageError: there is no such user, or it was not committed.
        """
        await self._db.write(lambda connection: _begin(connection, user, token_hash, seconds))

    async def session_user(self, token_hash: str) -> User | None:
        """Return whose session it is; None if it has lapsed or ended, or they may no longer sign in."""
        return await self._db.read(lambda connection: _session_user(connection, token_hash))

    async def end_session(self, token_hash: str) -> None:
        """End a session; one that has ended is left alone."""
        query = delete(sessions).where(sessions.c.token_hash == token_hash)
        await self._db.write(lambda connection: connection.execute(query))

    async def _change(self, name: str, values: dict[str, Any], *, leave: bool = False) -> None:
        found = await self._db.write(lambda connection: _change(connection, name, values, leave=leave))
        if not found:
            raise SettingsError(f"there is no user {name}; add them first")


_USER = tuple(users.c[name] for name in User.model_fields)


def _users(connection: Connection, *where: ColumnElement[bool]) -> list[User]:
    query = select(*_USER).where(*where).order_by(users.c.id)
    return [User.model_validate(dict(row)) for row in connection.execute(query).mappings()]


def _add(connection: Connection, row: dict[str, Any]) -> int | None:
    query = insert_new(connection, users).values(**row, created_at=now()).returning(users.c.id)
    number: int | None = connection.scalar(query)
    return number


def _change(connection: Connection, name: str, values: dict[str, Any], *, leave: bool) -> bool:
    mine = users.c.canonical == canonical(name)
    found = connection.execute(update(users).where(mine).values(**values)).rowcount == 1
    if leave:
        connection.execute(delete(sessions).where(sessions.c.user_id.in_(select(users.c.id).where(mine))))
    return found


def _begin(connection: Connection, user: int, token_hash: str, seconds: float) -> None:
    time = database_time(connection)
    connection.execute(delete(sessions).where(sessions.c.until <= time))
    row = {"token_hash": token_hash, "user_id": user, "created_at": now(), "until": time + seconds}
    connection.execute(insert(sessions).values(**row))


def _session_user(connection: Connection, token_hash: str) -> User | None:
    mine = select(sessions.c.user_id).where(
        sessions.c.token_hash == token_hash, sessions.c.until > database_time(connection)
    )
    found = _users(connection, users.c.id.in_(mine), users.c.disabled_at.is_(None))
    return found[0] if found else None
