"""What is left after a process was killed, or its disk was full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from panel.core.frozen import digest_of
from panel.store import open_store
from store.samples import KEY, answered, call_key, open_calls

pytestmark = pytest.mark.anyio

HEAD = """
import asyncio, os, resource, sys
from pathlib import Path
from store.samples import KEY, answered, failed, call_key
from panel.core.frozen import digest_of
from panel.errors import StorageError
from panel.store import open_store
from panel.store.sqlite import SqliteDatabase

PATH = Path(sys.argv[1])

def no_room():
    # Stands in for a full disk: no file may grow beyond what the log has now.
    size = PATH.with_name("panel.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def room():
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

async def told(doing):
    try:
        print(await doing)
    except StorageError as error:
        print(error)
"""
TAIL = """
async def main():
    async with open_store(PATH) as store:
        await act(store)

asyncio.run(main())
"""


def started(path: Path, *code: str) -> subprocess.Popen[str]:
    """Run code in a process of its own."""
    searched = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, "-c", "\n".join([HEAD, *code, TAIL]), path],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, searched))},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def child(path: Path, *code: str) -> list[str]:
    """Run code in a process of its own, and return the lines that it printed."""
    out, err = started(path, *code).communicate(timeout=30)
    assert err == ""
    return out.splitlines()


async def test_a_process_that_is_killed_before_its_answer_leaves_an_open_call(path: Path) -> None:
    child(
        path,
        "async def act(store):",
        "    await store.calls.settle(await store.calls.begin(call_key()), answered())",
        "    await store.calls.begin(call_key(digest_of('lost')))",
        "    os._exit(137)",
    )
    async with open_store(path) as store:
        assert [call.key for call in await open_calls(store)] == [call_key(digest_of("lost"))]
        assert await store.calls.find(KEY) == answered()
        assert await store.check() == []


@pytest.mark.parametrize("hit", [1, 4])
async def test_a_process_that_is_killed_in_a_transaction_leaves_nothing_of_it(path: Path, hit: int) -> None:
    """A writer that is killed at the first or the last statement of a draft leaves no part of the draft."""
    child(
        path,
        "import builders",
        "from sqlalchemy import event",
        "from store.samples import review",
        f"left = {hit}",
        "def count(connection, cursor, statement, *rest):",
        "    global left",
        "    left -= statement.startswith(('INSERT', 'UPDATE'))",
        "    if left == 0: os._exit(137)",
        "async def act(store):",
        "    run = await store.runs.create('review', {})",
        "    version = await store.tools.put(builders.tool())",
        "    await store.runs.add_tools(run, [builders.tool()])",
        "    event.listen(store._db.database.engine, 'after_cursor_execute', count)",
        "    await store.drafts.put(review(), run, version)",
    )
    async with open_store(path) as store:
        assert (await store.queue.page()).rows == ()
        assert len(await store.runs.next_tools(1)) == 1
        assert await store.check() == []


async def test_answers_in_flight_survive_a_full_disk(path: Path) -> None:
    """The reserve makes room for what was paid for; nothing new is begun."""
    lines = child(
        path,
        "release = SqliteDatabase.free_reserve",
        "def give_up(database):",
        "    release(database)",
        "    room()",
        "SqliteDatabase.free_reserve = give_up",
        "async def act(store):",
        "    calls = [await store.calls.begin(call_key(digest_of(n))) for n in range(3)]",
        "    no_room()",
        "    for n, call in enumerate(calls):",
        "        await told(store.calls.settle(call, answered(key=digest_of(n))))",
        "    await told(store.calls.begin(call_key()))",
        "    print(PATH.with_name('panel.db.reserve').exists())",
    )
    assert lines[:3] == ["None"] * 3
    assert (
        lines[3]
        == f"{path} cannot be read or written; check its disk and its room there, then run the same again"
    )
    assert lines[4] == "False"
    async with open_store(path) as store:
        assert await open_calls(store) == []
        assert [await store.calls.find(digest_of(n)) for n in range(3)] == [
            answered(key=digest_of(n)) for n in range(3)
        ]


async def test_a_disk_that_stays_full_costs_no_more(path: Path) -> None:
    """Where even the reserve is not enough, answers and calls are refused, and the database stays sound."""
    lines = child(
        path,
        "async def act(store):",
        "    call = await store.calls.begin(call_key())",
        "    no_room()",
        "    await told(store.calls.settle(call, answered()))",
        "    await told(store.calls.begin(call_key()))",
        "    await told(store.runs.create('review', {}))",
    )
    assert len(lines) == 3
    assert all("check its disk and its room there" in line for line in lines)
    async with open_store(path) as store:
        assert len(await open_calls(store)) == 1
        assert await store.check() == []


async def test_an_unpaid_write_that_meets_a_full_disk_is_not_made(path: Path) -> None:
    """A call that could not be noted is not begun in the room of the reserve either."""
    lines = child(
        path,
        "release = SqliteDatabase.free_reserve",
        "def give_up(database):",
        "    release(database)",
        "    room()",
        "SqliteDatabase.free_reserve = give_up",
        "async def act(store):",
        "    call = await store.calls.begin(call_key())",
        "    no_room()",
        "    await told(store.calls.begin(call_key()))",
        "    await told(store.calls.settle(call, answered()))",
    )
    assert "check its disk" in lines[0]
    assert lines[1] == "None"
    async with open_store(path) as store:
        assert await open_calls(store) == []


async def test_two_processes_may_write_to_one_file(path: Path) -> None:
    code = (
        "async def act(store):",
        "    calls = await asyncio.gather(*(store.calls.begin(call_key()) for _ in range(20)))",
        "    for call in calls:",
        "        await store.calls.settle(call, answered())",
        "    print(len(calls))",
    )
    async with open_store(path) as store:
        other = started(path, *code)
        for _ in range(20):
            await store.calls.settle(await store.calls.begin(call_key()), answered())
        out, err = other.communicate(timeout=30)
        assert (out, err) == ("20\n", "")
        assert (await store.run_stats.spent()).cost_usd == 40 * 0.25
        assert await open_calls(store) == []
