"""Readers' votes: one for each tool and reader, who is known by a hash of what their browser keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, func, select, update

from panel.core.take import Verdict
from panel.core.votes import Votes
from panel.errors import GateError, NotFound
from panel.store.columns import insert_new, now
from panel.store.repository import Repository
from panel.store.schema import drafts, run_tools, tools, votes

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection, Select

MOST_OF_ADDRESS = 20
"""Votes on one tool from one address on one day: an office shares an address, and a robot shall not decide."""

_SLUG = func.coalesce(run_tools.c.slug, tools.c.slug).label("slug")


class ReaderVotes(Repository):
    """Readers' votes."""

    async def cast(self, slug: str, voter: str, verdict: Verdict | None, address: str) -> None:
        """Cast a vote, change it, or take it back.

        Args:
            slug: of a tool that is on the site.
            voter: hash of what tells the reader from others.
            verdict: what they would do; None takes their vote back.
            address: keyed hash of their address: a ceiling against abuse and nothing else.

        Raises:
            NotFound: no such tool is on the site.
            GateError: there were too many votes on it from this address.
            StorageError: it was not committed.
        """
        refusal = await self._db.write(lambda connection: _vote(connection, slug, voter, verdict, address))
        if refusal:
            raise refusal

    async def counts(self, slugs: Collection[str]) -> dict[str, Votes]:
        """Return what readers make of tools that are on the site, by slug."""
        return await self._db.read(lambda connection: _votes(connection, _listed().where(_SLUG.in_(slugs))))

    async def all_counts(self) -> dict[str, Votes]:
        """Return what readers make of each tool on the site that has a vote, by slug."""
        found = await self._db.read(lambda connection: _votes(connection, _listed()))
        return {slug: counted for slug, counted in found.items() if counted.total}

    async def by_reader(self, voter: str, slugs: Collection[str]) -> dict[str, Verdict]:
        """Return what a reader voted, by slug."""
        listed = _listed().where(_SLUG.in_(slugs)).subquery()
        query = select(listed.c.slug, votes.c.verdict).join_from(
            listed, votes, and_(votes.c.tool_id == listed.c.tool, votes.c.voter == voter)
        )
        rows = await self._db.read(lambda connection: connection.execute(query).all())
        return {row.slug: Verdict(row.verdict) for row in rows}


def _listed() -> Select[tuple[int, str]]:
    """Select the tools that are on the site, by the slugs of their pages."""
    filed = and_(run_tools.c.run_id == drafts.c.run_id, run_tools.c.tool_id == drafts.c.tool_id)
    latest = select(func.max(drafts.c.id)).where(drafts.c.live.is_not(None)).group_by(drafts.c.tool_id)
    query = select(drafts.c.tool_id.label("tool"), _SLUG).join_from(drafts, tools)
    return query.outerjoin(run_tools, filed).where(drafts.c.id.in_(latest))


def _votes(connection: Connection, listed: Select[tuple[int, str]]) -> dict[str, Votes]:
    of = listed.subquery()
    count = func.count(votes.c.voter)
    query = select(of.c.slug, of.c.tool, votes.c.verdict, count.label("number"))
    query = query.join_from(of, votes, votes.c.tool_id == of.c.tool, isouter=True)
    found: dict[str, tuple[int, dict[str, int]]] = {}
    for row in connection.execute(query.group_by(of.c.slug, of.c.tool, votes.c.verdict).order_by(of.c.tool)):
        tool, counts = found.setdefault(row.slug, (row.tool, {}))
        # Of two tools of one name, the one that was seen first has the page.
        if tool == row.tool and row.verdict:
            counts[row.verdict] = row.number
    return {
        slug: Votes(ships=counts.get(Verdict.SHIP, 0), skips=counts.get(Verdict.SKIP, 0))
        for slug, (_, counts) in found.items()
    }


def _vote(
    connection: Connection, slug: str, voter: str, verdict: Verdict | None, address: str
) -> NotFound | GateError | None:
    tool = connection.execute(_listed().where(_SLUG.in_([slug])).order_by(drafts.c.tool_id)).scalars().first()
    if tool is None:
        return NotFound(f"there is no tool {slug} on this site; look at the address of its page")
    mine = (votes.c.tool_id == tool) & (votes.c.voter == voter)
    if verdict is None:
        connection.execute(delete(votes).where(mine))
        return None
    row = {"verdict": verdict, "at": now()}
    # The address of the first vote stays, or changing votes from elsewhere would make room under its ceiling.
    if connection.execute(update(votes).where(mine).values(row)).rowcount:
        return None
    of_address = (votes.c.tool_id == tool) & (votes.c.address == address)
    count = select(func.count()).select_from(votes).where(of_address)
    if connection.execute(count).scalar_one() >= MOST_OF_ADDRESS:
        return GateError("there were many votes on this tool from where you are; vote again tomorrow")
    connection.execute(
        insert_new(connection, votes).values(tool_id=tool, voter=voter, address=address, **row)
    )
    return None
