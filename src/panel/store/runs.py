"""Runs: lists of tools that are reviewed in order, and that can be stopped and resumed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from panel.core.frozen import Frozen
from panel.core.tool import Tool
from panel.errors import StorageError
from panel.store.columns import insert_new, now
from panel.store.repository import Repository, reads, writes
from panel.store.schema import run_tools, runs, tool_versions
from panel.store.tools import put_tool, tool_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection

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


class Runs(Repository):
    """Runs and their tools."""

    @writes
    def create(
        self, connection: Connection, kind: str, settings: dict[str, Any], state: RunState = RunState.OPEN
    ) -> int:
        """Create a run and return its id."""
        row = {"kind": kind, "settings": settings, "state": state, "created_at": now(), "lease_beat": 0}
        return int(connection.execute(insert(runs).values(**row).returning(runs.c.id)).scalar_one())

    @reads
    def get(self, connection: Connection, run: int) -> Run:
        """Return a run; raises StorageError if there is none of this id."""
        query = select(*(runs.c[name] for name in Run.model_fields)).where(runs.c.id == run)
        row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise self._no_run(run)
        return Run.model_validate(dict(row))

    @reads
    def find(self, connection: Connection, kind: str, settings: dict[str, Any]) -> int | None:
        """Return the id of the latest run with these settings among the last hundred of its kind, or None."""
        query = select(runs.c.id, runs.c.settings).where(runs.c.kind == kind)
        query = query.order_by(runs.c.id.desc()).limit(100)
        found = connection.execute(query).all()
        return next((int(row.id) for row in found if row.settings == settings), None)

    async def set_state(self, run: int, state: RunState) -> None:
        """Set the state of a run; raises StorageError if there is none of this id, or if it was not committed."""
        finished = now() if state in {RunState.STOPPED, RunState.DONE} else None
        await self._update(run, {"state": state, "finished_at": finished})

    async def set_settings(self, run: int, settings: dict[str, Any]) -> None:
        """Replace the settings of a run; raises StorageError if there is none of this id, or if it was not committed."""
        await self._update(run, {"settings": settings})

    @writes
    def stop(self, connection: Connection, run: int) -> bool:
        """Stop an open run; return False, and change nothing, if it is not open."""
        query = update(runs).where(runs.c.id == run, runs.c.state == RunState.OPEN)
        return connection.execute(query.values(state=RunState.STOPPED, finished_at=now())).rowcount == 1

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
        query = (
            select(run_tools.c.position, run_tools.c.version_id, tool_versions.c.content, run_tools.c.slug)
            .join_from(run_tools, tool_versions, run_tools.c.version_id == tool_versions.c.id)
            .where(run_tools.c.run_id == run, run_tools.c.state == TODO, run_tools.c.position > after)
            .order_by(run_tools.c.position)
            .limit(limit)
        )
        return [
            PendingTool(position=row.position, version=row.version_id, tool=tool_of(row.content, row.slug))
            for row in connection.execute(query)
        ]

    @writes
    def mark_done(self, connection: Connection, run: int, version: int, draft: int | None = None) -> None:
        """Mark a tool of a run as done, and record its draft."""
        mark_done(connection, run, version, draft)

    @writes
    def mark_reported(self, connection: Connection, run: int, version: int) -> None:
        """Record that the report files of a tool of a run were written."""
        connection.execute(update(run_tools).where(_is_tool(run, version)).values(reported=True))

    @reads
    def drafted_tools(
        self, connection: Connection, run: int, *, after: int = 0, limit: int = 100
    ) -> list[DraftedTool]:
        """Return tools that have a draft, in order; `after` is the last position of the previous page."""
        columns = (
            run_tools.c.position,
            run_tools.c.version_id.label("version"),
            run_tools.c.slug,
            run_tools.c.draft_id.label("draft"),
            run_tools.c.reported,
        )
        query = select(*columns).where(
            run_tools.c.run_id == run, run_tools.c.draft_id.is_not(None), run_tools.c.position > after
        )
        rows = connection.execute(query.order_by(run_tools.c.position).limit(limit)).mappings()
        return [DraftedTool.model_validate(dict(row)) for row in rows]

    @writes
    def _update(self, connection: Connection, run: int, values: dict[str, Any]) -> None:
        if not connection.execute(update(runs).where(runs.c.id == run).values(**values)).rowcount:
            raise self._no_run(run)

    def _no_run(self, run: int) -> StorageError:
        return StorageError(f"{self._db.where} holds no run {run}")


def mark_done(connection: Connection, run: int, version: int, draft: int | None) -> None:
    """Mark a tool of a run as done, and record its draft."""
    row = {"state": DONE, "draft_id": draft}
    connection.execute(update(run_tools).where(_is_tool(run, version)).values(**row))


def _is_tool(run: int, version: int) -> ColumnElement[bool]:
    return (run_tools.c.run_id == run) & (run_tools.c.version_id == version)


def _add_tool(connection: Connection, run: int, tool: Tool, position: int) -> int:
    tool_id, version = put_tool(connection, tool)
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
