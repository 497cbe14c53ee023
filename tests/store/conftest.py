"""A store on SQLite, and on PostgreSQL where Debian's package and psycopg are there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from panel.store import open_store
from panel.store.store import database_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from panel.store import Store

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/nowhere"))
# The server will not run as root.
AS_ROOT = os.geteuid() == 0


class Server:
    """A PostgreSQL server on a socket of its own, which can be taken away and brought back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._schemas = 0
        self._shared = ""

    def begin(self) -> None:
        self._run("initdb", "-D", self._data, "-U", "panel", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        self.start()

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories='{self._folder}' -c fsync=off"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", self._folder / "log", "-o", options, "start")

    def stop(self, how: str = "immediate") -> None:
        self._run("pg_ctl", "-D", self._data, "-w", "-m", how, "stop")

    def database(self) -> str:
        """Make an empty schema, which is as good as a database, and return its address."""
        import psycopg

        self._schemas += 1
        name = f"panel_{self._schemas}"
        with psycopg.connect(f"host={self._folder} user=panel dbname=postgres") as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"postgresql://panel@/postgres?host={self._folder}&options=-csearch_path%3D{name}"

    def emptied(self) -> str:
        """Empty the schema that tests may share, and return its address."""
        import psycopg

        if not self._shared:
            self._shared = self.database()
            return self._shared
        with psycopg.connect(self._shared) as connection:
            # Or the log of events would refuse.
            connection.execute("SET session_replication_role = replica")
            found = connection.execute("SELECT to_regclass('tools')").fetchone()
            if found and found[0]:
                connection.execute("TRUNCATE tools, runs RESTART IDENTITY CASCADE")
                connection.execute("TRUNCATE calls, drafts, events, tool_versions RESTART IDENTITY CASCADE")
                connection.execute("TRUNCATE draft_counts, users, subscribers RESTART IDENTITY CASCADE")
        return self._shared

    def _run(self, program: str, *words: object) -> None:
        command = [str(PROGRAMS / program), *map(str, words)]
        # Not a pipe: the server would keep it open.
        with (self._folder / "output").open("ab") as output:
            done = subprocess.run(
                command,
                cwd=self._folder,
                stdout=output,
                stderr=output,
                check=False,
                user="nobody" if AS_ROOT else None,
                extra_groups=[] if AS_ROOT else None,
            )
        assert done.returncode == 0, (self._folder / "output").read_text("utf-8", "replace")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server."""
    if not (PROGRAMS / "initdb").exists():
        pytest.skip("PostgreSQL's server is not installed: apt install postgresql")
    if find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed: pip install 'panel-review[postgres]'")
    # Not pytest's folder, which only its owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="panel-pg-"))
    if AS_ROOT:
        shutil.chown(folder, "nobody")
    server = Server(folder)
    server.begin()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Either kind of database."""
    kind: str = request.param
    return kind


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store in a file, to be copied: making one takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "panel.db"
    database = database_at(path)
    database.prepare()
    database.close()
    return path


@pytest.fixture
def where(request: pytest.FixtureRequest, kind: str, path: Path) -> str:
    """Where an empty store is, on either kind of database."""
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("empty"), path)
        return str(path)
    server: Server = request.getfixturevalue("server")
    return server.emptied()


@pytest.fixture
def nothing(request: pytest.FixtureRequest, kind: str, path: Path) -> str:
    """Where there is no table yet, on either kind of database."""
    if kind == "sqlite":
        return str(path)
    server: Server = request.getfixturevalue("server")
    return server.database()


@pytest.fixture
async def store(where: str) -> AsyncIterator[Store]:
    """An empty store, on either kind of database."""
    async with open_store(where) as opened:
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where an empty store may be, in a file."""
    return tmp_path / "panel.db"
