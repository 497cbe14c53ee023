"""What `panel review` and `panel compare` keep in the store, and what they take from it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cli.stage import BROKEN, INVALID, Stage
from vendors import Vendors

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.conftest import Ran

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "fixtures" / "tools"
TOOL, OTHER = TOOLS / "smollm3.yaml", TOOLS / "skillclaw.yaml"
OPENAI, ANTHROPIC = "gpt-6.1-terra", "claude-haiku-5-5"
CRITICS = ["builder", "creator", "founder", "futurist", "skeptic"]
KEPT = "{} answers were in the store and cost nothing; --fresh asks again."


@pytest.fixture
def review(panel: Callable[..., Ran]) -> Callable[..., Ran]:
    """Review a tool with OpenAI's model."""
    return lambda *more, tool=TOOL: panel("review", tool, "--model", f"openai:{OPENAI}", *more)


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def scores(ran: Ran) -> list[int]:
    seats = json.loads(ran.out)["review"]["seats"]
    return [seat["outcome"]["score"] for seat in seats]


def changed(path: Path, to: Path, old: str, new: str) -> Path:
    """Write a copy of a file with one thing changed."""
    text = path.read_text("utf-8")
    assert old in text
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(text.replace(old, new, 1), "utf-8")
    return to


def test_a_second_run_asks_nobody_and_says_so(review: Any, stage: Stage) -> None:
    """The same review again makes no call, gives the same takes, and says that they cost nothing now."""
    first = review("--json")
    assert (len(stage.asked), "in the store and cost" in first.err) == (5, False)
    stage.score = 12
    second = review("--json")
    assert (second.code, len(stage.asked)) == (0, 5)
    assert KEPT.format(5) in second.err
    assert scores(second) == scores(first) == [71] * 5
    assert json.loads(second.out)["id"] == json.loads(first.out)["id"]


def test_quiet_runs_do_not_say_what_was_kept(review: Any, stage: Stage) -> None:
    review("-q")
    assert (review("-q").err, len(stage.asked)) == ("", 5)


def test_a_comparison_and_a_review_share_answers(panel: Any, review: Any, stage: Stage) -> None:
    """What a comparison paid for is not asked again by a review, and the other way round."""
    review("-q")
    ran = panel("compare", TOOL, OTHER, "--model", f"openai:{OPENAI}")
    assert (ran.code, len(stage.asked)) == (0, 10)
    assert KEPT.format(5) in ran.err
    review("-q", tool=OTHER)
    assert len(stage.asked) == 10


def test_only_the_seats_that_are_new_are_asked(review: Any, stage: Stage) -> None:
    """A roster that grows asks the seats that it has gained, and says how many answers were there."""
    review("-q", "--roster", "builder,skeptic")
    ran = review("--roster", "builder,skeptic,founder")
    assert [critic for _, critic in stage.asked[2:]] == ["founder"]
    assert KEPT.format(2) in ran.err


def test_several_models_are_kept_apart(panel: Any, vendors: Vendors) -> None:
    """The same panel on two models keeps both models' answers, and asks neither again."""
    command = ("review", TOOL, "--models", f"openai:{OPENAI},anthropic:{ANTHROPIC}")
    panel(*command)
    ran = panel(*command)
    assert (ran.code, len(vendors.calls), ran.err.count(KEPT.format(5))) == (0, 10, 2)


def test_fresh_asks_anew_and_keeps_both(review: Any, stage: Stage, database: Path) -> None:
    """`--fresh` asks all seats again; both answers of each step and both drafts are kept, and the later ones are in force."""
    review("-q")
    stage.score = 66
    fresh = review("--fresh", "--json")
    assert (len(stage.asked), scores(fresh), "in the store and cost" in fresh.err) == (10, [66] * 5, False)
    assert rows(database, "SELECT key, count(*) FROM calls GROUP BY key HAVING count(*) <> 2") == []
    assert rows(database, "SELECT id, run_id FROM drafts") == [(1, 1), (2, 2)]
    assert scores(review("--json")) == [66] * 5


def test_the_same_review_is_drafted_once(review: Any, stage: Stage, database: Path) -> None:
    """A review that was there already adds a run that is done, but no draft and no event."""
    for _ in range(3):
        review("-q")
    assert len(stage.asked) == 5
    assert rows(database, "SELECT id, kind, state FROM runs") == [(n, "review", "done") for n in (1, 2, 3)]
    assert rows(database, "SELECT draft_id, kind FROM events") == [(1, "drafted")]


