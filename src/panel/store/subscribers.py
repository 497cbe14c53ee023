"""Who gets the newsletter: those who asked for it and confirmed that it was them, until they leave."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, or_, select, update

from panel.core.base import Frozen
from panel.core.mail import mail_address
from panel.store.columns import now
from panel.store.repository import Repository
from panel.store.schema import subscribers

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection


class SubscriptionState(StrEnum):
    """Where somebody is with the newsletter."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    LEFT = "left"


class Subscriber(Frozen):
    """Somebody who asked for the newsletter.

    Attributes:
        id: their number.
        mail: their address, as they typed it.
        state: whether they confirmed, and whether they left.
        asked_at: when they asked last.
        confirmed_at: when they confirmed; None if they did not.
        left_at: when they left; None if they did not.
        last_issue: the issue that they were sent last, such as `2026-W47`.
    """

    id: int
    mail: str
    state: SubscriptionState
    asked_at: datetime
    confirmed_at: datetime | None = None
    left_at: datetime | None = None
    last_issue: str | None = None


class Subscribers(Repository):
    """Who gets the newsletter."""

    async def request(self, mail: str) -> Subscriber:
        """Keep that somebody asked for the newsletter; who has confirmed already stays confirmed.

        Args:
            mail: their address.

        Raises:
            ValueError: it is no mail address.
            StorageError: it was not committed.
        """
        address = mail_address(mail)
        return await self._db.write(lambda connection: _ask(connection, address))

    async def get(self, number: int) -> Subscriber | None:
        """Return somebody by their number."""
        return await self._db.read(lambda connection: _one(connection, subscribers.c.id == number))

    async def find(self, mail: str) -> Subscriber | None:
        """Return somebody by their address, without case.

        Raises:
            ValueError: it is no mail address.
        """
        canonical = mail_address(mail).lower()
        return await self._db.read(lambda connection: _one(connection, subscribers.c.canonical == canonical))

    async def confirm(self, number: int) -> None:
        """Keep that it was them who asked.

        Raises:
            StorageError: it was not committed.
        """
        await self._set(number, state=SubscriptionState.CONFIRMED, confirmed_at=now(), left_at=None)

    async def leave(self, number: int) -> None:
        """Keep that they want it no longer.

        Raises:
            StorageError: it was not committed.
        """
        await self._set(number, state=SubscriptionState.LEFT, left_at=now())

    async def reserve(self, one: Subscriber, issue: str) -> bool:
        """Keep that somebody is sent an issue, and return whether nobody else sends it to them.

        Raises:
            StorageError: it was not committed.
        """
        query = update(subscribers).where(subscribers.c.id == one.id, _due(issue)).values(last_issue=issue)
        return bool(await self._db.write(lambda connection: connection.execute(query).rowcount))

    async def release(self, one: Subscriber) -> None:
        """Keep that they were not sent the issue after all.

        Raises:
            StorageError: it was not committed.
        """
        await self._set(one.id, last_issue=one.last_issue)

    async def forget(self, mail: str) -> bool:
        """Delete all that is known of somebody, and return whether there was anything.

        Raises:
            ValueError: it is no mail address.
            StorageError: it was not committed.
        """
        query = delete(subscribers).where(subscribers.c.canonical == mail_address(mail).lower())
        return bool(await self._db.write(lambda connection: connection.execute(query).rowcount))

    async def page(self, *, after: int = 0, limit: int = 500) -> list[Subscriber]:
        """Return everybody, in the order they asked first; `after` is the last number of the page before."""
        return await self._db.read(lambda connection: _page(connection, subscribers.c.id > after, limit))

    async def due(self, issue: str, *, after: int = 0, limit: int = 100) -> list[Subscriber]:
        """Return those who confirmed and were sent neither an issue nor a later one; `after` is the last number of the page before."""
        wanted = _due(issue) & (subscribers.c.id > after)
        return await self._db.read(lambda connection: _page(connection, wanted, limit))

    async def _set(self, number: int, **values: Any) -> None:  # noqa: ANN401 - of any column
        query = update(subscribers).where(subscribers.c.id == number).values(**values)
        await self._db.write(lambda connection: connection.execute(query) and None)


def _due(issue: str) -> ColumnElement[bool]:
    """Whether somebody confirmed and was sent neither an issue nor a later one; names of weeks sort as the weeks do."""
    earlier = or_(subscribers.c.last_issue.is_(None), subscribers.c.last_issue < issue)
    return (subscribers.c.state == SubscriptionState.CONFIRMED) & earlier


def _ask(connection: Connection, mail: str) -> Subscriber:
    mine = subscribers.c.canonical == mail.lower()
    known = _one(connection, mine)
    if known is None:
        row = {"canonical": mail.lower(), "mail": mail, "state": SubscriptionState.PENDING, "asked_at": now()}
        connection.execute(insert(subscribers).values(**row))
    elif known.state is not SubscriptionState.CONFIRMED:
        again = {"mail": mail, "state": SubscriptionState.PENDING, "asked_at": now()}
        connection.execute(update(subscribers).where(mine).values(**again))
    found = _one(connection, mine)
    if found is None:
        raise AssertionError("a row that was just written is there")
    return found


def _one(connection: Connection, wanted: ColumnElement[bool]) -> Subscriber | None:
    return next(iter(_page(connection, wanted, 1)), None)


def _page(connection: Connection, wanted: ColumnElement[bool], limit: int) -> list[Subscriber]:
    query = select(subscribers).where(wanted).order_by(subscribers.c.id).limit(limit)
    rows = connection.execute(query).mappings()
    return [Subscriber.model_validate({k: v for k, v in row.items() if k != "canonical"}) for row in rows]
