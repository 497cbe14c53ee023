"""Runs: many tools, worked through in order, stopped and gone on with."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from panel.core.base import Frozen
from panel.core.tool import Tool
from panel.errors import StorageError
from panel.store.columns import insert_new, now
from panel.store.repository import Repository
from panel.store.schema import run_tools, runs, tool_versions
from panel.store.tools import put_tool, tool_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import ColumnElement, Connection, RowMapping

CHUNK = 200
TODO = "todo"
DONE = "done"

_DRAFTED = {
    "position": "position",
    "version": "version_id",
    "slug": "slug",
    "draft": "draft_id",
    "reported": "reported",
}
_RUN = (runs.c.id, runs.c.kind, runs.c.settings, runs.c.state, runs.c.created_at, runs.c.finished_at)


class RunState(StrEnum):
    """Where a run is: its tools are being added, it is to be worked on, told to stop, or done."""

    MAKING = "making"
    OPEN = "open"
    STOPPED = "stopped"
    DONE = "done"


class Run(Frozen):
    """A run.

    Attributes:
        id: its number.
        kind: what runs, such as `review`.
        settings: what it runs with, as JSON.
        state: where it is.
        created_at: when it was made.
        finished_at: when it was stopped or done; None while it is open.
    """

    id: int
    kind: str
    settings: dict[str, Any]
    state: RunState
    created_at: datetime
    finished_at: datetime | None = None


class PendingTool(Frozen):
    """A tool that a run has yet to review.

    Attributes:
        position: its place in the run, from 1.
        version: the number of the tool's version.
        tool: the tool.
    """

    position: int
    version: int
    tool: Tool


class DraftedTool(Frozen):
    """A tool of a run that has a draft.

    Attributes:
        position: its place in the run, from 1.
        version: the number of the tool's version.
        slug: where it is filed.
        draft: the draft.
        reported: whether its report files were written.
    """

    position: int
    version: int
    slug: str
    draft: int
    reported: bool


class Runs(Repository):
    """Runs and their tools."""

    async def create(self, kind: str, settings: dict[str, Any], state: RunState = RunState.OPEN) -> int:
        """Make a run, and return its number."""
        row = {
            "kind": kind,
            "settings": settings,
            "state": state,
            "created_at": now(),
            "lease_beat": 0,
        }
        query = insert(runs).values(**row).returning(runs.c.id)
        return await self._db.write(lambda connection: int(connection.execute(query).scalar_one()))

    async def get(self, run: int) -> Run:
        """Return a run.

        Raises:
            StorageError: there is none of this number.
        """
        query = select(*_RUN).where(runs.c.id == run)
        found = await self._db.read(
            lambda connection: [_run(row) for row in connection.execute(query).mappings()]
        )
        if not found:
            raise self._no_run(run)
        return found[0]

    async def page(self, *, before: int | None = None, limit: int = 50) -> list[Run]:
        """Return runs, the latest first; `before` is the last number of the page before."""
        query = select(*_RUN).order_by(runs.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(runs.c.id < before)
        return await self._db.read(
            lambda connection: [_run(row) for row in connection.execute(query).mappings()]
        )

    async def find(self, kind: str, settings: dict[str, Any]) -> int | None:
        """Return the latest run of a kind with these settings, or None; the last hundred of the kind are looked at."""
        query = select(runs.c.id, runs.c.settings).where(runs.c.kind == kind)
        query = query.order_by(runs.c.id.desc()).limit(100)
        found = await self._db.read(lambda connection: connection.execute(query).all())
        return next((int(row.id) for row in found if row.settings == settings), None)

    async def set_state(self, run: int, state: RunState) -> None:
        """Say where a run is.

        Raises:
            StorageError: there is none of this number, or it was not committed.
        """
        finished = now() if state in {RunState.STOPPED, RunState.DONE} else None
        query = update(runs).where(runs.c.id == run).values(state=state, finished_at=finished)
        if not await self._db.write(lambda connection: connection.execute(query).rowcount):
            raise self._no_run(run)

    async def stop(self, run: int) -> bool:
        """Tell an open run to stop; return False, and leave it alone, if it is not open.

        Raises:
            StorageError: it was not committed.
        """
        query = update(runs).where(runs.c.id == run, runs.c.state == RunState.OPEN)
        query = query.values(state=RunState.STOPPED, finished_at=now())
        return await self._db.write(lambda connection: connection.execute(query).rowcount == 1)

    async def add_tools(self, run: int, added: Iterable[Tool]) -> int:
        """Add tools at the end of a run, 200 a transaction; return how many were not in it yet.

        Raises:
            StorageError: the run holds another version of a tool, or it was not committed; what came before is kept.
        """
        fresh = 0
        for chunk in _chunks(added):
            fresh += await self._db.write(partial(_add, run=run, chunk=chunk))
        return fresh

    async def next_tools(self, run: int, *, after: int = 0, limit: int = 100) -> list[PendingTool]:
        """Return tools that are to be reviewed, in order; `after` is the position of the last one handed out."""
        return await self._db.read(lambda connection: _next(connection, run, after, limit))

    async def mark_done(self, run: int, version: int, draft: int | None = None) -> None:
        """Say that a run is done with a tool, and which draft it has."""
        await self._db.write(lambda connection: mark_done(connection, run, version, draft))

    async def mark_reported(self, run: int, version: int) -> None:
        """Say that the report files of a run's draft of a tool are written."""
        query = update(run_tools).where(_is_tool(run, version)).values(reported=True)
        await self._db.write(lambda connection: connection.execute(query) and None)

    async def drafted_tools(self, run: int, *, after: int = 0, limit: int = 100) -> list[DraftedTool]:
        """Return tools that have a draft, in order; `after` is the position of the last one of the page before."""
        query = select(*(run_tools.c[column].label(name) for name, column in _DRAFTED.items()))
        query = query.where(
            run_tools.c.run_id == run, run_tools.c.draft_id.is_not(None), run_tools.c.position > after
        )
        query = query.order_by(run_tools.c.position).limit(limit)
        return await self._db.read(
            lambda connection: [
                DraftedTool.model_validate(dict(row)) for row in connection.execute(query).mappings()
            ]
        )

    async def set_settings(self, run: int, settings: dict[str, Any]) -> None:
        """Replace what a run runs with.

        Raises:
            StorageError: there is none of this number, or it was not committed.
        """
        query = update(runs).where(runs.c.id == run).values(settings=settings)
        if not await self._db.write(lambda connection: connection.execute(query).rowcount):
            raise self._no_run(run)

    def _no_run(self, run: int) -> StorageError:
        return StorageError(f"{self._db.where} holds no run {run}")


