"""`panel batch run`, `resume` and `retry`, from the door to the drafts."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cli.stage import BROKEN, INVALID, REFUSED, TRUNCATED, Stage
from panel.store import ProcessId, RunState, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cli.conftest import Ran

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "fixtures" / "tools"
BAD_INPUTS = ROOT / "fixtures" / "bad_inputs"
ROWS = [json.loads(line) for line in (BAD_INPUTS / "index.jsonl").read_text("utf-8").splitlines()]
FED = [row for row in ROWS if row["kind"] == "tools"]
BOMBS = {"y03_alias_bomb.yaml", "j49_zip_bomb.json"}
MODEL = ("--model", "openai:gpt-6.1-terra")
OF_A_TOOL = 0.01
MANY = 3
LONGEST_WAIT = 60
TEXT = (
    "It reads the logs of every machine that you name, finds the lines that tell of a fault, puts those of one cause "
    "together, and shows each cause once with the first and the last time it was seen. Rules are kept in one file. "
    "Nothing leaves the network, and the index is rebuilt at night from what has been kept for a month in all."
)


@pytest.fixture
def batch(panel: Callable[..., Ran], stage: Stage) -> Callable[..., Ran]:
    """Run a batch with OpenAI's model."""
    assert stage.asked == []
    return lambda *words: panel("batch", "run", *words, *MODEL)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A list of a few tools that cost the same."""
    path = tmp_path / "tools.jsonl"
    path.write_text("".join(json.dumps(entry(n)) + "\n" for n in range(MANY)), "utf-8")
    return path


def entry(number: int, **fields: str) -> dict[str, str]:
    return {"name": f"Tool {number}", "description": f"Tool {number} reads log files.", **fields}


def jsonl(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in entries), "utf-8")
    return path


def rows(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def scores(database: Path) -> list[tuple[int, str, int]]:
    """Return run, persona and score of each take."""
    drafts = rows(database, "SELECT run_id, review FROM drafts")
    seats = [(run, seat) for run, review in drafts for seat in json.loads(review)["seats"]]
    return [(run, seat["persona"], seat["outcome"]["score"]) for run, seat in seats]


def drafted(database: Path) -> list[str]:
    return [name for (name,) in rows(database, "SELECT name FROM drafts JOIN tools ON tools.id = tool_id")]


def spent(database: Path) -> float:
    return float(rows(database, "SELECT total(cost_usd) FROM calls")[0][0])


def events(ran: Ran) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ran.out.splitlines()]


def left_behind(*folders: Path) -> list[str]:
    """Return files that are in folders, without the tools that tests put there."""
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return sorted(path.name for path in found if not path.name.startswith("tool"))


def after(calls: int, do: Callable[[], object], stage: Stage) -> None:
    """Have something done once when a stage is asked for the given time."""

    def before() -> None:
        if len(stage.asked) == calls:
            do()

    stage.before = before


def signalled(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


def worst_of_a_tool(batch: Callable[..., Ran], listed: Path) -> float:
    """Return what a panel may cost, as a batch tells it that may cost next to nothing."""
    ran = batch(listed, "--budget", "0.00001")
    assert ran.code == 75
    found = re.search(r"may cost up to \$([\d.]+)", ran.err)
    assert found
    return float(found[1])


# What goes in.


ONE = "name: Tool 0\ndescription: Tool 0 reads log files.\n"
TWO = "name: Tool 1\ndescription: Tool 1 reads log files.\n"
FORMS: dict[str, tuple[str, str, int]] = {
    "one document": ("tools.yaml", ONE, 1),
    "a list": ("tools.yaml", "- {name: Tool 0, description: x}\n- {name: Tool 1, description: x}\n", 2),
    "several documents": ("tools.yml", f"{ONE}---\n{TWO}", 2),
    "JSON": ("tools.json", json.dumps({"tools": [entry(0), entry(1)]}), 2),
    "JSON Lines": ("tools.jsonl", f"{json.dumps(entry(0))}\n\n{json.dumps(entry(1))}\n", 2),
    "a table": ("tools.csv", "name,description\nTool 0,reads\nTool 1,reads\n", 2),
    "Markdown": ("tools.md", "---\nname: Tool 0\n---\n\nIt reads log files.\n", 1),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_file_is_reviewed(form: str, batch: Any, database: Path, tmp_path: Path) -> None:
    """Each tool of a file becomes a draft, in the order of the file, whatever form it has."""
    name, text, tools = FORMS[form]
    (tmp_path / name).write_text(text, "utf-8")
    ran = batch(name)
    assert (ran.code, sorted(drafted(database))) == (0, [f"Tool {n}" for n in range(tools)])
    assert f"{tools} of {tools} done" in ran.out
    assert rows(database, "SELECT kind, state FROM runs") == [("batch", "done")]


def test_columns_of_other_names_are_mapped(batch: Any, database: Path, tmp_path: Path) -> None:
    """A table whose columns have other names is read with --map, and one that is no field is left out."""
    (tmp_path / "tools.csv").write_text("Title;What;Votes\nTool 0;It reads log files.;9\n", "utf-8")
    refused = batch("tools.csv")
    assert (refused.code, database.exists()) == (2, False)
    maps = ("--map", "name=Title", "--map", "description=What", "--map", "Votes=")
    assert (batch("tools.csv", *maps).code, drafted(database)) == (0, ["Tool 0"])


def test_folders_and_patterns_are_looked_through(batch: Any, database: Path, tmp_path: Path) -> None:
    """A folder stands for the tool files in it, a quoted pattern for all that it fits, and further paths may follow."""
    for n, place in enumerate(("inbox/a.yaml", "more/b.json", "more/deep/c.jsonl", "d.yaml")):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text(json.dumps(entry(n)), "utf-8")
    assert batch("inbox", "more/**/*.json*", "d.yaml").code == 0
    assert sorted(drafted(database)) == [f"Tool {n}" for n in range(4)]


def test_a_file_that_is_named_twice_is_refused(batch: Any, listed: Path, database: Path) -> None:
    ran = batch(listed, "*.jsonl")
    assert (ran.code, database.exists(), "is named twice; name it once" in ran.err) == (2, False, True)


@pytest.mark.parametrize("text", [ONE, json.dumps([entry(0)]), f"{json.dumps(entry(0))}\n"])
def test_tools_come_from_standard_input(
    text: str, batch: Any, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert (batch("-").code, drafted(database)) == (0, ["Tool 0"])


def test_a_batch_needs_something_to_review(batch: Any, database: Path) -> None:
    ran = batch()
    assert (ran.code, ran.err.count("\n"), database.exists()) == (2, 1, False)


# All or nothing.


def test_everything_that_is_wrong_is_told_first(
    batch: Any, stage: Stage, own_world: Path, tmp_path: Path
) -> None:
    """Each bad record is told with its file, its line or item and its field; nothing is written and nobody is asked."""
    jsonl(
        tmp_path / "tools.jsonl", entry(0), {"name": "", "description": "x"}, entry(1, price_class="gratis")
    )
    (tmp_path / "tools.yaml").write_text(f"{ONE}---\nname: Tool 9\n", "utf-8")
    (tmp_path / "tools.csv").write_text("name,description,url\nTool 8,x,http://10.0.0.1/\n", "utf-8")
    ran = batch("tools.jsonl", "tools.yaml", "tools.csv", "nowhere.json", "--out", "out")
    assert ran.code == 2
    for said in (
        "tools.jsonl, line 2, name: ",
        "tools.jsonl, line 3, price_class: ",
        "tools.yaml, line 4, item 2, description: is missing",
        "tools.csv, line 2, url: ",
        "nowhere.json: no such file",
        "nothing was written and no call was made",
    ):
        assert said in ran.err
    assert (stage.asked, ran.out) == ([], "")
    assert left_behind(own_world, tmp_path) == []
    assert not (tmp_path / "out").exists()


def test_bad_records_are_counted(batch: Any, tmp_path: Path) -> None:
    """The last line says how many problems there are in how many records, and how to go on with the others."""
    jsonl(tmp_path / "tools.jsonl", entry(0), {"name": "", "maker": 1}, entry(1))
    assert (
        batch("tools.jsonl")
        .err.splitlines()[-1]
        .endswith(
            "3 problems in 1 record of 3; nothing was written and no call was made. "
            "Correct them, or review the other 2 with --skip-invalid."
        )
    )


def test_bad_records_may_be_skipped(batch: Any, stage: Stage, database: Path, tmp_path: Path) -> None:
    """With --skip-invalid the others are reviewed, and what is wrong is told all the same."""
    jsonl(tmp_path / "tools.jsonl", entry(0), {"name": ""}, entry(1))
    ran = batch("tools.jsonl", "--skip-invalid")
    assert (ran.code, sorted(drafted(database)), len(stage.asked)) == (0, ["Tool 0", "Tool 1"], 10)
    assert "tools.jsonl, line 2, name: " in ran.err
    assert "in 1 record of 3: skipped; 2 tools will be reviewed." in ran.err


def test_nothing_is_left_if_all_are_skipped(batch: Any, stage: Stage, database: Path, tmp_path: Path) -> None:
    """With --skip-invalid and no good record the batch is refused, since there is nothing to review."""
    jsonl(tmp_path / "tools.jsonl", {"name": ""})
    assert (batch("tools.jsonl", "--skip-invalid").code, stage.asked, database.exists()) == (2, [], False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--budget", "0"], "--budget"),
        (["--budget", "nan"], "--budget"),
        (["--concurrency", "0"], "--concurrency"),
        (["--roster", "nobody"], "nobody"),
        (["--map", "name"], "--map"),
        (["--format", "pdf"], "--format"),
        (["--model", "nobody:m"], "unknown provider"),
    ],
)
def test_settings_are_checked_before_anything_is_kept(
    words: list[str], said: str, panel: Any, listed: Path, stage: Stage, own_world: Path
) -> None:
    ran = panel("batch", "run", listed, *MODEL, *words)
    assert (ran.code, said in ran.err, "Traceback" in ran.err) == (2, True, False)
    assert (stage.asked, left_behind(own_world)) == ([], [])


def test_a_missing_key_leaves_nothing_behind(
    batch: Any, listed: Path, own_world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the model's key the batch is refused, and there is no database."""
    monkeypatch.delenv("OPENAI_API_KEY")
    ran = batch(listed)
    assert (ran.code, "OPENAI_API_KEY is not set" in ran.err, left_behind(own_world)) == (2, True, [])


