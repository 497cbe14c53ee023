from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import builders
from panel.errors import StorageError
from panel.store import RunProgress, RunState, Spending
from store.samples import answered, call_key, failed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.core.tool import Tool
    from panel.store import Store

pytestmark = pytest.mark.anyio


def tools(count: int, **fields: object) -> Iterator[Tool]:
    return (builders.tool(f"Tool {n}", **fields) for n in range(1, count + 1))


async def test_a_run_is_open_until_it_is_done(store: Store) -> None:
    run = await store.runs.create("review", {"model": "openai:m-1", "seats": [1, 2]})
    made = await store.runs.get(run)
    assert (made.kind, made.settings, made.state) == (
        "review",
        {"model": "openai:m-1", "seats": [1, 2]},
        "open",
    )
    assert made.finished_at is None
    await store.runs.set_state(run, RunState.DONE)
    done = await store.runs.get(run)
    assert done.state is RunState.DONE
    assert done.finished_at is not None
    assert done.finished_at >= made.created_at
    await store.runs.set_state(run, RunState.OPEN)
    assert await store.runs.get(run) == made


async def test_a_run_that_is_not_there_is_said(store: Store) -> None:
    """A number that no run has is refused by all that asks for one."""
    for asking in (store.runs.get(7), store.runs.set_state(7, RunState.DONE), store.leases.acquire(7)):
        with pytest.raises(StorageError, match="holds no run 7"):
            await asking
    with pytest.raises(StorageError):
        await store.runs.add_tools(7, tools(1))


async def test_tools_are_worked_through_in_order(store: Store) -> None:
    """A run hands out its tools in order, in pages, without those that are done."""
    run = await store.runs.create("review", {})
    assert await store.runs.add_tools(run, tools(450)) == 450
    first = await store.runs.next_tools(run, limit=3)
    assert [todo.tool.name for todo in first] == ["Tool 1", "Tool 2", "Tool 3"]
    await store.runs.mark_done(run, first[1].version)
    assert [todo.position for todo in await store.runs.next_tools(run, limit=3)] == [1, 3, 4]
    assert [todo.position for todo in await store.runs.next_tools(run, after=448)] == [449, 450]


async def test_tools_are_read_as_they_are_needed(store: Store) -> None:
    run = await store.runs.create("review", {})

    def breaking() -> Iterator[Tool]:
        yield from tools(399)
        raise KeyError("the file ends here")

    with pytest.raises(KeyError):
        await store.runs.add_tools(run, breaking())
    assert (await store.run_stats.progress(run)).todo == 200


async def test_adding_tools_again_adds_what_is_new(store: Store) -> None:
    """A list that was added in part can be added again."""
    run = await store.runs.create("review", {})
    await store.runs.add_tools(run, tools(2))
    assert await store.runs.add_tools(run, tools(3)) == 1
    assert [todo.position for todo in await store.runs.next_tools(run)] == [1, 2, 3]


async def test_a_run_holds_one_version_of_a_tool(store: Store) -> None:
    """A tool whose listing has changed since it was added needs a new run."""
    run = await store.runs.create("review", {})
    await store.runs.add_tools(run, tools(1))
    with pytest.raises(StorageError, match="another version of Tool 1; begin a new run"):
        await store.runs.add_tools(run, tools(2, pricing="Free"))
    assert (await store.run_stats.progress(run)).todo == 1


async def test_progress_and_cost_are_of_one_run(store: Store) -> None:
    """Counts and sums are those of the run; an open call counts as lost, and its price and that of an answer without one at their worst."""
    run = await store.runs.create("review", {})
    await store.runs.add_tools(run, tools(2))
    await store.calls.begin(call_key(run=run, worst_usd=0.5))
    for entry in (answered(), answered(cost_usd=None, input_tokens=None), failed(lost_calls=3)):
        await store.calls.settle(await store.calls.begin(call_key(run=run, worst_usd=0.125)), entry)
    await store.calls.settle(await store.calls.begin(call_key()), answered())
    assert await store.run_stats.progress(run) == RunProgress(
        todo=2, done=0, drafts=0, open_calls=1, answered_calls=2, failed_calls=1
    )
    assert await store.run_stats.spent(run) == Spending(
        cost_usd=0.25, unpriced=1, input_tokens=10, output_tokens=4, lost_calls=4, at_risk_usd=1.0
    )
    assert (await store.run_stats.spent()).cost_usd == 0.5


async def test_an_unknown_cost_is_not_nothing(store: Store) -> None:
    assert (await store.run_stats.spent()).cost_usd == 0
    await store.calls.settle(await store.calls.begin(call_key()), answered(cost_usd=None))
    assert (await store.run_stats.spent()).cost_usd is None


async def test_the_same_tool_is_kept_once(store: Store) -> None:
    first = await store.tools.put(builders.tool(url="https://lantern.example/"))
    assert await store.tools.put(builders.tool(url="https://lantern.example/")) == first


async def test_a_changed_tool_is_a_new_version(store: Store) -> None:
    """A tool whose listing has changed has a number of its own, and the old listing stays."""
    run = await store.runs.create("review", {})
    await store.runs.add_tools(run, [builders.tool(pricing="Free")])
    new = await store.tools.put(builders.tool(name="lantern", pricing="9 dollars a month"))
    (old,) = await store.runs.next_tools(run)
    assert old.version != new
    assert old.tool == builders.tool(pricing="Free")
    assert await store.tools.duplicates_of(builders.tool("LANTERN")) == []


async def test_a_tool_is_filed_where_it_was_filed_last(store: Store) -> None:
    """A slug is no part of the content: a new one moves the version that is there."""
    version = await store.tools.put(builders.tool())
    assert await store.tools.put(builders.tool(slug="lantern-logs")) == version
    (known,) = await store.tools.duplicates_of(builders.tool("Lamp", aliases=["Lantern"]))
    assert known.slug == "lantern-logs"


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
