"""Users who sign in to the queue, and their sessions. Passwords and tokens arrive as hashes."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from panel.core.actor import Actor, PersonName, Role
from panel.core.frozen import Frozen
from panel.core.text import canonical
from panel.errors import SettingsError
from panel.store.columns import columns_of, database_time, insert_new, now
from panel.store.schema import sessions, users
from panel.store.transactions import Repository, load, load_one, reads, writes

if TYPE_CHECKING:
    from sqlalchemy import Connection


class User(Frozen):
    """A person who may sign in, unless `disabled_at` is set.

    `name` is printed under their approvals and unique without case; `password` is a hash.
    """

    id: int
    name: PersonName
    role: Role
    password: str
    created_at: datetime
    disabled_at: datetime | None = None

    @property
    def actor(self) -> Actor:
        """The user as the actor of draft events."""
        return Actor(name=self.name, role=self.role)


class Users(Repository):
    """Users and sessions. Names are compared without case. Changing a user raises SettingsError if there is none of this name."""

    @writes
    def add(self, connection: Connection, actor: Actor, password: str) -> int:
        """Add a user with the hash of a password, and return the user's id; raises SettingsError if the name is taken."""
        row = {
            "canonical": canonical(actor.name),
            "name": actor.name,
            "role": actor.role,
            "password": password,
            "created_at": now(),
        }
        number: int | None = connection.scalar(
            insert_new(connection, users).values(**row).returning(users.c.id)
        )
        if number is None:
            raise SettingsError(f"there is a user {actor.name} already; choose another name")
        return number

    @reads
    def get(self, connection: Connection, name: str) -> User | None:
        """Return a user by name."""
        query = select(*columns_of(users, User)).where(users.c.canonical == canonical(name))
        return load_one(connection, User, query)

    @reads
    def all(self, connection: Connection) -> list[User]:
        """Return all users by id, disabled ones included."""
        return load(connection, User, select(*columns_of(users, User)).order_by(users.c.id))

    async def set_role(self, name: str, role: Role) -> None:
        """Change a user's role, in open sessions too."""
        await self._update(name, {"role": role}, sign_out=False)

    async def set_password(self, name: str, password: str) -> None:
        """Replace the hash of a user's password and end their sessions."""
        await self._update(name, {"password": password}, sign_out=True)

    async def disable(self, name: str) -> None:
        """Keep a user from signing in and end their sessions."""
        await self._update(name, {"disabled_at": now()}, sign_out=True)

    async def enable(self, name: str) -> None:
        """Let a user sign in again."""
        await self._update(name, {"disabled_at": None}, sign_out=False)

    @writes
    def begin_session(self, connection: Connection, user: int, token_hash: str, seconds: float) -> None:
        """Begin a session of a user, which lasts a number of seconds by the database's clock; delete sessions that have expired."""
        time = database_time(connection)
        connection.execute(delete(sessions).where(sessions.c.until <= time))
        row = {"token_hash": token_hash, "user_id": user, "created_at": now(), "until": time + seconds}
        connection.execute(insert(sessions).values(**row))

    @reads
    def session_user(self, connection: Connection, token_hash: str) -> User | None:
        """Return the user of a session; None if it has expired or ended, or the user is disabled."""
        query = select(*columns_of(users, User)).join_from(users, sessions)
        is_in_force = (sessions.c.token_hash == token_hash) & (sessions.c.until > database_time(connection))
        query = query.where(is_in_force, users.c.disabled_at.is_(None))
        return load_one(connection, User, query)

    @writes
    def end_session(self, connection: Connection, token_hash: str) -> None:
        """End a session, if it exists."""
        connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))

    @writes
    def _update(self, connection: Connection, name: str, values: dict[str, Any], *, sign_out: bool) -> None:
        is_user = users.c.canonical == canonical(name)
        if not connection.execute(update(users).where(is_user).values(**values)).rowcount:
            raise SettingsError(f"there is no user {name}; add them first")
        if sign_out:
            ids = select(users.c.id).where(is_user)
            connection.execute(delete(sessions).where(sessions.c.user_id.in_(ids)))