# Tools that are given twice.


@pytest.mark.parametrize(
    ("second", "field"),
    [
        ({"name": "TOOL 0"}, "name"),
        ({"name": "Lamp", "aliases": ["tool 0"]}, "aliases"),
        ({"name": "Lantern"}, "name"),
    ],
)
def test_tools_of_one_name_are_refused(
    second: dict[str, Any], field: str, batch: Any, stage: Stage, database: Path, tmp_path: Path
) -> None:
    """A tool that has an earlier one's name or alias, in any case, is refused with both places, whatever is allowed."""
    first = jsonl(tmp_path / "tools-1.jsonl", entry(1), {**entry(0), "aliases": ["Lantern"]})
    other = jsonl(tmp_path / "tools-2.jsonl", entry(2), {"description": "Another text.", **second})
    for more in ([], ["--allow-similar"]):
        ran = batch(first.name, other.name, *more)
        assert (ran.code, stage.asked, database.exists()) == (2, [], False)
        same = f"tools-2.jsonl, line 2, {field}: is the same tool as in tools-1.jsonl, line 2; remove one"
        assert same in ran.err


@pytest.mark.parametrize(
    ("one", "other", "field"),
    [
        ({"url": "https://tool.example/"}, {"url": "http://www.tool.example?utm_source=x"}, "url"),
        ({"description": TEXT}, {"description": f"{TEXT.upper()}!"}, "description"),
    ],
    ids=["address", "text"],
)
def test_similar_tools_are_let_in_if_that_is_said(
    one: dict[str, str],
    other: dict[str, str],
    field: str,
    batch: Any,
    stage: Stage,
    database: Path,
    tmp_path: Path,
) -> None:
    """Tools that share only an address or a text are refused, unless --allow-similar lets them in."""
    jsonl(tmp_path / "tools.jsonl", entry(0, **one), entry(1, **other))
    ran = batch("tools.jsonl")
    assert (ran.code, stage.asked) == (2, [])
    assert f"tools.jsonl, line 2, {field}: is the same tool as in tools.jsonl, line 1" in ran.err
    assert batch("tools.jsonl", "--allow-similar").code == 0
    assert sorted(drafted(database)) == ["Tool 0", "Tool 1"]


def test_one_slug_does_not_mix_tools_up(batch: Any, database: Path, tmp_path: Path) -> None:
    """Tools of different names that would have one slug are filed apart, and both have reports."""
    jsonl(tmp_path / "tools.jsonl", {"name": "A B", "description": "x"}, {"name": "A-B", "description": "y"})
    assert batch("tools.jsonl", "--out", "out", "--format", "json").code == 0
    assert len(list((tmp_path / "out" / "reviews").glob("*.json"))) == 2
    assert sorted(drafted(database)) == ["A B", "A-B"]


# Tools that are known.


