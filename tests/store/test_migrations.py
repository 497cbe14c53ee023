from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import column, insert, table, text

import builders
from panel.core.draft_edits import EditedReview
from panel.core.draft_state import DraftEvent, State
from panel.errors import StorageError
from panel.store import open_store
from panel.store.database import MIGRATIONS, REVISIONS
from panel.store.draft_records import add_event
from panel.store.schema import VERSION_TABLE, drafts, metadata, runs, tool_names, tool_versions, tools
from panel.store.store import database_at
from store.editing import approval, do
from store.samples import python, review

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from panel.core.review import PanelReview
    from panel.store import Store

pytestmark = pytest.mark.anyio

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_every_revision_is_in_the_list() -> None:
    found = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_the_migrations_are_part_of_the_package() -> None:
    """Revisions lie inside the package, so that an installed panel has them."""
    assert Path(str(resources.files("panel.store"))) / "migrations" == MIGRATIONS


async def test_migrations_make_the_tables_of_the_schema(store: Store) -> None:

    def differences(connection: Connection) -> object:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    assert await store._db.read(differences) == []


async def test_a_newer_store_is_refused(nothing: str) -> None:
    async with open_store(nothing) as store:
        await store._db.write(
            lambda connection: connection.execute(text("UPDATE panel_version SET version_num = '9999'"))
        )
    with pytest.raises(StorageError, match="was written by a newer version of panel; update panel"):
        async with open_store(nothing):
            pass


async def test_two_may_open_a_new_store_at_once(nothing: str) -> None:
    """Of several processes that open an empty database at once, one makes the tables and all can use them."""

    async def run() -> int:
        async with open_store(nothing) as store:
            return await store.runs.create("review", {})

    assert sorted(await asyncio.gather(*(run() for _ in range(4)))) == [1, 2, 3, 4]


async def test_a_store_that_is_up_to_date_needs_no_alembic(where: str) -> None:
    """Alembic is imported only where there is something to migrate."""
    async with open_store(where):
        pass
    code = (
        "import asyncio, sys\nfrom panel.store import open_store\n"
        "async def main():\n    async with open_store(sys.argv[1]): pass\n"
        "asyncio.run(main()); assert 'alembic' not in sys.modules"
    )
    assert python(code, where).stderr == ""


def test_help_does_not_import_the_store() -> None:
    """`panel --help` loads neither the store nor SQLAlchemy."""
    code = "import sys; from panel.cli import run; run(['--help']); print(*sys.modules, file=sys.stderr)"
    done = python(code)
    assert done.returncode == 0
    assert {"panel.store", "sqlalchemy", "alembic"}.isdisjoint(done.stderr.split())


FAILED = builders.no_take("timed_out", "No answer within 120 s.")
REVIEWS = (
    review(),
    review(builders.tool("Sextant", category="Maps"), builders.take(), builders.take(20, "skip"), FAILED),
    builders.mixed_jury(),
)


def _first_version(where: str) -> None:
    """Make a store of the first revision, with a draft of each review; the last one was revised."""
    database = database_at(where)

    def make(connection: Connection) -> None:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(MIGRATIONS))
        command.upgrade(config, "0001")
        connection.execute(
            insert(runs).values(kind="batch", settings={}, state="done", created_at=MOMENT, lease_beat=0)
        )
        for number, kept in enumerate(REVIEWS, 1):
            _put(connection, number, kept)

    database.write(make)
    database.close()


OLD_TAKES = table("takes", *map(column, ("draft_id", "persona", "position", "kind", "verdict")))


def _put(connection: Connection, number: int, kept: PanelReview) -> None:
    made, shown = kept.model_dump(mode="json"), EditedReview(original=kept, review=kept).hash
    tool, seen = {"tool_id": number}, {"first_seen": MOMENT}
    names = {"canonical": kept.tool.canonical, "name": kept.tool.name, "slug": kept.tool.slug}
    connection.execute(insert(tools).values(**names, **seen))
    connection.execute(insert(tool_names).values(**tool, name=kept.tool.canonical))
    content = {"digest": kept.tool.digest, "content": made["tool"]}
    connection.execute(insert(tool_versions).values(**tool, **seen, **content))
    whole = {"review_id": kept.id, "review": made, "shown": shown, "state": "drafted", "drafted_at": MOMENT}
    connection.execute(insert(drafts).values(run_id=1, **tool, version_id=number, **whole))
    for position, seat in enumerate(kept.seats):
        seat_row = {"persona": seat.persona, "position": position, "kind": seat.outcome.kind}
        verdict = seat.take and seat.take.verdict
        connection.execute(insert(OLD_TAKES).values(draft_id=number, verdict=verdict, **seat_row))
    events = (
        [("drafted", None, "0" * 64), ("revised", "0" * 64, shown)]
        if number == 3
        else [("drafted", None, shown)]
    )
    for kind, before, after in events:
        payload = {"review": made} if kind == "revised" else {}
        hashes = {"hash_before": before, "hash_after": after}
        add_event(connection, DraftEvent(draft=number, actor="panel", kind=kind, payload=payload, **hashes))


async def test_drafts_of_the_first_version_are_brought_along(nothing: str) -> None:
    """Drafts that were kept before there was a queue are in it, counted, sound, and can be worked on."""
    _first_version(nothing)
    async with open_store(nothing) as store:
        assert await store.check() == []
        lines = (await store.queue.page()).rows
        assert [(line.name, line.category, line.ships, line.skips) for line in lines] == [
            (kept.tool.name, kept.tool.category, kept.tally.ships, kept.tally.skips) for kept in REVIEWS
        ]
        assert [line.cost_usd for line in lines] == [pytest.approx(kept.usage.cost_usd) for kept in REVIEWS]
        assert {line.updated_at for line in lines} == {MOMENT}
        assert {line.open_findings for line in lines} == {None}
        assert (await store.queue.counts())[State.DRAFTED] == len(REVIEWS)
        assert await store.queue.categories() == {"Developer Tools": 1, "Maps": 1}
        for draft, kept in enumerate(REVIEWS, 1):
            assert (await approval(store).view(draft)).shown.review == kept
            await do(store, draft, "open")
        assert (await store.queue.counts())[State.IN_REVIEW] == len(REVIEWS)
        assert None not in {line.open_findings for line in (await store.queue.page()).rows}
        assert await store.check() == []


async def test_the_log_of_the_first_version_stays_closed(nothing: str) -> None:
    """A store that was brought up to date refuses to change its old events as it did before."""
    _first_version(nothing)
    async with open_store(nothing) as store:
        with pytest.raises(StorageError, match="events are only ever added"):
            await store._db.write(
                lambda connection: connection.execute(text("UPDATE events SET actor = 'Kim'"))
            )
