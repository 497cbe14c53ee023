"""Runs, which are lists of tools that are reviewed in order and can be stopped and resumed; and the tools themselves.

A tool has one row, and one version for each text with which it was listed.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, or_, select, update

from panel.core.frozen import Frozen
from panel.core.text import canonical
from panel.core.tool import Tool
from panel.errors import StorageError
from panel.store.columns import columns_of, insert_new, now
from panel.store.schema import run_tools, runs, tool_names, tool_versions, tools
from panel.store.transactions import Repository, load, load_one, reads, writes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection, Select

TOOLS_PER_TRANSACTION = 200
TODO = "todo"
DONE = "done"


class RunState(StrEnum):
    """State of a run: its tools are being added, it can be worked on, it was stopped, or it is done."""

    MAKING = "making"
    OPEN = "open"
    STOPPED = "stopped"
    DONE = "done"


class Run(Frozen):
    """A run.

    `kind` is the command it is of, such as `review`; `settings` is JSON; `finished_at` is when it was stopped or done.
    """

    id: int
    kind: str
    settings: dict[str, Any]
    state: RunState
    created_at: datetime
    finished_at: datetime | None = None


class PendingTool(Frozen):
    """A tool that a run has yet to review; positions count from 1, `version` is the id of the tool's version."""

    position: int
    version: int
    tool: Tool


class DraftedTool(Frozen):
    """A tool of a run that has a draft; `reported` says whether its report files were written."""

    position: int
    version: int
    slug: str
    draft: int
    reported: bool


class KnownTool(Frozen):
    """A stored tool, by its latest name and slug."""

    id: int
    name: str
    slug: str


class Runs(Repository):
    """Runs and their tools. Every method raises StorageError if it cannot be done, and if there is no such run."""

    @writes
    def create(
        self, connection: Connection, kind: str, settings: dict[str, Any], state: RunState = RunState.OPEN
    ) -> int:
        """Create a run and return its id."""
        row = {"kind": kind, "settings": settings, "state": state, "created_at": now(), "lease_beat": 0}
        query = insert(runs).values(**row).returning(runs.c.id)
        return int(connection.execute(query).scalar_one())

    @reads
    def get(self, connection: Connection, run: int) -> Run:
        """Return a run."""
        found = load_one(connection, Run, select(*columns_of(runs, Run)).where(runs.c.id == run))
        if found is None:
            raise missing_run(self._db.where, run)
        return found

    @reads
    def find(self, connection: Connection, kind: str, settings: dict[str, Any]) -> int | None:
        """Return the id of the latest run with these settings among the last hundred of its kind, or None."""
        query = select(*columns_of(runs, Run)).where(runs.c.kind == kind)
        found = load(connection, Run, query.order_by(runs.c.id.desc()).limit(100))
        return next((run.id for run in found if run.settings == settings), None)

    async def set_state(self, run: int, state: RunState) -> None:
        """Set the state of a run."""
        finished = now() if state in {RunState.STOPPED, RunState.DONE} else None
        await self._update(run, {"state": state, "finished_at": finished})

    async def set_settings(self, run: int, settings: dict[str, Any]) -> None:
        """Replace the settings of a run."""
        await self._update(run, {"settings": settings})

    @writes
    def stop(self, connection: Connection, run: int) -> bool:
        """Stop an open run; return False, and change nothing, if it is not open."""
        query = update(runs).where(runs.c.id == run, runs.c.state == RunState.OPEN)
        return bool(connection.execute(query.values(state=RunState.STOPPED, finished_at=now())).rowcount)

    async def add_tools(self, run: int, added: Iterable[Tool]) -> int:
        """Append tools to a run, 200 in a transaction; return how many were not in it yet.

        Raises:
            StorageError: the run holds another version of a tool, or a transaction was not committed; earlier ones are kept.
        """
        rest = iter(added)
        count = 0
        while chunk := list(islice(rest, TOOLS_PER_TRANSACTION)):
            count += await self._add_tools(run, chunk)
        return count

    @writes
    def _add_tools(self, connection: Connection, run: int, chunk: list[Tool]) -> int:
        last = select(func.coalesce(func.max(run_tools.c.position), 0)).where(run_tools.c.run_id == run)
        position = connection.execute(last).scalar_one()
        count = 0
        for tool in chunk:
            count += _add_tool(connection, run, tool, position + count + 1)
        return count

    @reads
    def next_tools(
        self, connection: Connection, run: int, *, after: int = 0, limit: int = 100
    ) -> list[PendingTool]:
        """Return tools that are to be reviewed, in order; `after` is the position of the last one returned before."""
        query = _page_of_run(run, after, limit).where(run_tools.c.state == TODO)
        query = query.add_columns(tool_versions.c.content)
        query = query.join(tool_versions, run_tools.c.version_id == tool_versions.c.id)
        return [
            PendingTool(
                position=row.position,
                version=row.version,
                tool=Tool.model_validate({**row.content, "slug": row.slug}),
            )
            for row in connection.execute(query)
        ]

    @reads
    def drafted_tools(
        self, connection: Connection, run: int, *, after: int = 0, limit: int = 100
    ) -> list[DraftedTool]:
        """Return tools that have a draft, in order; `after` is the last position of the previous page."""
        query = _page_of_run(run, after, limit).where(run_tools.c.draft_id.is_not(None))
        query = query.add_columns(run_tools.c.draft_id.label("draft"), run_tools.c.reported)
        return load(connection, DraftedTool, query)

    @writes
    def mark_done(self, connection: Connection, run: int, version: int, draft: int | None = None) -> None:
        """Mark a tool of a run as done, and record its draft."""
        mark_done(connection, run, version, draft)

    @writes
    def mark_reported(self, connection: Connection, run: int, version: int) -> None:
        """Record that the report files of a tool of a run were written."""
        connection.execute(update(run_tools).where(_is_tool(run, version)).values(reported=True))

    @writes
    def _update(self, connection: Connection, run: int, values: dict[str, Any]) -> None:
        if not connection.execute(update(runs).where(runs.c.id == run).values(**values)).rowcount:
            raise missing_run(self._db.where, run)