def test_tools_that_are_drafted_are_left_out(batch: Any, listed: Path, stage: Stage, database: Path) -> None:
    """The same batch again asks nobody, names each tool with its run and draft, makes no run, and ends with 0."""
    batch(listed)
    ran = batch(listed)
    assert (ran.code, len(stage.asked), len(rows(database, "SELECT id FROM runs"))) == (0, 5 * MANY, 1)
    for n in range(MANY):
        assert re.search(rf"Tool {n}: drafted already, in run 1 \(draft \d\); left out", ran.err)
    assert "Nothing to do: all of these tools are there already; --fresh reviews them anew." in ran.err


def test_only_new_tools_are_in_the_run(batch: Any, listed: Path, stage: Stage, database: Path) -> None:
    batch(listed)
    with listed.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry(9)) + "\n")
    ran = batch(listed, "--json")
    assert [tool for tool, _ in stage.asked[5 * MANY :]] == ["Tool 9"] * 5
    assert events(ran)[0]["tools"] == 1
    assert len(drafted(database)) == MANY + 1


def test_what_a_review_drafted_is_left_out(panel: Any, batch: Any, stage: Stage) -> None:
    panel("review", TOOLS / "smollm3.yaml", *MODEL, "-q")
    ran = batch(TOOLS / "smollm3.yaml")
    assert (ran.code, len(stage.asked), "drafted already, in run 1" in ran.err) == (0, 5, True)


def test_a_changed_listing_is_a_new_draft(batch: Any, tmp_path: Path, stage: Stage, database: Path) -> None:
    """A tool whose listing has changed in one character is asked about anew, and keeps its earlier draft."""
    batch(jsonl(tmp_path / "tools.jsonl", entry(0)))
    batch(jsonl(tmp_path / "tools.jsonl", entry(0, description="Tool 0 reads log files!")))
    assert (len(stage.asked), drafted(database)) == (10, ["Tool 0"] * 2)


def test_a_tool_under_another_name_is_left_out(batch: Any, tmp_path: Path, stage: Stage) -> None:
    batch(jsonl(tmp_path / "tools.jsonl", entry(0, url="https://tool.example/")))
    renamed = jsonl(tmp_path / "tools.jsonl", entry(1, url="https://tool.example/"))
    ran = batch(renamed)
    assert (ran.code, len(stage.asked)) == (0, 5)
    assert "Tool 1: known already as Tool 0; left out (--allow-similar lets it in)" in ran.err
    batch(renamed, "--allow-similar")
    assert len(stage.asked) == 10


def test_fresh_reviews_anew_and_keeps_both(batch: Any, listed: Path, stage: Stage, database: Path) -> None:
    """`--fresh` asks every seat of every tool again, and keeps both answers and both drafts."""
    batch(listed)
    assert batch(listed, "--fresh").code == 0
    assert Counter(Counter(stage.asked).values()) == {2: 5 * MANY}
    assert rows(database, "SELECT run_id, count(*) FROM drafts GROUP BY run_id") == [(1, MANY), (2, MANY)]
    assert rows(database, "SELECT count(*) FROM calls WHERE state = 'answered'") == [(10 * MANY,)]


def test_a_draft_that_lacks_seats_is_no_reason_to_leave_a_tool_out(
    batch: Any, listed: Path, stage: Stage, database: Path
) -> None:
    """Tools with a seat that got no answer are in the next batch, which asks those seats alone and mends the drafts."""
    stage.parts = {"skeptic": BROKEN}
    batch(listed, "--concurrency", "1")
    asked, stage.parts = len(stage.asked), {}
    batch(listed)
    assert all(count == 1 for seat, count in Counter(stage.asked).items() if seat[1] != "skeptic")
    assert {critic for _, critic in stage.asked[asked:]} >= {"skeptic"}
    assert rows(database, "SELECT count(*) FROM takes WHERE verdict IS NOT NULL")[0][0] == 5 * MANY


# What comes out.


def test_a_batch_without_failures_ends_with_0(batch: Any, listed: Path, stage: Stage) -> None:
    """A run that is done prints how it stands on stdout, and its progress on stderr."""
    ran = batch(listed)
    assert ran.code == 0
    assert ran.out.startswith("Run 1 · batch · done\n")
    assert f"drafts     {MANY}\n" in ran.out
    assert f"Run 1: 0 of {MANY} tools done; Ctrl-C stops it, and it can be resumed." in ran.err
    assert f"{MANY} of {MANY} tools · 0 seats failed · ${MANY * OF_A_TOOL:.4f}" in ran.err
    assert len(stage.asked) == 5 * MANY


def test_failed_seats_end_with_3(batch: Any, listed: Path, stage: Stage) -> None:
    """A run in which seats failed is done all the same, says which seats, and what to do next."""
    stage.parts = {"skeptic": INVALID, "founder": REFUSED}
    ran = batch(listed)
    assert ran.code == 3
    assert f"failed     {2 * MANY} seats: " in ran.out
    assert f"{MANY} refused" in ran.out
    assert f"{MANY} invalid" in ran.out
    assert "next: panel batch failures 1\n      panel batch retry 1" in ran.out
    assert "Tool 0: Ship · 3 ship / 0 skip; Skeptic invalid; Founder refused" in ran.err


def test_a_provider_that_is_down_ends_with_75(batch: Any, listed: Path, stage: Stage, database: Path) -> None:
    """When no call can succeed the run is stopped, no draft is made of what was not asked, and the way on is told."""
    stage.parts = dict.fromkeys(["builder", "creator", "founder", "futurist", "skeptic"], BROKEN)
    ran = batch(listed, "--concurrency", "2")
    assert (ran.code, "to resume: panel batch resume 1" in ran.err) == (75, True)
    assert (ran.out, drafted(database)) == ("", [])
    stage.parts = {}
    assert len(stage.asked) < 5 * MANY


def test_events_are_json_lines(batch: Any, listed: Path, stage: Stage) -> None:
    """With --json each line of stdout is an event: begun, reviewed for each tool, ended; and stderr has no progress."""
    stage.parts = {"skeptic": REFUSED}
    ran = batch(listed, "--json")
    begun, *reviewed, ended = events(ran)
    assert begun == {"event": "begun", "run": 1, "tools": MANY, "done": 0, "model": "openai:gpt-6.1-terra"}
    assert [event["event"] for event in reviewed] == ["reviewed"] * MANY
    assert sorted(event["tool"] for event in reviewed) == [f"tool-{n}" for n in range(MANY)]
    assert sorted(event["draft"] for event in reviewed) == [n + 1 for n in range(MANY)]
    assert [event["done"] for event in reviewed] == [n + 1 for n in range(MANY)]
    assert all(event["failed"] == {"skeptic": "refused"} for event in reviewed)
    assert reviewed[-1]["cost_usd"] == pytest.approx(MANY * OF_A_TOOL)
    assert (ended["event"], ended["run"], ended["state"], ended["failed"]) == (
        "ended",
        1,
        "done",
        {"refused": MANY},
    )
    assert "tools done" not in ran.err


