"""A store that version 0.1.0 made opens, keeps every row, and can be worked on."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import JSON, Boolean, Connection, DateTime, MetaData, insert, text

from panel.cli import run as run_panel
from panel.core.completion import CallKey, Completion, ModelConfig
from panel.core.take import NoTakeReason, Verdict
from panel.store import SubscriptionState, open_store
from panel.store.database import MIGRATIONS
from panel.store.store import database_at
from publishing import URL, Site
from store.samples import events_of
from vendors import Vendors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from panel.core.prompt import Prompt
    from panel.store import Store

pytestmark = pytest.mark.anyio

DUMP = Path(__file__).parents[2] / "fixtures" / "stores" / "version-0.1.0.sql"
REVISION = "0005"
TABLES = [
    "tools",
    "tool_names",
    "tool_versions",
    "runs",
    "drafts",
    "run_tools",
    "calls",
    "takes",
    "events",
    "open_kinds",
    "draft_counts",
    "claims",
    "users",
    "sessions",
    "votes",
    "subscribers",
]

# Columns that only copied another one: where their values are found since.
USAGE = ("cached_tokens", "cache_write_tokens", "reasoning_tokens", "estimated")
DROPPED = {
    "calls": {"seq", "attempts", "request_id", *USAGE},
    "takes": {"kind", "score"},
    "drafts": {"findings"},
}


def _load(path: Path, **replaced: str) -> None:
    dump = DUMP.read_text("utf-8")
    for old, new in replaced.items():
        dump = dump.replace(old, new)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump)


def _rows(path: Path, table: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(f"SELECT * FROM {table} ORDER BY rowid")]  # noqa: S608 - constants


def _copy(source: Path, where: str) -> None:
    """Copy the rows of version 0.1.0 into tables of the same revision on PostgreSQL."""
    database = database_at(where)

    def copy(connection: Connection) -> None:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(MIGRATIONS))
        command.upgrade(config, REVISION)
        tables = MetaData()
        tables.reflect(connection, only=TABLES)
        # Triggers count the drafts.
        for name in (name for name in TABLES if name != "draft_counts"):
            table = tables.tables[name]
            for row in _rows(source, name):
                values = {key: _value(table.c[key].type, value) for key, value in row.items()}
                connection.execute(insert(table).values(values))
            if "id" in table.c:
                following = f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) FROM {name}"  # noqa: S608 - constants
                connection.execute(text(following))

    database.write(copy)
    database.close()


def _value(type_: object, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(type_, JSON):
        return json.loads(value)
    if isinstance(type_, DateTime):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return bool(value) if isinstance(type_, Boolean) else value


@pytest.fixture
def old(nothing: str, kind: str, tmp_path: Path) -> str:
    """Address of a store of version 0.1.0, on either kind of database."""
    if kind == "sqlite":
        _load(Path(nothing))
    else:
        _load(tmp_path / "old.db")
        _copy(tmp_path / "old.db", nothing)
    return nothing


@pytest.fixture
async def store(old: str) -> AsyncIterator[Store]:
    """The same store, opened today."""
    async with open_store(old) as opened:
        yield opened


@pytest.fixture
def vendors() -> Iterator[Vendors]:
    server = Vendors()
    yield server
    server.close()


async def test_every_row_is_kept(path: Path) -> None:
    _load(path)
    before = {table: _rows(path, table) for table in TABLES}
    async with open_store(path):
        pass
    for table in TABLES:
        dropped = DROPPED.get(table, set())
        kept = [{key: row[key] for key in row.keys() - dropped} for row in before[table]]
        after = _rows(path, table)
        assert [{key: row[key] for key in row.keys() - dropped} for row in after] == kept, table
        assert not any(dropped & row.keys() for row in after)


def test_dropped_columns_copied_what_is_kept(path: Path) -> None:
    _load(path)
    for call in _rows(path, "calls"):
        outcome = json.loads(call["completion"] or call["failure"])
        assert call["attempts"] == outcome["attempts"]
        assert call["request_id"] == outcome.get("request_id")
        if call["completion"]:
            assert [call[name] for name in USAGE] == [outcome["usage"][name] for name in USAGE]
    reviews = {draft["id"]: json.loads(draft["review"]) for draft in _rows(path, "drafts")}
    for take in _rows(path, "takes"):
        outcome = reviews[take["draft_id"]]["seats"][take["position"]]["outcome"]
        assert (take["kind"], take["score"]) == (outcome["kind"], outcome.get("score"))


async def test_the_store_is_sound(store: Store) -> None:
    assert await store.check() == []


async def test_drafts_keep_their_state_and_history(store: Store) -> None:
    rows = (await store.queue.page()).rows
    assert [(row.name, row.state, row.open_findings, row.ships, row.skips) for row in rows] == [
        ("SmolLM3", "published", 0, 3, 1),
        ("SkillClaw", "changes_requested", 0, 2, 2),
        ("Lantern", "rejected", 6, 4, 0),
    ]
    assert [[event.kind for event in await events_of(store, row.id)] for row in rows] == [
        ["drafted", "tick", "tick", "tick", "tick", "approve", "publish"],
        ["drafted", "edit", "request_changes"],
        ["drafted", "reject"],
    ]
    assert {event.actor for row in rows for event in await events_of(store, row.id)} == {"panel", "Kim"}
    assert await store.queue.categories() == {"Developer Tools": 3}


async def test_what_was_published_is_on_the_site(store: Store, tmp_path: Path) -> None:
    (live,) = await store.publications.live()
    assert (live.draft, live.approved_by) == (1, "Kim")
    assert live.approved_at == datetime(2026, 11, 30, 21, 39, 4, 912330, tzinfo=UTC)
    site = Site(store, tmp_path / "site")
    await site.build()
    page = site.page("tools/smollm3/")
    assert "A 3B open model that fits on the GPU you already own" in page
    assert "Kim" in page
    assert URL in page


async def test_answers_are_found_by_the_same_keys(store: Store, tmp_path: Path) -> None:
    dump = tmp_path / "dump.db"
    _load(dump)
    (run,) = (row for row in _rows(dump, "runs") if row["id"] == 2)
    settings = json.loads(run["settings"])
    base_url = settings["endpoints"]["openai-compatible:m-1"]
    config = ModelConfig.model_validate(settings["setup"]["config"])
    for call in _rows(dump, "calls"):
        asked = SimpleNamespace(digest=call["prompt_digest"], label="lantern.builder", ask=1)
        key = CallKey.of(cast("Prompt", asked), config, call["provider"], base_url)
        assert key.key == call["key"]
        record = await store.calls.find(key.key)
        if call["completion"]:
            assert record
            assert record.completion == Completion.model_validate_json(call["completion"])
            assert await store.calls.begin_once(key) == record.completion
        else:
            assert record is None
    spent = await store.run_stats.spent(2)
    assert (spent.unpriced, (await store.run_stats.progress(2)).failed_calls) == (4, 1)


async def test_readers_and_users_are_kept(store: Store) -> None:
    votes = (await store.votes.counts(["smollm3"]))["smollm3"]
    assert (votes.ships, votes.skips) == (1, 1)
    assert await store.votes.by_reader("a" * 64, ["smollm3"]) == {"smollm3": Verdict.SHIP}
    assert [(one.mail, one.state) for one in await store.subscribers.page()] == [
        ("kim@reader.example", SubscriptionState.CONFIRMED),
        ("ada@reader.example", SubscriptionState.PENDING),
    ]
    assert [(user.name, user.role, user.disabled_at is None) for user in await store.users.all()] == [
        ("Kim", "publisher", True),
        ("Ada", "drafter", False),
    ]


async def test_new_work_follows_old(store: Store) -> None:
    (seat,) = [seat async for seat in store.run_stats.failed_seats(2)]
    assert (seat.tool, seat.persona, seat.reason) == ("Lantern", "futurist", NoTakeReason.PROVIDER_ERROR)
    assert await store.runs.create("batch", {}) == 3
    await store.votes.cast("smollm3", "e" * 64, Verdict.SHIP, "f" * 64)
    assert (await store.votes.counts(["smollm3"]))["smollm3"].ships == 2
    assert await store.check() == []


def test_commands_read_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _load(path)
    monkeypatch.setenv("PANEL_DATABASE_URL", str(path))
    assert run_panel(["db", "check"]) == 0
    assert run_panel(["queue", "show", "1", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out.partition("\n")[2])
    assert (shown["state"], shown["live"], shown["missing"]) == ("published", True, [])
    resolved = [found["tick"]["kind"] for found in shown["findings"] if found["tick"]]
    assert sorted(resolved) == ["opinion", "opinion", "opinion", "supported"]
    assert run_panel(["queue", "show", "2", "--json"]) == 0
    (edit,) = json.loads(capsys.readouterr().out)["marks"]
    assert "Kim" in json.dumps(edit)


def test_the_failed_seat_of_an_old_run_is_asked_again(
    path: Path, monkeypatch: pytest.MonkeyPatch, vendors: Vendors, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run's settings hold names of settings that are gone. The secret of its prompts is another user's, and left out."""
    _load(path, **{"http://127.0.0.1:18099": vendors.url, '"fences": "0f4172c5484fdf22", ': ""})
    monkeypatch.setenv("PANEL_DATABASE_URL", str(path))
    code = run_panel(["batch", "retry", "2"])
    assert (code, len(vendors.calls)) == (0, 1), capsys.readouterr().err
    with closing(sqlite3.connect(path)) as connection:
        (review,) = connection.execute("SELECT review FROM drafts WHERE id = 3").fetchone()
    before = json.loads(_dumped_review(path))
    after = json.loads(review)["seats"]
    assert [seat["outcome"]["kind"] for seat in after] == ["take"] * 5
    assert [seat for seat in after if seat["persona"] != "futurist"] == [
        seat for seat in before["seats"] if seat["persona"] != "futurist"
    ]


def _dumped_review(path: Path) -> str:
    """Return the review that the retry replaced, which its event keeps."""
    with closing(sqlite3.connect(path)) as connection:
        (payload,) = connection.execute(
            "SELECT payload FROM events WHERE draft_id = 3 AND kind = 'revised'"
        ).fetchone()
    return json.dumps(json.loads(payload)["review"])
