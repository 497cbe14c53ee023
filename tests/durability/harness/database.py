"""What is in the database, read by other means than panel's own.

It is opened for reading only, so that what a killed process left behind is there for the next one as it was.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TWICE = {
    "answers of one question": "SELECT 1 FROM calls WHERE state = 'answered' GROUP BY run_id, key HAVING count(*) > 1",
    "drafts of one tool": "SELECT 1 FROM drafts GROUP BY run_id, tool_id HAVING count(*) > 1",
    "takes of one seat": "SELECT 1 FROM takes GROUP BY draft_id, persona HAVING count(*) > 1",
    "tools of one name": "SELECT 1 FROM tools GROUP BY canonical HAVING count(*) > 1",
}


@dataclass(frozen=True, slots=True)
class DraftSnapshot:
    """What a store holds.

    Attributes:
        run: the latest run whose tools are all there; None if there is none.
        committed: by question, the last of its askings whose answer is kept.
        calls: calls by state.
        drafts: how many drafts.
        takes: how many seats of drafts hold a take.
        done: tools that the run is done with.
        duplicates: rows that are there twice, in words.
        flaws: what SQLite finds wrong.
    """

    run: int | None = None
    committed: Mapping[str, int] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)
    drafts: int = 0
    takes: int = 0
    done: int = 0
    duplicates: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()


def kept(path: Path, *, thorough: bool = False) -> DraftSnapshot:
    """Return what is in a database; nothing is in one that was not made yet.

    Args:
        path: the file.
        thorough: whether every index is held against its table too.
    """
    if not path.exists():
        return DraftSnapshot()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
        flaws = _flaws(connection, "integrity_check" if thorough else "quick_check")
        if flaws or not _one(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'calls'"):
            return DraftSnapshot(flaws=flaws)
        return _kept(connection)


def _kept(connection: sqlite3.Connection) -> DraftSnapshot:
    run = _one(connection, "SELECT max(id) FROM runs WHERE kind = 'batch' AND state <> 'making'")
    done = "SELECT count(*) FROM run_tools WHERE state = 'done' AND run_id = (SELECT max(id) FROM runs)"
    return DraftSnapshot(
        run=run,
        committed=_committed(connection),
        calls=dict(connection.execute("SELECT state, count(*) FROM calls GROUP BY state")),
        drafts=_one(connection, "SELECT count(*) FROM drafts"),
        takes=_one(connection, "SELECT count(*) FROM takes WHERE verdict IS NOT NULL"),
        done=_one(connection, done),
        duplicates=tuple(_duplicates(connection)),
    )


def _committed(connection: sqlite3.Connection) -> dict[str, int]:
    """Return the last kept asking of each question: an answer's id says what it answers (see `ledger_server`)."""
    last: Counter[str] = Counter()
    for (answer,) in connection.execute(
        "SELECT json_extract(completion, '$.request_id') FROM calls WHERE state = 'answered'"
    ):
        question, _, times = answer.partition(".")
        last[question] = max(last[question], int(times))
    return dict(last)


def _duplicates(connection: sqlite3.Connection) -> list[str]:
    found = {what: len(connection.execute(query).fetchall()) for what, query in TWICE.items()}
    return [f"{number} x {what}" for what, number in found.items() if number]


def _flaws(connection: sqlite3.Connection, check: str) -> tuple[str, ...]:
    lines = [str(line) for (line,) in connection.execute(f"PRAGMA {check}")]
    return () if lines == ["ok"] else tuple(lines)


def _one(connection: sqlite3.Connection, query: str) -> Any:
    return connection.execute(query).fetchone()[0]
