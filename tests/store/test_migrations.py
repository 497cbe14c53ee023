from __future__ import annotations

import asyncio
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from panel.errors import StorageError
from panel.store import open_store
from panel.store.migrate import MIGRATIONS, REVISIONS
from panel.store.schema import VERSION_TABLE, metadata
from store.samples import python

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from panel.store import Store

pytestmark = pytest.mark.anyio


def test_every_revision_is_in_the_list() -> None:
    """The list of revisions is alembic's, in order."""
    found = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_the_migrations_are_part_of_the_package() -> None:
    """Revisions lie inside the package, so that an installed panel has them."""
    assert Path(str(resources.files("panel.store"))) / "migrations" == MIGRATIONS


async def test_migrations_make_the_tables_of_the_schema(store: Store) -> None:
    """What the migrations make and what the schema says do not differ."""

    def differences(connection: Connection) -> object:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    assert await store._read(differences) == []


async def test_a_newer_store_is_refused(nothing: str) -> None:
    """A store that a later version of panel has changed is refused by this one."""
    async with open_store(nothing) as store:
        await store._write(
            lambda connection: connection.execute(text("UPDATE panel_version SET version_num = '9999'"))
        )
    with pytest.raises(StorageError, match="was written by a newer version of panel; update panel"):
        async with open_store(nothing):
            pass


async def test_two_may_open_a_new_store_at_once(nothing: str) -> None:
    """Of several processes that open an empty database at once, one makes the tables and all can use them."""

    async def run() -> int:
        async with open_store(nothing) as store:
            return await store.create_run("review", {})

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
