from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import builders
from panel.core.draft_edits import ScoreChange
from panel.errors import StorageError
from panel.store import open_store
from store.editing import PLAIN, QUIET, approval, brought, do, drafted
from store.samples import KEY, answered, call_key, review

if TYPE_CHECKING:
    from pathlib import Path

    from panel.store import Store

pytestmark = pytest.mark.anyio


async def _fill(store: Store) -> None:
    run = await store.runs.create("review", {})
    await store.calls.settle(await store.calls.begin(call_key(run=run)), answered())
    await store.drafts.put(review(), run, await store.tools.put(builders.tool()))


async def test_a_sound_store_has_no_problems(store: Store) -> None:
    """A store that only panel has written to passes its check."""
    await _fill(store)
    assert await store.check() == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("UPDATE drafts SET review_id = 'x'", "draft 1: its review does not match its id"),
        ("UPDATE drafts SET review = replace(review, '70', '71')", "draft 1: its review was altered"),
        ("UPDATE drafts SET review = 'x'", "draft 1: its review cannot be read"),
        ("DELETE FROM takes WHERE persona = 'builder'", "draft 1: it has 2 takes for 3 seats"),
        ("DROP TRIGGER events_no_delete; DELETE FROM events", "draft 1: it has 0 `drafted` events"),
        ("UPDATE calls SET completion = NULL", "call 1: its answer cannot be read"),
        ("UPDATE drafts SET shown = 'x'", "draft 1: its review was altered"),
        (
            "UPDATE drafts SET state = 'published'",
            "draft 1: its review was altered, or its state",
        ),
        (
            "UPDATE drafts SET live = 'x'",
            "draft 1: its review was altered, or its state",
        ),
        ("UPDATE drafts SET ships = 0", "draft 1: its columns in the queue differ from its review"),
        ("UPDATE draft_counts SET drafts = 2", "the counts of the queue differ from its drafts"),
        (
            "DROP TRIGGER events_no_update; UPDATE events SET hash_after = 'x'",
            "draft 1: its review was altered",
        ),
        ("DELETE FROM runs", "calls 1 refers to a missing row of runs"),
    ],
)
async def test_a_row_that_somebody_altered_is_found(path: Path, change: str, problem: str) -> None:
    """A change behind the store's back is named with the row it hit."""
    async with open_store(path) as store:
        await _fill(store)
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(change)
        assert problem in "\n".join(await store.check())


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE drafts SET state = 'approved'",
        "UPDATE drafts SET live = NULL",
        "UPDATE drafts SET review = replace(review, '70', '71')",
        "DROP TRIGGER events_no_delete; DELETE FROM events WHERE kind = 'approve'",
        "DROP TRIGGER events_no_delete; DELETE FROM events WHERE kind = 'edit'",
        "DROP TRIGGER events_no_update; UPDATE events SET kind = 'note' WHERE kind = 'publish'",
        "DROP TRIGGER events_no_update; UPDATE events SET actor = 'panel' WHERE kind = 'approve'",
        "DROP TRIGGER events_no_update; UPDATE events SET hash_after = 'x' WHERE kind = 'approve'",
        "DROP TRIGGER events_no_update; UPDATE events SET payload = replace(payload, '60', '61') WHERE kind = 'edit'",
        "DROP TRIGGER events_no_update; UPDATE events SET payload = '{\"edits\": [1]}' WHERE kind = 'edit'",
        (
            "INSERT INTO events (draft_id, actor, kind, hash_before, hash_after, at, payload) "
            "SELECT draft_id, 'Ada', 'retract', hash_before, hash_after, at, '{}' FROM events WHERE kind = 'publish'"
        ),
    ],
)
async def test_a_decision_that_somebody_altered_is_found(path: Path, change: str) -> None:
    """A published draft whose row or log no longer says how it came to be is named."""
    async with open_store(path) as store:
        draft = await drafted(store, review(None, builders.take(text=PLAIN), builders.take(80, text=QUIET)))
        await do(store, draft, "edit", changes=(ScoreChange(persona="builder", value=60),))
        await brought(store, draft, "approve", "publish")
        assert await store.check() == []
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(change)
        assert "draft 1: its review was altered" in "\n".join(await store.check())


async def test_a_store_is_sound_while_people_work(where: str, store: Store) -> None:
    """A check that is made while drafts are changed takes no change for damage."""
    made = [await drafted(store) for _ in range(4)]

    async def work() -> None:
        async with open_store(where) as other:
            for draft in made * 2:
                await do(other, draft, "edit")
                await do(other, draft, "undo")

    working = asyncio.ensure_future(work())
    while not working.done():
        assert await store.check() == []
        for draft in made:
            await approval(store).view(draft)
    await working


async def test_a_damaged_page_is_found(path: Path) -> None:
    """A page that was overwritten is a problem or an error, never a traceback."""
    async with open_store(path) as store:
        await _fill(store)
    pages = bytearray(path.read_bytes())
    pages[-4096:] = b"\xff" * 4096
    path.write_bytes(pages)
    async with open_store(path) as store:
        try:
            assert await store.check() != []
        except StorageError as error:
            assert "is damaged; restore a backup" in str(error)  # noqa: PT017 - either will do


async def test_an_answer_that_cannot_be_read_is_said(path: Path) -> None:
    """A row that does not hold what panel wrote is an error of the store."""
    async with open_store(path) as store:
        await _fill(store)
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript("UPDATE calls SET completion = '{'")
        with pytest.raises(StorageError, match="holds a row that cannot be read; restore a backup"):
            await store.calls.find(KEY)


async def test_a_backup_is_whole_while_answers_arrive(path: Path, tmp_path: Path) -> None:
    """A copy made while others write is sound, and holds all that was committed before it was begun."""
    async with open_store(path) as store:
        await _fill(store)
        calls = [asyncio.ensure_future(store.calls.begin(call_key())) for _ in range(300)]
        await store.backup(tmp_path / "copy.db")
        await asyncio.gather(*calls)
    async with open_store(tmp_path / "copy.db") as copy:
        assert await copy.check() == []
        assert await copy.calls.find(KEY) == answered()


async def test_a_backup_replaces_nothing(path: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("mine")
    async with open_store(path) as store:
        with pytest.raises(StorageError, match="exists already; choose another path"):
            await store.backup(tmp_path / "copy.db")
        with pytest.raises(StorageError, match="cannot be opened"):
            await store.backup(tmp_path / "missing" / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "mine"
