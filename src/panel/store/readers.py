"""Readers of the site: their votes on tools, and subscribers to the newsletter."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, or_, select, update

from panel.core.addresses import mail_address
from panel.core.frozen import Frozen
from panel.core.take import Verdict
from panel.core.tally import Votes
from panel.errors import GateError, NotFound
from panel.store.columns import columns_of, insert_new, now
from panel.store.schema import drafts, run_tools, subscribers, tools, votes
from panel.store.transactions import Repository, load, load_one, reads, writes

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, Connection, Select

MAX_VOTES_OF_ADDRESS = 20
"""Votes on one tool from one address on one day: an office shares an address, and a robot must not decide."""

_SLUG = func.coalesce(run_tools.c.slug, tools.c.slug).label("slug")


class ReaderVotes(Repository):
    """Votes on published tools: one for each tool and reader. A reader is a hash of a random number that the browser keeps."""

    async def cast(self, slug: str, voter: str, verdict: Verdict | None, address: str) -> None:
        """Cast or change a vote on a published tool; the verdict None withdraws it.

        `voter` is the hash of the reader's number, `address` a keyed hash of the network address, which limits abuse and has no other use.

        Raises:
            NotFound: no published tool has this slug.
            GateError: there were too many votes on the tool from this address.
        """
        # Raised in the transaction, a refusal would roll back other work that shares it.
        if refusal := await self._vote(slug, voter, verdict, address):
            raise refusal

    @writes
    def _vote(
        self, connection: Connection, slug: str, voter: str, verdict: Verdict | None, address: str
    ) -> NotFound | GateError | None:
        query = _published_tools().where(_SLUG.in_([slug])).order_by(drafts.c.tool_id)
        tool = connection.scalar(query)
        if tool is None:
            return NotFound(f"there is no tool {slug} on this site; look at the address of its page")
        is_own = (votes.c.tool_id == tool) & (votes.c.voter == voter)
        if verdict is None:
            connection.execute(delete(votes).where(is_own))
            return None
        row = {"verdict": verdict, "at": now()}
        # The address of the first vote stays: otherwise changing votes from elsewhere would make room for more.
        if connection.execute(update(votes).where(is_own).values(row)).rowcount:
            return None
        of_address = (votes.c.tool_id == tool) & (votes.c.address == address)
        count = select(func.count()).select_from(votes).where(of_address)
        if (connection.scalar(count) or 0) >= MAX_VOTES_OF_ADDRESS:
            return GateError("too many votes on this tool came from your network; vote again tomorrow")
        connection.execute(
            insert_new(connection, votes).values(tool_id=tool, voter=voter, address=address, **row)
        )
        return None

    @reads
    def counts(self, connection: Connection, slugs: Collection[str]) -> dict[str, Votes]:
        """Return the votes on published tools, by slug."""
        return _count(connection, _published_tools().where(_SLUG.in_(slugs)))

    @reads
    def all_counts(self, connection: Connection) -> dict[str, Votes]:
        """Return the votes on all published tools that have any, by slug."""
        found = _count(connection, _published_tools())
        return {slug: counted for slug, counted in found.items() if counted.total}

    @reads
    def by_reader(self, connection: Connection, voter: str, slugs: Collection[str]) -> dict[str, Verdict]:
        """Return one reader's votes, by slug."""
        published = _published_tools().where(_SLUG.in_(slugs)).subquery()
        query = select(published.c.slug, votes.c.verdict).join_from(
            published, votes, and_(votes.c.tool_id == published.c.tool, votes.c.voter == voter)
        )
        return {row.slug: Verdict(row.verdict) for row in connection.execute(query)}


def _published_tools() -> Select[tuple[int, str]]:
    """Select id and slug of the tools on the site."""
    filed = and_(run_tools.c.run_id == drafts.c.run_id, run_tools.c.tool_id == drafts.c.tool_id)
    latest = select(func.max(drafts.c.id)).where(drafts.c.live.is_not(None)).group_by(drafts.c.tool_id)
    query = select(drafts.c.tool_id.label("tool"), _SLUG).join_from(drafts, tools)
    return query.outerjoin(run_tools, filed).where(drafts.c.id.in_(latest))


def _count(connection: Connection, published: Select[tuple[int, str]]) -> dict[str, Votes]:
    of = published.subquery()
    ships, skips = (
        func.count().filter(votes.c.verdict == verdict) for verdict in (Verdict.SHIP, Verdict.SKIP)
    )
    query = select(of.c.slug, ships.label("ships"), skips.label("skips"))
    query = query.join_from(of, votes, votes.c.tool_id == of.c.tool, isouter=True)
    found: dict[str, Votes] = {}
    for row in connection.execute(query.group_by(of.c.slug, of.c.tool).order_by(of.c.tool)):
        # Of two tools with one slug, the one that was seen first has the page.
        found.setdefault(row.slug, Votes(ships=row.ships, skips=row.skips))
    return found