def test_without_a_store_nothing_is_kept(review: Any, stage: Stage, database: Path) -> None:
    """With `--no-store` no database appears, and a second run asks all seats again."""
    for _ in range(2):
        assert review("--no-store").code == 0
    assert (len(stage.asked), database.exists()) == (10, False)


def test_without_a_store_nothing_is_taken_from_it(review: Any, stage: Stage, database: Path) -> None:
    review("-q")
    before = database.read_bytes()
    ran = review("--no-store")
    assert (len(stage.asked), "in the store and cost" in ran.err) == (10, False)
    assert database.read_bytes() == before


def test_a_database_that_cannot_be_used_does_not_matter_without_it(
    review: Any, stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PANEL_DATABASE_URL", str(tmp_path))
    assert (review("--no-store", "-q").code, len(stage.asked)) == (0, 5)


def test_one_character_of_the_tool_asks_all_seats(review: Any, stage: Stage, tmp_path: Path) -> None:
    review("-q")
    review("-q", tool=changed(TOOL, tmp_path / "t.yaml", "billion", "billiom"))
    assert stage.critics[::2] == CRITICS == stage.critics[1::2]


def test_another_slug_asks_nobody(review: Any, stage: Stage, tmp_path: Path) -> None:
    """A tool that is filed under another slug is the same question, and its report has the new name."""
    review("-q")
    renamed = tmp_path / "t.yaml"
    renamed.write_text(TOOL.read_text("utf-8") + "\nslug: small-model\n", "utf-8")
    review("-q", tool=renamed)
    assert len(stage.asked) == 5
    assert (tmp_path / "outputs" / "reviews" / "small-model.json").is_file()


def test_one_character_of_a_persona_asks_that_seat(review: Any, stage: Stage, tmp_path: Path) -> None:
    """When one persona's file changes, its seat alone is asked again."""
    review("-q")
    shutil.copytree(ROOT / "personas", tmp_path / "mine")
    changed(ROOT / "personas" / "skeptic.md", tmp_path / "mine" / "skeptic.md", "depends on it.", "does.")
    ran = review("--personas", "mine")
    assert [critic for _, critic in stage.asked[5:]] == ["skeptic"]
    assert KEPT.format(4) in ran.err


def test_one_character_of_the_prompt_asks_all_seats(review: Any, stage: Stage, tmp_path: Path) -> None:
    review("-q")
    changed(ROOT / "prompts" / "take.md.j2", tmp_path / "mine" / "take.md.j2", "Three to", "Three or")
    review("-q", "--prompts", "mine")
    assert stage.critics[::2] == CRITICS == stage.critics[1::2]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PANEL_EFFORT", "high"),
        ("PANEL_VERBOSITY", "high"),
        ("PANEL_MAX_OUTPUT_TOKENS", "4001"),
        ("PANEL_SEED", "1"),
    ],
)
def test_each_setting_of_the_model_asks_all_seats(
    variable: str, value: str, review: Any, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    review("-q")
    monkeypatch.setenv(variable, value)
    review("-q")
    assert len(stage.asked) == 10


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PANEL_TIMEOUT", "60"), ("PANEL_RETRIES", "1"), ("PANEL_CONCURRENCY", "2"), ("PANEL_CACHE", "warm")],
)
def test_settings_that_change_no_answer_ask_nobody(
    variable: str, value: str, review: Any, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How fast and how patiently seats are asked is no part of the question."""
    review("-q")
    monkeypatch.setenv(variable, value)
    review("-q")
    assert len(stage.asked) == 5


def test_another_server_is_asked_anew(panel: Any, vendors: Vendors) -> None:
    """The same model at another address of a compatible server is another one, and each address has its own answers."""
    other = Vendors()
    try:
        for server in (vendors, other, vendors, other):
            own = ("--model", "openai-compatible:m", "--base-url", f"{server.url}/v1")
            assert panel("review", TOOL, *own, "-q").code == 0
    finally:
        other.close()
    assert (len(vendors.calls), len(other.calls)) == (5, 5)


def test_another_provider_is_asked_anew(panel: Any, review: Any, vendors: Vendors, database: Path) -> None:
    """Two providers that are put the same question under the same model's name are different steps."""
    review("-q")
    own = ("--model", f"openai-compatible:{OPENAI}", "--base-url", f"{vendors.url}/v1")
    panel("review", TOOL, *own, "-q")
    assert len(vendors.calls) == 10
    counted = "SELECT count(DISTINCT prompt_digest), count(DISTINCT model), count(DISTINCT key) FROM calls"
    assert rows(database, counted) == [(5, 1, 10)]


def test_the_database_may_be_elsewhere(
    review: Any, stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database: Path
) -> None:
    """PANEL_DATABASE_URL may be the path of a file, which is made, read again, and takes the place of the user's own."""
    monkeypatch.setenv("PANEL_DATABASE_URL", str(tmp_path / "mine.db"))
    review("-q")
    review("-q")
    assert (len(stage.asked), database.exists()) == (5, False)
    assert rows(tmp_path / "mine.db", "SELECT count(*) FROM calls") == [(5,)]
    monkeypatch.delenv("PANEL_DATABASE_URL")
    review("-q")
    assert len(stage.asked) == 10


def _folder(path: Path) -> None:
    path.mkdir()


def _rubbish(path: Path) -> None:
    path.write_bytes(b"this is no database\n" * 400)


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE panel_version (version_num TEXT)")
        connection.execute("INSERT INTO panel_version VALUES ('9999')")


def _another_programs(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (id INTEGER)")


def _missing(_path: Path) -> None:
    """Leave it out."""


@pytest.mark.parametrize(
    ("make", "name", "said"),
    [
        (_folder, "panel.db", "panel.db is a folder"),
        (_rubbish, "panel.db", "panel.db"),
        (_newer, "panel.db", "was written by a newer version of panel; update panel, or choose another"),
        (_another_programs, "panel.db", "holds the tables of another program; choose another database"),
        (_missing, "nowhere/panel.db", "its folder does not exist"),
    ],
    ids=["folder", "rubbish", "newer", "another program's", "missing folder"],
)
def test_a_database_that_cannot_be_used_is_one_line(
    make: Callable[[Path], None],
    name: str,
    said: str,
    review: Any,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Where the database cannot be used the code is 74 with one line that names it; nobody is asked, no report is written."""
    make(tmp_path / name)
    monkeypatch.setenv("PANEL_DATABASE_URL", str(tmp_path / name))
    ran = review("-q")
    assert (ran.code, stage.asked, ran.out) == (74, [], "")
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "outputs" / "reviews" / "smollm3.json").exists()


def test_a_data_folder_that_cannot_be_made_is_one_line(
    review: Any, stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PANEL_DATA_DIR", str(tmp_path / "file" / "data"))
    ran = review("-q")
    assert (ran.code, stage.asked, ran.err.count("\n")) == (74, [], 1)


@pytest.mark.parametrize("url", ["mysql://u@h/d", "postgresql:// /", "sqlite:///x.db", "http://example.com"])
def test_an_address_that_is_no_database_is_refused(
    url: str, review: Any, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PANEL_DATABASE_URL", url)
    ran = review("-q")
    assert ran.code in {2, 74}
    assert (stage.asked, ran.err.count("\n"), "Traceback" in ran.err) == ([], 1, False)


def test_replayed_answers_are_not_kept_but_drafted(panel: Any, replay: str, database: Path) -> None:
    """What a replay says was paid for elsewhere: no call is kept of it, and its review is a draft once."""
    for _ in range(2):
        assert panel("review", TOOL, "--model", replay, "-q").code == 0
    assert rows(database, "SELECT count(*) FROM calls") == [(0,)]
    assert rows(database, "SELECT count(*) FROM drafts") == [(1,)]


def test_a_recording_and_the_store_both_keep_answers(review: Any, stage: Stage, tmp_path: Path) -> None:
    """With `--record` each answer is kept in both places, and is not asked for again as long as either has it."""
    command = ("--record", "rec", "-q")
    review(*command)
    kept = sorted((tmp_path / "rec").glob("smollm3.*.json"))
    assert (len(stage.asked), len(kept)) == (5, 5)
    text = kept[0].read_text("utf-8")
    kept[0].unlink()
    review(*command)
    assert (len(stage.asked), kept[0].read_text("utf-8")) == (5, text)


def test_a_recording_serves_without_the_store(
    review: Any, stage: Stage, database: Path, tmp_path: Path
) -> None:
    command = ("--record", "rec", "-q")
    review(*command)
    database.unlink()
    assert (review(*command).code, len(stage.asked)) == (0, 5)
    assert rows(database, "SELECT count(*) FROM drafts") == [(1,)]
    assert (tmp_path / "rec").is_dir()


def test_answers_that_cannot_be_used_are_kept_too(review: Any, stage: Stage) -> None:
    """A critic that talks nonsense twice was paid for twice: the next run asks nobody, and ends with 3 as well."""
    stage.parts = {"skeptic": INVALID}
    assert (review("-q").code, len(stage.asked)) == (3, 6)
    stage.parts = {}
    assert (review("-q").code, len(stage.asked)) == (3, 6)


def test_calls_that_failed_are_made_again(review: Any, stage: Stage, database: Path) -> None:
    """A seat without any answer is asked again, alone; the draft is revised in place, by an event that holds the seat."""
    stage.parts = {"skeptic": BROKEN}
    assert review("-q").code == 3
    stage.parts = {}
    assert (review("-q").code, [critic for _, critic in stage.asked[5:]]) == (0, ["skeptic"])
    assert rows(database, "SELECT id, run_id FROM drafts") == [(1, 1)]
    (_, payload), *_rest = rows(database, "SELECT kind, payload FROM events ORDER BY id DESC")
    before = json.loads(payload)["review"]["seats"]
    assert [seat["persona"] for seat in before if seat["outcome"]["kind"] != "take"] == ["skeptic"]
    assert rows(database, "SELECT count(*) FROM takes WHERE verdict IS NOT NULL") == [(5,)]


def test_a_run_that_was_stopped_goes_on_where_it_was(review: Any, vendors: Vendors, database: Path) -> None:
    """When the provider is down the run is stopped with 75; the same command goes on, and pays for no answer twice."""
    review("-q", "--roster", "builder,skeptic")
    vendors.refusing = 401
    ran = review()
    assert ran.code == 75
    assert "run the same command again; what was answered is kept, and not paid for twice" in ran.err
    assert rows(database, "SELECT state FROM runs WHERE id = 2") == [("stopped",)]
    vendors.refusing, asked = None, len(vendors.calls)
    assert (review("-q").code, len(vendors.calls) - asked) == (0, 3)


@pytest.mark.parametrize("more", [["--dry-run"], ["--roster", "nobody"], ["--format", "pdf"]])
def test_what_asks_nobody_makes_no_database(
    more: list[str], review: Any, stage: Stage, database: Path
) -> None:
    review(*more)
    assert (stage.asked, database.exists()) == ([], False)


def test_a_dry_run_does_not_count_what_is_kept(review: Any, stage: Stage) -> None:
    """Once a tool is reviewed a dry run of it has no call to make, unless it is asked anew or the store is left aside."""
    review("-q", "--roster", "builder,skeptic")
    said = review("--dry-run").out
    assert "Kept     2 answers from earlier, not asked for again\n" in said
    assert "Calls    3 to 6\n" in said
    review("-q")
    said = review("--dry-run").out
    assert "Calls    0\n" in said
    assert "Cost     nothing\n" in said
    for all_of_it in ("--fresh", "--no-store"):
        assert "Calls    5 to 10\n" in review("--dry-run", all_of_it).out
    assert len(stage.asked) == 5


def test_no_key_is_in_the_database(review: Any, vendors: Vendors, database: Path) -> None:
    review("-q")
    vendors.refusing = 401
    review("-q", tool=OTHER)
    kept = b"".join(path.read_bytes() for path in database.parent.glob("panel.db*"))
    assert vendors.calls[0][1] == "Bearer sk-openai-EXAMPLE"
    assert b"sk-openai-EXAMPLE" not in kept


def test_what_is_kept_is_sound(panel: Any, review: Any, stage: Stage) -> None:
    """After reviews that failed, were mended and were asked anew, the database's own check finds nothing wrong."""
    stage.parts = {"skeptic": BROKEN, "founder": INVALID}
    review("-q")
    stage.parts = {}
    review("-q")
    review("-q", "--fresh")
    ran = panel("db", "check")
    assert (ran.code, ran.err) == (0, "")
