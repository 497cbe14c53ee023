from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import builders
from panel.errors import StorageError

if TYPE_CHECKING:
    from panel.store import Store

pytestmark = pytest.mark.anyio


async def test_the_same_tool_is_kept_once(store: Store) -> None:
    """A tool whose content is known has the number that it had."""
    first = await store.tools.put(builders.tool(url="https://lantern.example/"))
    assert await store.tools.put(builders.tool(url="https://lantern.example/")) == first
    assert await store.tools.get(first) == builders.tool(url="https://lantern.example/")


async def test_a_changed_tool_is_a_new_version(store: Store) -> None:
    """A tool whose listing has changed has a number of its own, and the old listing stays."""
    old = await store.tools.put(builders.tool(pricing="Free"))
    new = await store.tools.put(builders.tool(name="lantern", pricing="9 dollars a month"))
    assert old != new
    assert (await store.tools.get(old)).pricing == "Free"
    assert await store.tools.duplicates_of(builders.tool("LANTERN")) == []


async def test_a_tool_is_filed_where_it_was_filed_last(store: Store) -> None:
    """A slug is no part of the content: a new one moves the version that is there."""
    version = await store.tools.put(builders.tool())
    assert await store.tools.put(builders.tool(slug="lantern-logs")) == version
    assert (await store.tools.get(version)).slug == "lantern-logs"


async def test_aliases_add_up(store: Store) -> None:
    """A name that a tool once went by still finds it when the listing no longer gives it."""
    await store.tools.put(builders.tool(aliases=["Lamp"]))
    await store.tools.put(builders.tool(aliases=["Torch"]))
    for name in ("lamp", "TORCH"):
        assert [known.name for known in await store.tools.duplicates_of(builders.tool(name))] == ["Lantern"]


@pytest.mark.parametrize(
    "fields",
    [
        {"aliases": ["lantern"]},
        {"url": "https://lantern.example/"},
    ],
    ids=["alias", "address"],
)
async def test_another_name_of_a_tool_is_seen(store: Store, fields: dict[str, object]) -> None:
    await store.tools.put(builders.tool(url="https://lantern.example/"))
    assert [known.slug for known in await store.tools.duplicates_of(builders.tool("Lamp", **fields))] == [
        "lantern"
    ]


async def test_different_tools_are_no_duplicates(store: Store) -> None:
    await store.tools.put(builders.tool())
    assert await store.tools.duplicates_of(builders.tool("Sextant", slug="lantern")) == []


async def test_a_missing_version_is_said(store: Store) -> None:
    """A number that no version has is refused."""
    with pytest.raises(StorageError, match="holds no version 7"):
        await store.tools.get(7)