class SubscriptionState(StrEnum):
    """State of a subscription: asked for, confirmed by mail, or ended."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    LEFT = "left"


class Subscriber(Frozen):
    """A person who asked for the newsletter.

    `mail` is the address as typed; `asked_at` is the latest request; `last_issue` is the issue sent last, such as `2026-W47`.
    """

    id: int
    mail: str
    state: SubscriptionState
    asked_at: datetime
    confirmed_at: datetime | None = None
    left_at: datetime | None = None
    last_issue: str | None = None


class Subscribers(Repository):
    """Subscribers to the newsletter. Mail addresses are compared without case; ValueError is raised for text that is none."""

    @writes
    def request(self, connection: Connection, mail: str) -> Subscriber:
        """Record that an address asked for the newsletter; a confirmed subscriber stays confirmed."""
        address = mail_address(mail)
        is_own = subscribers.c.canonical == address.lower()
        row = {"mail": address, "state": SubscriptionState.PENDING, "asked_at": now()}
        # The row is written first, so that two requests of one address cannot both insert it.
        new = insert_new(connection, subscribers).values(canonical=address.lower(), **row)
        if connection.scalar(new.returning(subscribers.c.id)) is None:
            is_unconfirmed = subscribers.c.state != SubscriptionState.CONFIRMED
            connection.execute(update(subscribers).where(is_own, is_unconfirmed).values(**row))
        (subscriber,) = load(connection, Subscriber, _page(is_own, 1))
        return subscriber

    @reads
    def get(self, connection: Connection, number: int) -> Subscriber | None:
        """Return a subscriber by id."""
        return load_one(connection, Subscriber, _page(subscribers.c.id == number, 1))

    async def confirm(self, number: int) -> None:
        """Mark a subscription as confirmed."""
        confirmed = {"state": SubscriptionState.CONFIRMED, "confirmed_at": now(), "left_at": None}
        await self._update(number, confirmed)

    async def leave(self, number: int) -> None:
        """End a subscription."""
        await self._update(number, {"state": SubscriptionState.LEFT, "left_at": now()})

    @writes
    def reserve(self, connection: Connection, subscriber: Subscriber, issue: str) -> bool:
        """Record that an issue is about to be sent to a subscriber; return False if another process sends it to them."""
        query = update(subscribers).where(subscribers.c.id == subscriber.id, _is_due(issue))
        return bool(connection.execute(query.values(last_issue=issue)).rowcount)

    async def release(self, subscriber: Subscriber) -> None:
        """Record that a reserved issue was not sent."""
        await self._update(subscriber.id, {"last_issue": subscriber.last_issue})

    @writes
    def forget(self, connection: Connection, mail: str) -> bool:
        """Delete a subscriber; return False if there is none of this address."""
        query = delete(subscribers).where(subscribers.c.canonical == mail_address(mail).lower())
        return bool(connection.execute(query).rowcount)

    @reads
    def page(self, connection: Connection, *, after: int = 0, limit: int = 500) -> list[Subscriber]:
        """Return subscribers in every state by id; `after` is the last id of the previous page."""
        return load(connection, Subscriber, _page(subscribers.c.id > after, limit))

    @reads
    def due(
        self, connection: Connection, issue: str, *, after: int = 0, limit: int = 100
    ) -> list[Subscriber]:
        """Return confirmed subscribers who were sent neither this issue nor a later one; `after` is the last id of the previous page."""
        return load(connection, Subscriber, _page(_is_due(issue) & (subscribers.c.id > after), limit))

    @writes
    def _update(self, connection: Connection, number: int, values: dict[str, Any]) -> None:
        connection.execute(update(subscribers).where(subscribers.c.id == number).values(**values))


def _is_due(issue: str) -> ColumnElement[bool]:
    # Names of weeks sort as the weeks do.
    is_earlier = or_(subscribers.c.last_issue.is_(None), subscribers.c.last_issue < issue)
    return (subscribers.c.state == SubscriptionState.CONFIRMED) & is_earlier


def _page(where: ColumnElement[bool], limit: int) -> Select[Any]:
    query = select(*columns_of(subscribers, Subscriber)).where(where)
    return query.order_by(subscribers.c.id).limit(limit)
