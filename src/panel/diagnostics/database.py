"""Where answers and drafts are kept, and whether they can be."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from panel.cli.existing import glanced, size_words
from panel.diagnostics import Observation, note, ok, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.diagnostics.case import Case
    from panel.store import Glance

LEAST_ROOM = 64_000_000
"""Bytes; some thousand answers, and the log that SQLite writes beside its file."""

ADVICE = "choose another database with PANEL_DATABASE_URL"


def database(case: Case) -> Iterator[Observation]:
    """Tell whether there is a database, whether this panel can use it, and whether it can grow. It is never made here."""
    seen = glanced(case.resolved)
    if seen.newer:
        found = f"{seen.where} was written by a newer version of panel (revision {seen.revision})"
        yield problem(found, f"update panel, or {ADVICE}")
    elif seen.kind == "SQLite":
        yield from _file(seen, Path(seen.where), tried=case.resolved.settings.database_url is None)
    else:
        yield ok(f"{seen.where} can be reached: {_state(seen)}")


def _file(seen: Glance, path: Path, *, tried: bool) -> Iterator[Observation]:
    """Tell of a file, whose folder the check of the user's data may have tried, and told of, already."""
    folder = next(one for one in path.parents if one.exists())
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        yield problem(f"{path} cannot be written: it may not be changed", f"allow it, or {ADVICE}")
        return
    if (fault := _unwritable(folder)) is not None:
        if not tried:
            yield problem(f"{path} cannot be written: {fault}", f"allow it, or {ADVICE}")
        return
    yield ok(f"{path} can be written: {_state(seen)}")
    room = shutil.disk_usage(folder).free
    if room < LEAST_ROOM:
        yield note(f"its disk has room for {size_words(room)} only", f"make room, or {ADVICE}")


def _unwritable(folder: Path) -> str | None:
    """Return why nothing can be written in a folder; None if something can."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return f"{folder}: {error.strerror or error}"


def _state(seen: Glance) -> str:
    if not seen.there:
        return "empty; the first review makes its tables"
    return f"revision {seen.revision}, {size_words(seen.bytes)}"
