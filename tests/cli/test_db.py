"""What `panel db` tells of the database, and what `panel doctor` does."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import builders
from panel.core.text import byte_size
from panel.diagnostics.installation import Installation, Level
from panel.diagnostics.machine import database as examined
from panel.errors import SettingsError, StorageError
from panel.store import StoreInfo, open_store
from panel.store.database import REVISIONS
from store.samples import review

if TYPE_CHECKING:
    from panel.diagnostics.installation import Observation


class Usage(NamedTuple):
    """What `shutil.disk_usage` returns."""

    total: int
    used: int
    free: int


async def _filled(path: Path) -> None:
    async with open_store(path) as store:
        run = await store.runs.create("review", {})
        await store.drafts.put(review(), run, await store.tools.put(builders.tool()))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the store in force will be."""
    path = tmp_path / "kept" / "panel.db"
    path.parent.mkdir()
    monkeypatch.setenv("PANEL_DATABASE_URL", str(path))
    return path


@pytest.fixture
def store(place: Path) -> Path:
    """The store in force, with a draft in it."""
    asyncio.run(_filled(place))
    return place


def findings() -> list[Observation]:
    return list(examined(Installation({}, None)))


def damage(path: Path, change: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(change)


@pytest.mark.parametrize("command", [("check",), ("backup", "copy.db"), ("path",)])
def test_no_command_makes_a_database(panel: Any, place: Path, command: tuple[str, ...]) -> None:
    """Where there is none, each command ends with 2 and a line that says how to make one."""
    ran = panel("db", *command)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"panel: {place}: there is no database yet; any review makes it: panel review FILE\n"
    assert list(place.parent.iterdir()) == []
    assert not Path("copy.db").exists()


def test_the_default_place_is_with_the_users_data(panel: Any, own_world: Path) -> None:
    """Unless it is set, the database belongs in the folder of the user's data, which is not made either."""
    assert f"panel: {own_world / 'data' / 'panel.db'}: there is no database yet" in panel("db", "path").err
    assert not (own_world / "data").exists()


def test_a_sound_database_passes(panel: Any, store: Path) -> None:
    """A sound database ends with 0, in words and as JSON."""
    ran = panel("db", "check")
    assert (ran.code, ran.out) == (0, f"{store} is sound\n")
    told = json.loads(panel("db", "check", "--json").out)
    assert told == {"where": str(store), "sound": True, "flaws": []}


def test_flaws_are_told_a_line_each(panel: Any, store: Path) -> None:
    """A database that was altered ends with 74 and names what is wrong, in words and as JSON."""
    damage(
        store, "UPDATE drafts SET review = replace(review, '70', '71'); DELETE FROM takes WHERE position = 0"
    )
    ran = panel("db", "check")
    assert ran.code == 74
    *flaws, last = ran.out.splitlines()
    assert flaws[0].startswith("draft 1: its review was altered")
    assert flaws[1].startswith("draft 1: it has ")
    assert last == f"{store} is not sound; restore a backup, or report it as a bug in panel"
    ran = panel("db", "check", "--json")
    assert (ran.code, json.loads(ran.out)["flaws"]) == (74, flaws)


def test_what_is_no_database_is_said(panel: Any, place: Path) -> None:
    """A file that is no database ends with 74 and one line."""
    place.write_bytes(b"no database" * 100)
    for command in (("db", "check"), ("db", "path"), ("batch", "list")):
        ran = panel(*command)
        assert ran.code == 74
        assert ran.err == f"panel: {place} is not a database; choose another path\n"


def test_a_backup_can_be_used_in_its_place(
    panel: Any, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy is sound and holds the same, and the command prints where it is and how large."""
    copy = tmp_path / "copy.db"
    ran = panel("db", "backup", "copy.db")
    assert (ran.code, ran.out) == (
        0,
        f"{copy}: a copy of {store}, {byte_size(copy.stat().st_size)}\n",
    )
    monkeypatch.setenv("PANEL_DATABASE_URL", str(copy))
    assert panel("db", "check").code == 0
    assert len(json.loads(panel("batch", "list", "--all", "--json").out)) == 1


def test_a_backup_replaces_nothing(panel: Any, store: Path, tmp_path: Path) -> None:
    """A file, a folder, a dangling link or the database itself in the place of the copy ends with 2 and stays as it is."""
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for taken in ("mine.txt", "kept", "link", store):
        ran = panel("db", "backup", taken)
        assert (ran.code, ran.err) == (
            2,
            f"panel: {taken} exists already; choose another name for the copy\n",
        )
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert panel("db", "check").code == 0


@pytest.mark.usefixtures("store")
def test_a_backup_that_cannot_be_written_is_a_fault_of_the_disk(panel: Any) -> None:
    """A folder that is not there ends with 74."""
    assert panel("db", "backup", "missing/copy.db").code == 74


def test_the_path_tells_what_there_is(panel: Any, store: Path) -> None:
    """Place, kind, revision and size are printed, in words and as JSON."""
    told = json.loads(panel("db", "path", "--json").out)
    assert told == {
        "where": str(store),
        "kind": "SQLite",
        "revision": REVISIONS[-1],
        "bytes": store.stat().st_size,
    }
    assert panel("db", "path").out.splitlines() == [
        f"where     {store}",
        "kind      SQLite",
        f"revision  {REVISIONS[-1]}",
        f"size      {byte_size(store.stat().st_size)}",
    ]


def test_a_newer_database_is_told_and_left_alone(panel: Any, store: Path) -> None:
    """A database of a newer panel can be looked at but not opened."""
    damage(store, "UPDATE panel_version SET version_num = '9999'")
    assert "revision  9999, of a newer version of panel" in panel("db", "path").out.splitlines()
    assert "written by a newer version of panel" in panel("db", "check").err
    (finding,) = findings()
    assert finding.level is Level.PROBLEM
    assert finding.found == f"{store} was written by a newer version of panel (revision 9999)"


def test_postgresql_is_not_copied(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of PostgreSQL is left to its own program."""
    seen = StoreInfo(where="postgresql://panel@host/db", kind="PostgreSQL", revision=REVISIONS[-1])
    monkeypatch.setattr("panel.store.read_store_info", lambda _address: seen)
    ran = panel("db", "backup", "copy.db")
    assert (ran.code, ran.err) == (
        2,
        "panel: postgresql://panel@host/db is PostgreSQL; back it up with pg_dump\n",
    )


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 KB"), (262_144, "262 KB"), (12_345_678, "12.3 MB"), (1_200_000_000, "1.2 GB")],
)
def test_sizes_are_read_in_thousands(size: int, words: str) -> None:
    """A size is printed in the unit that suits it."""
    assert byte_size(size) == words


def test_doctor_makes_no_database(place: Path) -> None:
    """Where there is none yet, the check says that it will be made, and makes nothing."""
    (finding,) = findings()
    assert finding.level is Level.OK
    assert finding.found == f"{place} can be written: empty; the first review makes its tables"
    assert list(place.parent.iterdir()) == []


@pytest.mark.usefixtures("store")
def test_doctor_tells_the_revision(panel: Any) -> None:
    """A database that is there is told with its revision and its size, under a subject of its own."""
    (row,) = [row for row in json.loads(panel("doctor", "--json").out) if row["subject"] == "Database"]
    assert row["mark"] == "ok"
    assert f"can be written: revision {REVISIONS[-1]}, " in row["found"]


def test_doctor_sees_a_place_that_cannot_be_written(place: Path) -> None:
    """A file where the folder should be is a problem, with what to do about it."""
    place.parent.rmdir()
    place.parent.write_text("a file")
    (finding,) = findings()
    assert finding.level is Level.PROBLEM
    assert finding.found.startswith(f"{place} cannot be written: ")
    assert finding.advice == "allow it, or choose another database with PANEL_DATABASE_URL"


def test_doctor_sees_a_file_that_may_not_be_changed(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that may only be read is a problem."""
    monkeypatch.setattr("panel.diagnostics.machine.os.access", lambda _path, _mode: False)
    (finding,) = findings()
    assert finding.level is Level.PROBLEM
    assert finding.found == f"{store} cannot be written: it may not be changed"


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("free", "marks"), [(63_999_999, ["ok", "note"]), (64_000_000, ["ok"])])
def test_doctor_warns_of_a_disk_that_is_nearly_full(
    free: int, marks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below 64 MB of room there is a warning, which stands in the way of nothing."""
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: Usage(10**9, 0, free))
    assert [finding.level for finding in findings()] == marks


def test_doctor_tries_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer is an error of the store, without the password; an empty database is fine."""
    monkeypatch.setenv("PANEL_DATABASE_URL", "postgresql://panel:hunter2@127.0.0.1:1/db")
    try:
        findings()
    except StorageError as error:
        assert "hunter2" not in str(error)  # noqa: PT017 - without the driver it is another error
    except SettingsError as error:
        assert "psycopg" in str(error)  # noqa: PT017 - likewise
    else:
        pytest.fail("the server answered")
    seen = StoreInfo(where="postgresql://panel@host/db", kind="PostgreSQL")
    monkeypatch.setattr("panel.store.read_store_info", lambda _where: seen)
    (finding,) = findings()
    assert (
        finding.found == "postgresql://panel@host/db can be reached: empty; the first review makes its tables"
    )