class Tools(Repository):
    """Tools and their versions."""

    @writes
    def put(self, connection: Connection, tool: Tool) -> int:
        """Store a tool and return the id of its version; equal content has one version, and aliases add up over the versions."""
        return _put_tool(connection, tool)[1]

    @reads
    def duplicates_of(self, connection: Connection, tool: Tool) -> list[KnownTool]:
        """Return other tools that share a name, an alias or the URL with a tool."""
        same_name = select(tool_names.c.tool_id).where(tool_names.c.name.in_(_names_of(tool)))
        same_url = select(tool_versions.c.tool_id).where(tool_versions.c.url == (tool.url or ""))
        query = select(*columns_of(tools, KnownTool)).where(tools.c.canonical != tool.canonical)
        query = query.where(or_(tools.c.id.in_(same_name), tools.c.id.in_(same_url)))
        return load(connection, KnownTool, query.order_by(tools.c.id))


def missing_run(where: str, run: int) -> StorageError:
    """Return the error for a run that a database does not hold."""
    return StorageError(f"{where} holds no run {run}")


def mark_done(connection: Connection, run: int, version: int, draft: int | None) -> None:
    """Mark a tool of a run as done, and record its draft."""
    connection.execute(update(run_tools).where(_is_tool(run, version)).values(state=DONE, draft_id=draft))


def _is_tool(run: int, version: int) -> ColumnElement[bool]:
    return (run_tools.c.run_id == run) & (run_tools.c.version_id == version)


def _page_of_run(run: int, after: int, limit: int) -> Select[Any]:
    columns = run_tools.c.position, run_tools.c.version_id.label("version"), run_tools.c.slug
    query = select(*columns).where(run_tools.c.run_id == run, run_tools.c.position > after)
    return query.order_by(run_tools.c.position).limit(limit)


def _add_tool(connection: Connection, run: int, tool: Tool, position: int) -> int:
    tool_id, version = _put_tool(connection, tool)
    row = {
        "run_id": run,
        "tool_id": tool_id,
        "version_id": version,
        "slug": tool.slug,
        "position": position,
        "state": TODO,
        "reported": False,
    }
    added = insert_new(connection, run_tools).values(**row).returning(run_tools.c.position)
    if connection.execute(added).one_or_none():
        return 1
    is_tool = (run_tools.c.run_id == run) & (run_tools.c.tool_id == tool_id)
    if connection.scalar(select(run_tools.c.version_id).where(is_tool)) != version:
        raise StorageError(f"run {run} holds another version of {tool.name}; begin a new run for this one")
    return 0


def _put_tool(connection: Connection, tool: Tool) -> tuple[int, int]:
    """Store a tool and its version if they are new, and return both ids."""
    shown = {"name": tool.name, "slug": tool.slug}
    row = {"canonical": tool.canonical, "first_seen": now(), **shown}
    connection.execute(insert_new(connection, tools).values(**row))
    known = connection.execute(select(tools).where(tools.c.canonical == tool.canonical)).one()
    if shown != {"name": known.name, "slug": known.slug}:
        connection.execute(update(tools).where(tools.c.id == known.id).values(**shown))
    names = [{"tool_id": known.id, "name": name} for name in sorted(_names_of(tool))]
    connection.execute(insert_new(connection, tool_names), names)
    version = {
        "tool_id": known.id,
        "digest": tool.digest,
        "url": tool.url,
        "content": tool.model_dump(mode="json"),
        "first_seen": now(),
    }
    connection.execute(insert_new(connection, tool_versions).values(**version))
    query = select(tool_versions.c.id).where(tool_versions.c.digest == tool.digest)
    return int(known.id), int(connection.execute(query).scalar_one())


def _names_of(tool: Tool) -> set[str]:
    return {tool.canonical, *map(canonical, tool.aliases)}
