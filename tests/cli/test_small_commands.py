from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
REPLIES = ROOT / "fixtures" / "replies"
ROWS = [json.loads(line) for line in (REPLIES / "bad_replies.jsonl").read_text("utf-8").splitlines()]
FINISHES = {
    "length": "truncated",
    "max_tokens": "truncated",
    "refusal": "refused",
    "content_filter": "filtered",
}


def test_prompt_shows_what_would_be_sent(panel: Any, tools: list[Path]) -> None:
    """`panel prompt --json` gives system, user and digest, and the text shows the same."""
    arguments = ("prompt", tools[0], "--persona", "skeptic", "--model", "openai")
    shown = json.loads(panel(*arguments, "--json").out)
    assert shown["model"] == "openai:gpt-6.1-terra"
    assert len(shown["digest"]) == 64
    assert "Every launch page is true until somebody depends on it." in shown["user"]
    text = panel(*arguments).out
    assert shown["system"] in text
    assert shown["user"] in text
    assert shown["digest"] in text


def test_prompt_is_the_same_every_time(panel: Any, tools: list[Path]) -> None:
    """The same question has the same digest on every run of one user, so that caches and resumes hold."""
    arguments = ("prompt", tools[0], "--persona", "builder", "--model", "openai", "--json")
    assert panel(*arguments).out == panel(*arguments).out


@pytest.mark.weights
def test_embedded_prompt_has_no_datamark(panel: Any, tools: list[Path]) -> None:
    """The embedded model's prompt keeps its white space and carries a scaffold."""
    shown = json.loads(panel("prompt", tools[0], "--persona", "builder", "--model", "local", "--json").out)
    assert "run and fine-tuned on a single consumer graphics card" in shown["user"]
    assert shown["scaffold"]["openers"]["ship"]


def test_prompt_takes_one_tool_and_a_known_persona(panel: Any, tools: list[Path], tmp_path: Path) -> None:
    """Two tools, or a persona that is not there, end with 2."""
    both = tmp_path / "both.json"
    both.write_text(json.dumps([{"name": name, "description": "It does a thing."} for name in ("A1", "B2")]))
    assert "not 2 and 1" in panel("prompt", both, "--persona", "builder", "--model", "openai").err
    ran = panel("prompt", tools[0], "--persona", "nobody", "--model", "openai")
    assert (ran.code, "unknown persona 'nobody'" in ran.err) == (2, True)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_parse_judges_every_reply_as_it_should(row: dict[str, Any], panel: Any, tmp_path: Path) -> None:
    """`panel parse --json` tells outcome, take and problems of each kind of reply."""
    file = tmp_path / "reply.txt"
    file.write_bytes(row["raw"].encode("utf-8", "surrogatepass"))
    stop = row["meta"].get("finish_reason") or row["meta"].get("stop_reason")
    finish = ["--finish", FINISHES[stop]] if stop in FINISHES else []
    canary = ["--canary", row["meta"]["system_canary"]] if "system_canary" in row["meta"] else []
    ran = panel("parse", file, "--persona", row["persona"], "--json", *finish, *canary)
    assert ran.code == 0
    parsed = json.loads(ran.out)
    assert parsed["outcome"] == row["expected"]
    assert (parsed["take"] is None) == (row["expected"] != "accept")
    assert bool(parsed["problems"]) == (row["expected"] == "repair")
    if row["expected"] == "accept":
        wanted = row["normalised"]
        assert (parsed["take"]["verdict"], parsed["take"]["score"]) == (wanted["verdict"], wanted["score"])
        assert parsed["take"]["take"].split() == wanted["take"].split()


