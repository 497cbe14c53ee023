"""Tools: one row for the tool, and one version for each text with which it was listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select, update

from panel.core.frozen import Frozen
from panel.core.text import canonical
from panel.core.tool import Tool
from panel.errors import StorageError
from panel.store.columns import insert_new, now
from panel.store.repository import Repository, reads, writes
from panel.store.schema import tool_names, tool_versions, tools

if TYPE_CHECKING:
    from sqlalchemy import Connection


class KnownTool(Frozen):
    """A stored tool, by its latest name and slug."""

    id: int
    name: str
    slug: str


class Tools(Repository):
    """Tools and their versions."""

    @writes
    def put(self, connection: Connection, tool: Tool) -> int:
        """Store a tool and return the id of its version; equal content has one version.; aliases add up over the versions."""
        return put_tool(connection, tool)[1]

    @reads
    def get(self, connection: Connection, version: int) -> Tool:
        """Return a version of a tool; raises StorageError if there is none."""
        query = select(tool_versions.c.content, tools.c.slug).join_from(tool_versions, tools)
        query = query.where(tool_versions.c.id == version)
        found = connection.execute(query).one_or_none()
        if found is None:
            raise StorageError(f"{self._db.where} holds no version {version} of a tool")
        return tool_of(found.content, found.slug)

    @reads
    def duplicates_of(self, connection: Connection, tool: Tool) -> list[KnownTool]:
        """Return other tools that share a name, an alias or the URL with a tool."""
        same_name = select(tool_names.c.tool_id).where(tool_names.c.name.in_(_names_of(tool)))
        same_url = select(tool_versions.c.tool_id).where(tool_versions.c.url == (tool.url or ""))
        query = (
            select(tools.c.id, tools.c.name, tools.c.slug)
            .where(tools.c.canonical != tool.canonical)
            .where(or_(tools.c.id.in_(same_name), tools.c.id.in_(same_url)))
            .order_by(tools.c.id)
        )
        return [KnownTool.model_validate(dict(row)) for row in connection.execute(query).mappings()]


def put_tool(connection: Connection, tool: Tool) -> tuple[int, int]:
    """Store a tool or its latest name, and return its id and its version's id."""
    shown = {"name": tool.name, "slug": tool.slug}
    row = {"canonical": tool.canonical, "first_seen": now(), **shown}
    connection.execute(insert_new(connection, tools).values(**row))
    known = connection.execute(select(tools).where(tools.c.canonical == tool.canonical)).one()
    if shown != {"name": known.name, "slug": known.slug}:
        connection.execute(update(tools).where(tools.c.id == known.id).values(**shown))
    names = [{"tool_id": known.id, "name": name} for name in sorted(_names_of(tool))]
    connection.execute(insert_new(connection, tool_names), names)
    row = {"tool_id": known.id, "digest": tool.digest, "url": tool.url, "first_seen": now()}
    content = tool.model_dump(mode="json")
    connection.execute(insert_new(connection, tool_versions).values(**row, content=content))
    version = select(tool_versions.c.id).where(tool_versions.c.digest == tool.digest)
    return int(known.id), int(connection.execute(version).scalar_one())


def tool_of(content: dict[str, Any], slug: str) -> Tool:
    """Return the tool of a version with its current slug."""
    return Tool.model_validate({**content, "slug": slug})


def _names_of(tool: Tool) -> set[str]:
    return {tool.canonical, *map(canonical, tool.aliases)}
