"""Tools as they were listed: one row for the tool, one for each text it was listed with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select, update

from panel.core.base import Frozen
from panel.core.text import canonical
from panel.core.tool import Tool
from panel.errors import StorageError
from panel.store.columns import insert_new, now
from panel.store.repository import Repository
from panel.store.schema import tool_names, tool_versions, tools

if TYPE_CHECKING:
    from sqlalchemy import Connection


class KnownTool(Frozen):
    """A tool that is in the store.

    Attributes:
        id: its number.
        name: its name as it was listed last.
        slug: likewise.
    """

    id: int
    name: str
    slug: str


class Tools(Repository):
    """Tools and their versions."""

    async def put(self, tool: Tool) -> int:
        """Keep a tool, and return the number of its version; the same content has the same number.

        Aliases add up over the versions.

        Raises:
            StorageError: it was not committed.
        """
        return await self._db.write(lambda connection: put_tool(connection, tool)[1])

    async def get(self, version: int) -> Tool:
        """Return a version of a tool.

        Raises:
            StorageError: there is none of this number, or it cannot be read.
        """
        found = await self._db.read(lambda connection: _version(connection, version))
        if found is None:
            raise StorageError(f"{self._db.where} holds no version {version} of a tool")
        return found

    async def duplicates_of(self, tool: Tool) -> list[KnownTool]:
        """Return other tools that are likely the same: they share a name or an alias, or the address."""
        return await self._db.read(lambda connection: _duplicates(connection, tool))


def put_tool(connection: Connection, tool: Tool) -> tuple[int, int]:
    """Return the numbers of a tool and of its version, which are made if they are new."""
    tool_id = _put_head(connection, tool)
    names = [{"tool_id": tool_id, "name": name} for name in sorted(_names_of(tool))]
    connection.execute(insert_new(connection, tool_names), names)
    return tool_id, _put_version(connection, tool_id, tool)


def tool_of(content: dict[str, Any], slug: str) -> Tool:
    """Return a tool as it was listed, filed where it is filed now."""
    return Tool.model_validate({**content, "slug": slug})


def _put_head(connection: Connection, tool: Tool) -> int:
    head = {"name": tool.name, "slug": tool.slug}
    row = {"canonical": tool.canonical, "first_seen": now(), **head}
    connection.execute(insert_new(connection, tools).values(**row))
    known = connection.execute(select(tools).where(tools.c.canonical == tool.canonical)).one()
    if head != {"name": known.name, "slug": known.slug}:
        connection.execute(update(tools).where(tools.c.id == known.id).values(**head))
    return int(known.id)


def _put_version(connection: Connection, tool_id: int, tool: Tool) -> int:
    digest = tool.digest
    row = {"tool_id": tool_id, "digest": digest, "url": tool.url, "first_seen": now()}
    content = tool.model_dump(mode="json")
    connection.execute(insert_new(connection, tool_versions).values(**row, content=content))
    return int(
        connection.execute(select(tool_versions.c.id).where(tool_versions.c.digest == digest)).scalar_one()
    )


def _version(connection: Connection, version: int) -> Tool | None:
    query = select(tool_versions.c.content, tools.c.slug).join_from(tool_versions, tools)
    found = connection.execute(query.where(tool_versions.c.id == version)).one_or_none()
    return tool_of(found.content, found.slug) if found else None


def _duplicates(connection: Connection, tool: Tool) -> list[KnownTool]:
    same_name = select(tool_names.c.tool_id).where(tool_names.c.name.in_(_names_of(tool)))
    same_url = select(tool_versions.c.tool_id).where(tool_versions.c.url == (tool.url or ""))
    query = (
        select(tools.c.id, tools.c.name, tools.c.slug)
        .where(tools.c.canonical != tool.canonical)
        .where(or_(tools.c.id.in_(same_name), tools.c.id.in_(same_url)))
        .order_by(tools.c.id)
    )
    return [KnownTool(id=row.id, name=row.name, slug=row.slug) for row in connection.execute(query)]


def _names_of(tool: Tool) -> set[str]:
    return {tool.canonical, *map(canonical, tool.aliases)}