def test_parse_reads_a_pipe_and_answers_in_words(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a file, the reply is read from standard input and described in words."""
    import io
    import sys

    text = (REPLIES / "seed" / "smollm3.builder.1.txt").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    out = panel("parse", "--persona", "builder").out
    assert out.startswith("outcome: accept\ntake: 87/100 · ship\nThe primitive is")


def test_parse_knows_the_tools_own_address(panel: Any, tmp_path: Path) -> None:
    """An address on the tool's own host may stand in a take if the tool is named, and not otherwise."""
    (tmp_path / "tool.yaml").write_text(
        "name: Lantern\ndescription: It shows.\nurl: https://lantern.example\n"
    )
    take = "The documentation at https://lantern.example/docs shows the first working call and the first failure."
    (tmp_path / "reply.json").write_text(json.dumps({"verdict": "ship", "score": 70, "take": take}))
    arguments = ("parse", "reply.json", "--persona", "builder", "--json")
    assert json.loads(panel(*arguments).out)["outcome"] == "repair"
    assert json.loads(panel(*arguments, "--tool", "tool.yaml").out)["outcome"] == "accept"


@pytest.mark.parametrize("arguments", [["nowhere.txt", "--persona", "builder"], ["x", "--persona", "nobody"]])
def test_parse_refuses_what_is_not_there(arguments: list[str], panel: Any) -> None:
    """A file or a persona that is not there ends with 2."""
    assert panel("parse", *arguments).code == 2


def test_personas_are_listed_and_shown(panel: Any) -> None:
    """All five critics are listed with their mottos, and each can be read in full."""
    listed = panel("personas", "list").out
    names = [row["id"] for row in json.loads(panel("personas", "list", "--json").out)]
    assert names == ["builder", "creator", "founder", "futurist", "skeptic"]
    for name in names:
        assert name in listed
        shown = json.loads(panel("personas", "show", name, "--json").out)
        text = panel("personas", "show", name).out
        assert shown["motto"] in listed
        for line in (shown["motto"], shown["body"], *shown["lens"], *shown["scoring"].values()):
            assert line in text


def test_folder_of_personas_here_takes_the_place_of_the_shipped_one(panel: Any, tmp_path: Path) -> None:
    folder = tmp_path / "personas"
    folder.mkdir()
    text = (ROOT / "personas" / "skeptic.md").read_text("utf-8").replace("name: Skeptic", "name: Lawyer")
    (folder / "lawyer.md").write_text(text, "utf-8")
    assert [row["name"] for row in json.loads(panel("personas", "list", "--json").out)] == ["Lawyer"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("motto:", "moto:", "unknown field; did you mean motto?"),
        ("  20: ", "  25: ", "must have exactly the anchors 20, 40, 60, 80, 95"),
        ("name: Skeptic", "name: 7", "line 2, name"),
        ("---\nname", "name", "front matter"),
    ],
)
def test_bad_persona_names_file_line_and_field(
    old: str, new: str, said: str, panel: Any, tmp_path: Path
) -> None:
    """A persona file that cannot be used ends with 2 and says where."""
    text = (ROOT / "personas" / "skeptic.md").read_text("utf-8").replace(old, new, 1)
    (tmp_path / "skeptic.md").write_text(text, "utf-8")
    ran = panel("personas", "list", "--personas", tmp_path)
    assert ran.code == 2
    assert "skeptic.md, line" in ran.err
    assert said in ran.err


def test_config_tells_value_and_source_of_each_setting(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANEL_CONCURRENCY", "4")
    document = json.loads(panel("config", "--json").out)
    row = next(row for row in document["settings"] if row["name"] == "concurrency")
    assert (row["value"], row["source"]) == (4, "PANEL_CONCURRENCY")
    assert document["model_in_force"]["provider"] == "local"
    assert "PANEL_CONCURRENCY" in panel("config").out


def test_config_never_shows_a_key(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment decides the model and is not printed."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-EXAMPLE-000")
    ran = panel("config")
    assert "OPENAI_API_KEY is set" in ran.out
    assert "sk-EXAMPLE" not in ran.out + ran.err


@pytest.mark.parametrize("name", ["review", "comparison"])
def test_schema_is_the_published_one(name: str, panel: Any) -> None:
    published = {"review": "panel-review-1.json", "comparison": "comparison-1.json"}[name]
    assert panel("schema", name).out == (ROOT / "docs" / "schemas" / published).read_text("utf-8")


def test_version_is_printed(panel: Any) -> None:
    assert panel("--version").out.startswith("panel 0.")


COMMANDS = [
    "review",
    "compare",
    "prompt",
    "parse",
    "page",
    "batch run",
    "batch resume",
    "batch retry",
    "batch list",
    "batch status",
    "batch failures",
    "batch cancel",
    "db path",
    "db check",
    "db backup",
    "queue list",
    "queue next",
    "queue show",
    "queue edit",
    "queue resolve",
    "queue rerun",
    "queue approve",
    "queue request-changes",
    "queue reject",
    "queue publish",
    "queue retract",
    "queue undo",
    "queue history",
    "serve",
    "site build",
    "site serve",
    "digest",
    "subscribers list",
    "subscribers export",
    "subscribers forget",
    "users add",
    "users list",
    "personas list",
    "personas show",
    "doctor",
    "config",
    "schema",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_stands_in_the_readme(command: str, panel: Any) -> None:
    ran = panel(*command.split(), "--help")
    assert ran.code == 0
    assert "Usage" in ran.out
    assert f"`panel {command}" in (ROOT / "README.md").read_text("utf-8")


def test_help_lists_every_command(panel: Any) -> None:
    out = panel("--help").out
    for command in {command.split()[0] for command in COMMANDS}:
        assert f"\n  {command} " in out
    listed = {
        line.split()[0]
        for line in out.partition("Commands:")[2].splitlines()
        if line.startswith("  ") and line[2] != " "
    }
    assert listed == {command.split()[0] for command in COMMANDS}
