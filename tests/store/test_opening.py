from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from panel.errors import SettingsError, StorageError
from panel.store import open_store
from panel.store.sqlite import RESERVE_BYTES
from store.samples import answered, call_key, python

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio


async def _refusal(where: str | Path) -> str:
    with pytest.raises(StorageError) as caught:
        async with open_store(where):
            pass
    words = str(caught.value)
    assert "\n" not in words
    assert words.startswith(str(where))
    return words


async def test_a_new_store_is_made_where_there_is_none(path: Path) -> None:
    """Opening a path makes a database that writes ahead and syncs fully, and sets room aside."""
    async with open_store(path) as store:
        pragmas = await store._db.read(
            lambda connection: [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            ]
        )
    assert pragmas == ["wal", 2, 1, 30_000]
    assert path.with_name("panel.db.reserve").stat().st_size == RESERVE_BYTES


async def test_what_was_kept_is_there_when_it_is_opened_again(path: Path) -> None:
    """An answer outlives the process that paid for it."""
    async with open_store(path) as store:
        await store.calls.settle(await store.calls.begin(call_key()), answered())
    async with open_store(path) as store:
        assert await store.calls.find(call_key().key) == answered()


async def test_a_file_that_is_no_database_is_refused(path: Path) -> None:
    path.write_text("name: Lantern\n" * 100)
    assert "is not a database; choose another path" in await _refusal(path)
    assert path.read_text() == "name: Lantern\n" * 100


async def test_a_damaged_database_is_refused(path: Path) -> None:
    async with open_store(path):
        pass
    pages = bytearray(path.read_bytes())
    pages[100:4096] = b"\xff" * 3996
    path.write_bytes(pages)
    assert "is damaged; restore a backup" in await _refusal(path)


async def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "is a folder; name a file in it" in await _refusal(tmp_path)


async def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert "its folder does not exist; create it" in await _refusal(tmp_path / "missing" / "panel.db")


async def test_another_programs_database_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    assert "holds the tables of another program" in await _refusal(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]


async def test_a_read_only_file_is_refused(ordinary_folder: Path) -> None:
    path = ordinary_folder / "panel.db"
    async with open_store(path):
        pass
    path.chmod(0o444)
    assert "cannot be read and written; allow it" in await _refusal(path)


async def test_a_read_only_folder_is_refused(ordinary_folder: Path) -> None:
    ordinary_folder.chmod(0o555)
    with pytest.raises(StorageError, match="256 KB could not be reserved"):
        async with open_store(ordinary_folder / "panel.db"):
            pass


async def test_a_file_that_is_locked_for_good_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_store(path):
        pass
    monkeypatch.setattr("panel.store.sqlite.BUSY_SECONDS", 0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        assert "is locked by another program" in await _refusal(path)


async def test_a_reserve_that_cannot_be_made_leaves_no_file(path: Path) -> None:
    code = (
        "import resource, pathlib, sys\n"
        "from panel.store.store import database_at\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "database_at(sys.argv[1]).prepare()"
    )
    done = python(code, str(path))
    assert "StorageError" in done.stderr.splitlines()[-1]
    assert list(path.parent.iterdir()) == []


async def test_a_reserve_that_exists_is_not_written_again(path: Path) -> None:
    reserve = path.with_name("panel.db.reserve")
    for _ in range(2):
        async with open_store(path):
            os.utime(reserve, (1, 1))
    assert reserve.stat().st_mtime == 1


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("mysql://root@localhost/panel", "mysql is not supported"),
        (
            "postgresql://panel:secret@host:port/x",
            "^the store's address cannot be read; write [^@]*user@host/name$",
        ),
    ],
)
async def test_an_address_of_something_else_is_a_wrong_setting(where: str, words: str) -> None:
    """An address that is not PostgreSQL's is refused as a setting."""
    with pytest.raises(SettingsError, match=words):
        async with open_store(where):
            pass


@pytest.fixture
def ordinary_folder() -> Iterator[Path]:
    """A folder of an ordinary user, whom the test runs as: root may write anywhere."""
    with tempfile.TemporaryDirectory() as name, _ordinary_user(name):
        yield Path(name)


@contextmanager
def _ordinary_user(folder: str) -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.chown(folder, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
