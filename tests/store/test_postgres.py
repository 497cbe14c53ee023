"""PostgreSQL that goes away, and comes back."""

from __future__ import annotations

import asyncio
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, event, make_url, text

from panel.errors import SettingsError, StorageError
from panel.store import open_store
from store.samples import KEY, answered, call_key, open_calls

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from panel.store import Store
    from store.conftest import Server

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("how", ["immediate", "fast"])
async def test_an_answer_survives_an_outage(server: Server, how: str) -> None:
    """An answer that arrives while the server is down is kept as soon as it is up again, and can be read then."""
    async with open_store(server.database()) as store:
        call = await store.calls.begin(call_key())
        server.stop(how)
        keeping = asyncio.ensure_future(store.calls.settle(call, answered()))
        finding = asyncio.ensure_future(open_calls(store))
        await asyncio.sleep(0)
        server.start()
        await asyncio.gather(keeping, finding)
        assert await store.calls.find(KEY) == answered()


def _cut_off(store: Store, *, committed: bool) -> None:
    """Have the server hang up at the next commit, before or after it goes through."""
    engine = store._db.database.engine
    met: list[int] = []

    @event.listens_for(engine, "commit")
    def hang_up(connection: Connection) -> None:
        if met:
            return
        driver = connection.connection.dbapi_connection
        assert driver is not None
        met.append(driver.info.backend_pid)
        if committed:
            driver.commit()
        with engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:number, 5000)"), {"number": met[0]})


@pytest.mark.parametrize("committed", [True, False], ids=["went through", "did not"])
async def test_a_commit_that_is_cut_off_is_made_once(server: Server, *, committed: bool) -> None:
    """When the connection breaks at a commit, the work is in the database once, whether or not that went through."""
    async with open_store(server.database()) as store:
        _cut_off(store, committed=committed)
        call = await store.calls.begin(call_key())
        assert [open_call.id for open_call in await open_calls(store)] == [call]


async def test_an_outage_that_lasts_ends_the_work(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not come back in time is an error of the store, and no call is begun after it."""
    monkeypatch.setattr("panel.store.postgres.RETRY_SECONDS", 0)
    async with open_store(server.database()) as store:
        server.stop()
        with pytest.raises(StorageError, match="check that it can be reached, then run the same again"):
            await store.calls.begin(call_key())
        server.start()
        with pytest.raises(StorageError, match="check that it can be reached"):
            await store.calls.begin(call_key())


async def test_a_server_that_is_not_there_is_said_at_once(server: Server, tmp_path: Path) -> None:
    """An address without a server is refused in one line that names no password."""
    del server
    with pytest.raises(StorageError) as caught:
        async with open_store(f"postgresql://panel:secret@/panel?host={tmp_path}"):
            pass
    words = str(caught.value)
    assert "check that it can be reached" in words
    assert "\n" not in words
    assert "secret" not in words


async def test_a_server_is_backed_up_by_its_own_tools(server: Server, tmp_path: Path) -> None:
    """A backup of PostgreSQL is left to pg_dump."""
    async with open_store(server.database()) as store:
        with pytest.raises(StorageError, match="back it up with pg_dump"):
            await store.backup(tmp_path / "copy")


@pytest.mark.parametrize(("table", "shared"), [("procrastinate_jobs", True), ("runs", False)])
async def test_other_programs_may_share_the_database(server: Server, table: str, *, shared: bool) -> None:
    """Tables of another name are no hindrance; a table of a name that panel needs is."""
    where = server.database()
    engine = create_engine(make_url(where).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {table} (id int)"))
    engine.dispose()
    with (
        nullcontext() if shared else pytest.raises(StorageError, match="holds the tables of another program")
    ):
        async with open_store(where):
            pass


async def test_a_missing_driver_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without psycopg an address of PostgreSQL is refused with what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SettingsError, match=r"pip install 'panel-review\[postgres\]'"):
        async with open_store("postgresql://panel@localhost/panel"):
            pass