def test_events_of_a_batch_with_nothing_to_do(batch: Any, listed: Path) -> None:
    batch(listed)
    assert [(event["event"], event["state"]) for event in events(batch(listed, "--json"))] == [
        ("ended", "nothing to do")
    ]


def test_events_of_a_stop_say_why(batch: Any, listed: Path) -> None:
    ran = batch(listed, "--json", "--budget", "0.00001")
    assert (ran.code, events(ran)[-1]["state"]) == (75, "stopped")
    assert events(ran)[-1]["why"].startswith("the budget of ")


def test_no_paid_answer_is_lost_where_events_cannot_be_written(
    panel: Any,
    batch: Any,
    listed: Path,
    stage: Stage,
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A full disk behind stdout ends a run with 74; answers in flight are kept, so that resuming it repeats none."""
    with (
        Path("/dev/full").open("wb", buffering=0) as disk,
        io.TextIOWrapper(disk, write_through=True) as full,
    ):
        after(2, lambda: monkeypatch.setattr(sys, "stdout", full), stage)
        ran = batch(listed, "--json", "--concurrency", "4")
        monkeypatch.setattr(sys, "stdout", sys.__stdout__)
    assert (ran.code, "standard output: No space left on device" in ran.err) == (74, True)
    assert rows(database, "SELECT count(*) FROM calls WHERE state = 'open'") == [(0,)]
    assert len(stage.asked) < 5 * MANY
    assert panel("batch", "resume", "1").code == 0
    assert set(Counter(stage.asked).values()) == {1}


def test_events_of_an_interruption(batch: Any, listed: Path, stage: Stage) -> None:
    """A run that is interrupted once ends with an event that says so, and counts what is done."""
    after(7, signalled, stage)
    ran = batch(listed, "--json", "--concurrency", "1")
    ended = events(ran)[-1]
    assert (ran.code, ended["state"], ended["why"]) == (130, "stopped", "interrupted")
    assert ended["done"] == len(events(ran)) - 2 < MANY


def test_quiet_says_nothing_on_stderr(batch: Any, listed: Path) -> None:
    """With -q stderr is empty, and how the run stands is still on stdout."""
    ran = batch(listed, "-q")
    assert (ran.code, ran.err, "Run 1 · batch · done" in ran.out) == (0, "", True)


def test_reports_are_written_only_if_a_folder_is_named(batch: Any, listed: Path, tmp_path: Path) -> None:
    batch(listed)
    assert list(tmp_path.iterdir()) == [listed]


def test_reports_are_written_to_the_folder(batch: Any, listed: Path, tmp_path: Path) -> None:
    batch(listed, "--out", "out", "--format", "json,md")
    names = [f"tool-{n}.{ending}" for n in range(MANY) for ending in ("json", "md")]
    assert sorted(path.name for path in (tmp_path / "out" / "reviews").iterdir()) == names


def test_a_resume_writes_reports_that_are_missing(
    panel: Any, batch: Any, listed: Path, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reports of drafts that are missing are written when the run is resumed, to the folder it was begun with, from anywhere."""
    batch(listed, "--out", "out", "--format", "json,md")
    (tmp_path / "out" / "reviews" / "tool-1.json").unlink()
    shutil.rmtree(tmp_path / "elsewhere", ignore_errors=True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    ran = panel("batch", "resume", "1")
    assert (ran.code, len(stage.asked)) == (0, 5 * MANY)
    assert json.loads((tmp_path / "out" / "reviews" / "tool-1.json").read_text("utf-8"))["summary"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_before_any_call(
    batch: Any, listed: Path, stage: Stage, database: Path, tmp_path: Path
) -> None:
    """Where reports cannot be written the code is 74, nobody is asked, and there is no run that could not be resumed."""
    (tmp_path / "out").write_text("in the way")
    ran = batch(listed, "--out", "out")
    assert (ran.code, stage.asked, "--out" in ran.err) == (74, [], True)
    assert not database.exists()
    assert "to resume" not in ran.err


def test_a_database_that_cannot_be_used_ends_with_74(
    batch: Any, listed: Path, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the database cannot be opened nobody is asked, and one line says what to do."""
    monkeypatch.setenv("PANEL_DATABASE_URL", str(tmp_path))
    ran = batch(listed, "-q")
    assert (ran.code, stage.asked, ran.err.count("\n")) == (74, [], 1)


def test_a_dry_run_asks_nobody(
    batch: Any, listed: Path, stage: Stage, database: Path, tmp_path: Path
) -> None:
    """A dry run says calls and cost, without a call, a database or a folder."""
    ran = batch(listed, "--dry-run", "--out", "out", "--budget", "1")
    assert (ran.code, stage.asked, database.exists()) == (0, [], False)
    assert f"Tools    {MANY}" in ran.out
    assert list(tmp_path.iterdir()) == [listed]
    [outlook] = json.loads(batch(listed, "--dry-run", "--json").out)
    assert outlook["total"]["calls"]["least"] == 5 * MANY


def test_a_dry_run_leaves_out_what_the_run_would(
    batch: Any, listed: Path, stage: Stage, tmp_path: Path
) -> None:
    """Tools that are drafted or known under another name are named and not counted, unless the run would take them anew."""
    page = {"url": "https://tool.example/"}
    batch(jsonl(tmp_path / "tools-2.jsonl", entry(MANY, **page)))
    batch(listed)
    more = jsonl(tmp_path / "tools-3.jsonl", entry(0), entry(MANY + 1), entry(MANY + 2, **page))
    ran = batch(more, "--dry-run")
    assert (ran.code, len(stage.asked)) == (0, 5 * (MANY + 1))
    assert "Tool 0: drafted already, in run 2" in ran.err
    assert f"Tool {MANY + 2}: known already as Tool {MANY}; left out" in ran.err
    assert "Tools    1\n" in ran.out
    assert "Calls    5 to 10\n" in ran.out
    assert "Tools    3\n" in batch(more, "--dry-run", "--fresh").out
    assert "Nothing would be asked: all reviews are there already." in batch(listed, "--dry-run").out


def test_a_dry_run_does_not_count_answers_that_are_there(batch: Any, listed: Path, stage: Stage) -> None:
    """Of a run that was stopped, a dry run counts the calls that are left; then those are all that it makes."""
    after(7, signalled, stage)
    assert batch(listed, "--concurrency", "1").code == 130
    [outlook] = json.loads(batch(listed, "--dry-run", "--json").out)
    stage.before, left = (lambda: None), outlook["total"]["calls"]["least"]
    done = len(stage.asked)
    assert 0 < left < 5 * (MANY - 1)
    assert outlook["kept"] + left == 5 * outlook["tools"]
    assert batch(listed).code == 0
    assert len(stage.asked) - done == left


def test_a_dry_run_refuses_what_the_run_would(batch: Any, listed: Path, tmp_path: Path) -> None:
    jsonl(tmp_path / "tools-2.jsonl", {"name": ""})
    assert batch(listed, tmp_path / "tools-2.jsonl", "--dry-run").code == 2


# Stopped, and gone on with.


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_goes_on_without_repeats(
    number: int, code: int, panel: Any, batch: Any, listed: Path, stage: Stage, database: Path
) -> None:
    """A run that was interrupted says how to go on; resumed, it asks what is left and nothing twice."""
    after(7, lambda: signalled(number), stage)
    ran = batch(listed, "--concurrency", "2")
    assert ran.code == code
    assert "to resume: panel batch resume 1" in ran.err
    assert ran.err.count("Traceback") == 0
    assert 7 <= len(stage.asked) <= 8
    assert rows(database, "SELECT total(state = 'open'), total(lost_calls) FROM calls") == [(0, 0)]
    resumed = panel("batch", "resume", "1")
    assert (resumed.code, len(stage.asked)) == (0, 5 * MANY)
    assert set(Counter(stage.asked).values()) == {1}
    assert sorted(drafted(database)) == [f"Tool {n}" for n in range(MANY)]
    assert rows(database, "SELECT DISTINCT run_id FROM calls") == [(1,)]


def test_a_run_that_was_left_at_once_repeats_no_answer_that_is_kept(
    panel: Any, batch: Any, listed: Path, stage: Stage, database: Path
) -> None:
    """After two signals calls in flight are open; resumed, at most those are asked again."""

    def twice() -> None:
        signalled()
        signalled()

    after(7, twice, stage)
    ran = batch(listed, "--concurrency", "2")
    assert (ran.code, "resume 1" in ran.err, "Traceback" in ran.err) == (130, True, False)
    kept = rows(database, "SELECT count(*) FROM calls WHERE state = 'answered'")[0][0]
    assert panel("batch", "resume", "1").code == 0
    assert len(stage.asked) - 8 <= 5 * MANY - kept
    assert max(Counter(stage.asked).values()) <= 2
    assert sum(count - 1 for count in Counter(stage.asked).values()) <= 2
    assert len(drafted(database)) == MANY


def test_a_run_that_is_done_is_resumed_for_nothing(
    panel: Any, batch: Any, listed: Path, stage: Stage, database: Path
) -> None:
    stage.parts = {"skeptic": REFUSED}
    batch(listed)
    before = rows(database, "SELECT * FROM drafts"), rows(database, "SELECT * FROM events")
    ran = panel("batch", "resume", "1")
    assert (ran.code, len(stage.asked)) == (3, 5 * MANY)
    assert before == (rows(database, "SELECT * FROM drafts"), rows(database, "SELECT * FROM events"))


def test_a_fresh_run_is_resumed_without_repeats(
    panel: Any, batch: Any, listed: Path, stage: Stage, database: Path
) -> None:
    """A run with --fresh that was interrupted keeps to its own answers when it is resumed: none of another run, none twice."""
    batch(listed)
    stage.asked, stage.score = [], 44
    after(7, signalled, stage)
    batch(listed, "--fresh", "--concurrency", "1")
    assert panel("batch", "resume", "2").code == 0
    assert (len(stage.asked), set(Counter(stage.asked).values())) == (5 * MANY, {1})
    assert Counter((run, score) for run, _, score in scores(database)) == {
        (1, 71): 5 * MANY,
        (2, 44): 5 * MANY,
    }


def test_a_run_goes_on_with_its_own_settings(
    panel: Any, batch: Any, listed: Path, stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Roster, model and effort are those the run was begun with, whatever the environment and the folder say now."""
    after(3, signalled, stage)
    monkeypatch.setenv("PANEL_EFFORT", "high")
    batch(listed, "--roster", "builder,skeptic", "--concurrency", "1")
    monkeypatch.delenv("PANEL_EFFORT")
    monkeypatch.setenv("PANEL_MODEL", "openai:gpt-4o")
    (tmp_path / "panel.yaml").write_text("roster: [founder]\neffort: medium\n")
    assert panel("batch", "resume", "1").code == 0
    assert (len(stage.asked), set(stage.critics)) == (2 * MANY, {"builder", "skeptic"})


def _another_persona(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    text = (folder / "personas" / "skeptic.md").read_text("utf-8")
    (folder / "personas" / "skeptic.md").write_text(text.replace("depends on it.", "does."), "utf-8")
    assert monkeypatch


def _another_prompt(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    text = (folder / "prompts" / "take.md.j2").read_text("utf-8")
    (folder / "prompts" / "take.md.j2").write_text(text.replace("Three to", "Three or"), "utf-8")
    assert monkeypatch


def _another_address(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    assert folder
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")


def _another_secret(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    assert folder
    (Path(os.environ["PANEL_DATA_DIR"]) / "secret").write_text("ab" * 32, "ascii")
    assert monkeypatch


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_another_persona, "persona skeptic changed since run 1 was begun"),
        (_another_prompt, "the prompts changed since run 1 was begun"),
        (_another_address, "the address of a provider changed since run 1 was begun"),
        (_another_secret, "from which every prompt's fence is made, changed since run 1 was begun"),
    ],
    ids=["persona", "prompt", "address", "secret"],
)
@pytest.mark.parametrize("command", ["resume", "retry"])
def test_a_run_is_never_a_mixture(
    command: str,
    change: Callable[[pytest.MonkeyPatch, Path], None],
    said: str,
    panel: Any,
    batch: Any,
    listed: Path,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    database: Path,
) -> None:
    """A run whose personas, prompts, address or secret have changed by a character is refused, and what changed is named."""
    for name in ("personas", "prompts"):
        shutil.copytree(ROOT / name, tmp_path / name)
    stage.parts = {"founder": REFUSED}
    after(7, signalled, stage)
    batch(listed, "--concurrency", "2", "--personas", "personas", "--prompts", "prompts")
    asked, before = len(stage.asked), rows(database, "SELECT * FROM runs")
    change(monkeypatch, tmp_path)
    ran = panel("batch", command, "1")
    assert (ran.code, len(stage.asked) - asked, said in ran.err) == (2, 0, True)
    assert rows(database, "SELECT * FROM runs") == before


def test_another_setting_of_the_model_is_no_way_around(
    panel: Any, batch: Any, listed: Path, stage: Stage, database: Path
) -> None:
    """A run that was kept with another set-up than its settings give is refused with the model's name."""
    after(3, signalled, stage)
    batch(listed, "--concurrency", "1")
    [(kept,)] = rows(database, "SELECT settings FROM runs")
    settings = json.loads(kept)
    settings["settings"]["effort"] = "high"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE runs SET settings = ?", [json.dumps(settings)])
    ran = panel("batch", "resume", "1")
    assert (ran.code, "the model (openai:gpt-6.1-terra) changed since run 1 was begun" in ran.err) == (
        2,
        True,
    )


@pytest.mark.parametrize("command", ["resume", "retry"])
def test_only_batches_are_gone_on_with(
    command: str, panel: Any, stage: Stage, database: Path, own_world: Path
) -> None:
    """A run that is not there, and the run of a review, are refused; where there is no database none is made."""
    ran = panel("batch", command, "1")
    assert (ran.code, "there is no database yet" in ran.err, left_behind(own_world)) == (2, True, [])
    panel("review", TOOLS / "smollm3.yaml", *MODEL, "-q")
    for number in (1, 2):
        ran = panel("batch", command, number)
        assert (ran.code, ("there is no run 2; " if number == 2 else "run 1 is a review; ") in ran.err) == (
            2,
            True,
        )
    assert (len(stage.asked), len(rows(database, "SELECT id FROM runs"))) == (5, 1)


@pytest.mark.parametrize("number", ["0", "-1", "x", str(2**70)])
def test_a_number_that_is_no_runs_is_refused(number: str, panel: Any, batch: Any, listed: Path) -> None:
    batch(listed)
    ran = panel("batch", "resume", "--", number)
    assert (ran.code, "Traceback" in ran.err) == (2, False)


@pytest.mark.parametrize("command", ["resume", "retry"])
def test_a_run_whose_tools_were_not_all_added_is_refused(
    command: str, panel: Any, batch: Any, listed: Path, stage: Stage, database: Path
) -> None:
    """A run that was interrupted while its tools were added asked nothing, and is to be begun again."""
    batch(listed)

    async def make() -> int:
        async with open_store(database) as store:
            return await store.runs.create("batch", {}, RunState.MAKING)

    run = asyncio.run(make())
    ran = panel("batch", command, run)
    assert (ran.code, len(stage.asked)) == (2, 5 * MANY)
    assert "was interrupted while its tools were added" in ran.err


@contextmanager
def held(database: Path, run: int) -> Iterator[None]:
    """Hold a run as a process of another machine would that is at work."""
    holding, done = threading.Event(), threading.Event()

    async def hold() -> None:
        far = ProcessId(host="far", space="another boot", pid=7, started="1")
        async with open_store(database) as store:
            lease = await store.leases.acquire(run, far)
            holding.set()
            while not done.is_set():
                await store.leases.renew(lease)
            await store.leases.release(lease)

    thread = threading.Thread(target=lambda: asyncio.run(hold()))
    thread.start()
    assert holding.wait(LONGEST_WAIT)
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize("command", ["resume", "retry"])
def test_a_run_belongs_to_one_process(
    command: str,
    panel: Any,
    batch: Any,
    listed: Path,
    stage: Stage,
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that somebody works on is refused with who that is, ends with 75, and nobody is asked."""
    stage.parts = {"founder": REFUSED}
    batch(listed)
    monkeypatch.setattr("panel.store.leases.LEASE_SECONDS", 1.5)
    with held(database, 1):
        ran = panel("batch", command, "1")
    assert (ran.code, len(stage.asked)) == (75, 5 * MANY)
    assert re.search(r"run 1 is held by .*far.* since .* UTC", ran.err)
    assert "Traceback" not in ran.err
    assert "to resume" not in ran.err


@pytest.mark.parametrize("second", ["batch run", "review"])
def test_commands_that_run_at_once_ask_once(
    second: str, listed: Path, stage: Stage, database: Path, tmp_path: Path
) -> None:
    """A batch and another command over the same tools at the same time pay for each answer once; the second says that it waits."""
    said = tmp_path / "said"
    said.touch()

    def until_the_second_waits() -> None:
        while "Waiting for another run" not in said.read_text("utf-8") and first.poll() is None:
            pass

    after(1, until_the_second_waits, stage)
    panel = [sys.executable, "-m", "panel"]
    first = subprocess.Popen(
        [*panel, "batch", "run", str(listed), *MODEL, "--concurrency", "1"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
    )
    try:
        while not stage.asked:
            assert first.poll() is None
        with said.open("w", encoding="utf-8") as stderr:
            command = [*panel, *second.split(), str(listed), *MODEL]
            other = subprocess.run(command, cwd=tmp_path, stderr=stderr, check=False, timeout=LONGEST_WAIT)
        told = first.communicate(timeout=LONGEST_WAIT)
    finally:
        first.kill()
    assert (first.returncode, other.returncode) == (0, 0), (told, said.read_text("utf-8"))
    assert set(Counter(stage.asked).values()) == {1}
    assert len(stage.asked) == 5 * MANY
    assert sorted(drafted(database)) == [f"Tool {n}" for n in range(MANY)]
    assert said.read_text("utf-8").count("Waiting for another run") == 1


def test_a_cancelled_run_stops_and_can_be_resumed(
    panel: Any,
    batch: Any,
    listed: Path,
    stage: Stage,
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run that is cancelled while it works finishes its calls in flight and begins no other; it can be gone on with."""
    monkeypatch.setattr("panel.store.RENEW_SECONDS", 0.01)

    async def cancel() -> None:
        async with open_store(database) as store:
            await store.runs.stop(1)

    def cancelled() -> None:
        asyncio.run(cancel())
        [(beat,)] = rows(database, "SELECT lease_beat FROM runs")
        while rows(database, "SELECT lease_beat FROM runs")[0][0] < beat + 2:
            pass

    after(3, cancelled, stage)
    ran = batch(listed, "--concurrency", "1")
    assert ran.code == 75
    assert "run 1 was cancelled; to resume: panel batch resume 1" in ran.err
    assert 3 <= len(stage.asked) <= 4
    assert rows(database, "SELECT state, lease_token FROM runs") == [("stopped", None)]
    assert panel("batch", "resume", "1").code == 0
    assert set(Counter(stage.asked).values()) == {1}


# Seats that failed, asked again.


def test_a_retry_asks_failed_seats_alone(
    panel: Any, batch: Any, listed: Path, stage: Stage, database: Path
) -> None:
    """A retry asks the seats that failed and no other; takes stay, and each draft is revised in its place."""
    stage.parts = {"skeptic": INVALID}
    batch(listed, "--out", "out", "--format", "json")
    stage.asked, stage.parts, stage.score = [], {}, 44
    ran = panel("batch", "retry", "1")
    assert ran.code == 0
    assert sorted(stage.asked) == [(f"Tool {n}", "skeptic") for n in range(MANY)]
    assert rows(database, "SELECT DISTINCT run_id FROM drafts") == [(1,)]
    assert Counter((persona, score) for _, persona, score in scores(database)) == {
        ("builder", 71): MANY,
        ("creator", 71): MANY,
        ("founder", 71): MANY,
        ("futurist", 71): MANY,
        ("skeptic", 44): MANY,
    }
    revised = rows(database, "SELECT hash_before, hash_after, payload FROM events WHERE kind = 'revised'")
    assert len(revised) == MANY
    assert all(earlier != later for earlier, later, _ in revised)
    before = [seat for *_, payload in revised for seat in json.loads(payload)["review"]["seats"]]
    assert [seat["outcome"].get("reason") for seat in before].count("invalid") == MANY
    assert panel("db", "check").code == 0


def test_a_retry_writes_the_reports_again(panel: Any, batch: Any, stage: Stage, tmp_path: Path) -> None:
    """Reports of a run that had a folder are written anew from the mended drafts."""
    stage.parts = {"skeptic": INVALID}
    batch(jsonl(tmp_path / "tools.jsonl", entry(0)), "--out", "out", "--format", "json")
    stage.parts = {}
    panel("batch", "retry", "1")
    report = json.loads((tmp_path / "out" / "reviews" / "tool-0.json").read_text("utf-8"))
    assert report["summary"]["takes_given"] == 5


def test_a_retry_that_fails_again_ends_with_3(
    panel: Any, batch: Any, listed: Path, stage: Stage, database: Path
) -> None:
    stage.parts = {"skeptic": INVALID}
    batch(listed)
    before = rows(database, "SELECT * FROM drafts")
    stage.parts = {"skeptic": REFUSED}
    assert panel("batch", "retry", "1").code == 3
    assert rows(database, "SELECT * FROM drafts") == before
    assert rows(database, "SELECT DISTINCT kind FROM events") == [("drafted",)]
    stage.parts = {}
    assert panel("batch", "retry", "1").code == 0


def test_a_retry_asks_for_the_reasons_that_are_named(
    panel: Any, batch: Any, listed: Path, stage: Stage
) -> None:
    """With --reason only seats that failed for it are asked; as long as others lack a take it ends with 3."""
    stage.parts = {"skeptic": INVALID, "founder": REFUSED, "creator": TRUNCATED}
    batch(listed)
    stage.asked, stage.parts = [], {}
    assert panel("batch", "retry", "1", "--reason", "refused,truncated").code == 3
    assert Counter(stage.critics) == {"founder": MANY, "creator": MANY}
    assert panel("batch", "retry", "1").code == 0
    assert Counter(stage.critics) == {"founder": MANY, "creator": MANY, "skeptic": MANY}


def test_a_retry_for_a_reason_that_there_is_not_does_nothing(
    panel: Any, batch: Any, listed: Path, stage: Stage, database: Path
) -> None:
    """Where no seat failed for the reason named nobody is asked, no run is made, and that is said; an unknown one is refused."""
    stage.parts = {"skeptic": INVALID}
    batch(listed)
    asked = len(stage.asked)
    ran = panel("batch", "retry", "1", "--reason", "timed_out")
    assert (ran.code, "Nothing to do: no seat of run 1 failed for this reason: timed out." in ran.err) == (
        0,
        True,
    )
    ran = panel("batch", "retry", "1", "--reason", "recused")
    assert (ran.code, "--reason: 'recused' is no reason" in ran.err) == (2, True)
    assert (len(stage.asked), len(rows(database, "SELECT id FROM runs"))) == (asked, 1)


def test_a_retry_of_a_retry_is_refused(panel: Any, batch: Any, listed: Path, stage: Stage) -> None:
    stage.parts = {"skeptic": INVALID}
    batch(listed)
    panel("batch", "retry", "1")
    asked = len(stage.asked)
    ran = panel("batch", "retry", "2")
    assert (ran.code, len(stage.asked)) == (2, asked)
    assert "run 2 is a retry itself; retry the run that it is of: panel batch retry 1" in ran.err


def test_an_interrupted_retry_is_resumed(
    panel: Any, batch: Any, listed: Path, stage: Stage, database: Path
) -> None:
    """A retry that was interrupted is gone on with like any run, and asks no seat twice."""
    stage.parts = {"skeptic": INVALID}
    batch(listed)
    stage.asked, stage.parts = [], {}
    after(2, signalled, stage)
    ran = panel("batch", "retry", "1", "--concurrency", "1")
    assert (ran.code, "to resume: panel batch resume 2" in ran.err) == (130, True)
    assert panel("batch", "resume", "2").code == 0
    assert sorted(stage.asked) == [(f"Tool {n}", "skeptic") for n in range(MANY)]
    assert rows(database, "SELECT count(*) FROM takes WHERE verdict IS NOT NULL") == [(5 * MANY,)]


def test_a_retry_that_was_interrupted_is_no_reason_for_another(
    panel: Any, batch: Any, listed: Path, stage: Stage
) -> None:
    """While a retry waits to be resumed, another one of its run is refused with 2; once it is cancelled it is not."""
    stage.parts = {"skeptic": INVALID}
    batch(listed)
    stage.asked = []
    after(2, signalled, stage)
    panel("batch", "retry", "1", "--concurrency", "1")
    asked = len(stage.asked)
    ran = panel("batch", "retry", "1")
    assert (ran.code, len(stage.asked)) == (2, asked)
    assert "panel batch resume 2, or give it up: panel batch cancel 2" in ran.err
    assert panel("batch", "cancel", "2").code == 0
    assert panel("batch", "retry", "1").code == 3


def test_a_retry_of_a_run_without_failures_does_nothing(
    panel: Any, batch: Any, listed: Path, stage: Stage
) -> None:
    batch(listed)
    ran = panel("batch", "retry", "1")
    assert (ran.code, len(stage.asked), "Nothing to do" in ran.err) == (0, 5 * MANY, True)


# What it may cost.


def test_a_budget_stops_between_tools(
    panel: Any, batch: Any, listed: Path, stage: Stage, database: Path
) -> None:
    """A run stops with 75 before the first tool that may exceed the budget, and names the amounts; a larger one goes on."""
    worst = worst_of_a_tool(batch, listed)
    assert stage.asked == []
    budget = f"{worst + 1.5 * OF_A_TOOL:.4f}"
    ran = batch(listed, "--budget", budget)
    assert (ran.code, len(stage.asked)) == (75, 2 * 5)
    assert re.search(
        rf"stopped early: the budget of \${re.escape(budget)} does not cover the next tool: \$0\.0200 is paid, and Tool 2 "
        r"may cost up to \$[\d.]+; raise the budget first; to resume: panel batch resume 2",
        ran.err,
    )
    assert sorted(drafted(database)) == ["Tool 0", "Tool 1"]
    assert panel("batch", "resume", "2").code == 75
    assert len(stage.asked) == 2 * 5
    assert panel("batch", "resume", "2", "--budget", "9").code == 0
    assert len(stage.asked) == 5 * MANY
    assert spent(database) == pytest.approx(MANY * OF_A_TOOL)


@pytest.mark.parametrize("part", [None, INVALID, TRUNCATED, REFUSED])
def test_what_is_spent_never_exceeds_the_budget(
    part: str | None, batch: Any, listed: Path, stage: Stage, database: Path
) -> None:
    """Whatever critics answer, the prices of all calls add up to no more than the budget."""
    stage.parts = {"skeptic": part, "founder": part} if part else {}
    budget = worst_of_a_tool(batch, listed) * 1.01
    ran = batch(listed, "--budget", f"{budget:.6f}", "--concurrency", "8")
    assert ran.code in {0, 3, 75}
    assert 0 < spent(database) <= budget


def test_a_budget_counts_what_was_paid_before(panel: Any, batch: Any, listed: Path, stage: Stage) -> None:
    worst = worst_of_a_tool(batch, listed)
    after(9, signalled, stage)
    batch(listed, "--concurrency", "1", "--budget", "9")
    ran = panel("batch", "resume", "2", "--budget", f"{worst:.4f}")
    assert (ran.code, len(stage.asked)) == (75, 9)
    assert "$0.0180 is paid" in ran.err


def test_an_unknown_price_keeps_no_budget(panel: Any, listed: Path, stage: Stage, database: Path) -> None:
    """A budget for a model without a known price is refused with 2, unless that is allowed, and said."""
    own = ("--model", "openai:nobody-knows", "--budget", "1")
    ran = panel("batch", "run", listed, *own)
    assert (ran.code, stage.asked, database.exists()) == (2, [], False)
    assert "the price of openai:nobody-knows is not known, so that no budget can be kept" in ran.err
    ran = panel("batch", "run", listed, *own, "--allow-unknown-price")
    assert (ran.code, len(stage.asked)) == (0, 5 * MANY)
    assert "what it costs is not counted" in ran.err


def test_a_run_that_may_ask_at_any_price_may_do_so_again(panel: Any, listed: Path, stage: Stage) -> None:
    """A run that was begun with --allow-unknown-price is resumed without saying so again."""
    after(3, signalled, stage)
    own = ("--model", "openai:nobody-knows", "--budget", "1", "--allow-unknown-price", "--concurrency", "1")
    assert panel("batch", "run", listed, *own).code == 130
    assert panel("batch", "resume", "1").code == 0
    assert len(stage.asked) == 5 * MANY


def test_a_retry_has_a_budget_of_its_own(panel: Any, batch: Any, listed: Path, stage: Stage) -> None:
    """A retry is stopped by its own budget, goes on with a larger one, and weighs only the seats that it asks."""
    worst = worst_of_a_tool(batch, listed)
    stage.parts = {"skeptic": INVALID}
    batch(listed)
    stage.asked, stage.parts = [], {}
    ran = panel("batch", "retry", "2", "--budget", "0.00001")
    assert (ran.code, stage.asked) == (75, [])
    run = re.search(r"panel batch resume (\d+)", ran.err)
    assert run
    assert panel("batch", "resume", run[1], "--budget", f"{worst / 2:.4f}").code == 0
    assert len(stage.asked) == MANY


# Hostile and malformed files.


def told(err: str) -> str:
    """Return what was told, with the words in which files by themselves are refused."""
    return err.replace(" problems in ", " errors in ")


@pytest.mark.parametrize("row", [row for row in FED if row["file"] not in BOMBS], ids=lambda row: row["file"])
def test_a_bad_file_is_refused_or_made_harmless(
    row: dict[str, Any], batch: Any, stage: Stage, database: Path, own_world: Path, tmp_path: Path
) -> None:
    """Each hostile or malformed file is refused in the words wanted with nothing written, or reviewed as so many tools."""
    ran = batch(BAD_INPUTS / row["file"], "--out", "out", "--format", "json", "--pages-unread")
    assert "Traceback" not in ran.err
    if ran.code == 0:
        assert row["expect"] in {"accept", "accept_sanitise", "either"} or "accept" in str(row["also_ok"])
        assert row["records"] in {None, len(drafted(database))}
        assert len(list((tmp_path / "out" / "reviews").glob("*.json"))) == len(drafted(database))
        return
    assert row["expect"] in {"error", "either"}
    assert (ran.code, ran.out, stage.asked) == (2, "", [])
    assert all(mention in told(ran.err) for mention in row["error_mentions"])
    assert f", {row['field'] or ''}" in ran.err or row["field"] is None
    assert f"line {row['line_hint'] or ''}" in ran.err or row["line_hint"] is None
    assert (left_behind(own_world), list(tmp_path.iterdir())) == ([], [])


@pytest.mark.parametrize(
    "row", [row for row in FED if row["expect"] == "error" and row["records"]], ids=lambda row: row["file"]
)
def test_the_rest_of_a_bad_file_can_be_reviewed(row: dict[str, Any], batch: Any, database: Path) -> None:
    """With --skip-invalid as many tools are reviewed as a bad file holds good ones."""
    assert batch(BAD_INPUTS / row["file"], "--skip-invalid").code == 0
    assert len(drafted(database)) == row["records"]


@pytest.mark.parametrize("row", [row for row in FED if row["file"] in BOMBS], ids=lambda row: row["file"])
def test_a_bomb_does_not_go_off(row: dict[str, Any], stage: Stage, tmp_path: Path, database: Path) -> None:
    """A file that is made to take all memory is refused in little time and memory."""
    words = [sys.executable, "-m", "panel", "batch", "run", str(BAD_INPUTS / row["file"]), *MODEL]
    limited = ["prlimit", "--as=1500000000", *words] if shutil.which("prlimit") else words
    done = subprocess.run(
        limited,
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_WAIT,
    )
    assert (done.returncode, stage.asked, database.exists()) == (2, [], False)
    assert all(mention in done.stderr for mention in row["error_mentions"])
