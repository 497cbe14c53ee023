"""Empty stores for benchmarks: SQLite, and PostgreSQL on a server of its own if Debian's package and psycopg are installed."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))

from store.conftest import PROGRAMS, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def databases() -> Iterator[dict[str, Callable[[], str]]]:
    """Yield, for each kind of database, a function that creates an empty store and returns its address."""
    with TemporaryDirectory() as name:
        folder, made = Path(name), iter(range(1_000_000))
        kinds: dict[str, Callable[[], str]] = {"sqlite": lambda: str(folder / f"{next(made)}.db")}
        if not (PROGRAMS / "initdb").exists() or find_spec("psycopg") is None:
            print("PostgreSQL is skipped: its server or psycopg is not installed")
            yield kinds
            return
        folder.chmod(0o711)
        with _server(folder / "postgresql") as server:
            yield {**kinds, "postgresql": server.database}


@contextmanager
def _server(folder: Path) -> Iterator[Server]:
    folder.mkdir()
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "nobody")
    server = Server(folder)
    server.begin()
    try:
        yield server
    finally:
        server.stop()