def mark_done(connection: Connection, run: int, version: int, draft: int | None) -> None:
    """Take a tool off the list of those to do, and keep which draft it has."""
    row = {"state": DONE, "draft_id": draft}
    connection.execute(update(run_tools).where(_is_tool(run, version)).values(**row))


def _is_tool(run: int, version: int) -> ColumnElement[bool]:
    return (run_tools.c.run_id == run) & (run_tools.c.version_id == version)


def _chunks(added: Iterable[Tool]) -> Iterator[list[Tool]]:
    rest = iter(added)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _add(connection: Connection, run: int, chunk: list[Tool]) -> int:
    last = select(func.coalesce(func.max(run_tools.c.position), 0)).where(run_tools.c.run_id == run)
    position = connection.execute(last).scalar_one()
    fresh = 0
    for tool in chunk:
        fresh += _add_one(connection, run, tool, position + fresh + 1)
    return fresh


def _add_one(connection: Connection, run: int, tool: Tool, position: int) -> int:
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
    mine = (run_tools.c.run_id == run) & (run_tools.c.tool_id == tool_id)
    if connection.scalar(select(run_tools.c.version_id).where(mine)) != version:
        raise StorageError(f"run {run} holds another version of {tool.name}; begin a new run for this one")
    return 0


def _next(connection: Connection, run: int, after: int, limit: int) -> list[PendingTool]:
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


def _run(row: RowMapping) -> Run:
    return Run.model_validate(dict(row))
