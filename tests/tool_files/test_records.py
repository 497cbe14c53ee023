"""Tool files, from bytes to tools."""

from __future__ import annotations

import errno
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from panel.core.tool import Tool
from panel.errors import InputError
from panel.tool_files import documents
from panel.tool_files.files import MAX_BYTES, reason_of
from panel.web_pages.sources import load_tools

BAD_INPUTS = Path(__file__).parents[2] / "fixtures" / "bad_inputs"
ROWS = [json.loads(line) for line in (BAD_INPUTS / "index.jsonl").read_text("utf-8").splitlines()]
MINIMAL = "name: Lantern\ndescription: Shows run history.\n"
FACT = "facts:\n  - claim: MIT licence\n    source: https://lantern.dev\n    checked_on: 2026-03-31\n"


def from_stdin(text: str | bytes) -> list[Tool]:
    data = text.encode() if isinstance(text, str) else text
    return load_tools(["-"], stdin=io.BytesIO(data))


def file_of(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(*sources: Path) -> str:
    """Return the message with which files are refused, without their folder."""
    with pytest.raises(InputError) as caught:
        load_tools(sources)
    return str(caught.value).replace(f"{sources[0].parent}{os.sep}", "")


def yaml_refusal(folder: Path, text: str | bytes) -> str:
    return refusal(file_of(folder, "t.yaml", text))


def json_refusal(folder: Path, text: str) -> str:
    return refusal(file_of(folder, "t.json", text))


def outcome_of(row: dict[str, Any]) -> list[Tool] | InputError:
    try:
        return load_tools([BAD_INPUTS / row["file"]])
    except InputError as error:
        return error


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_each_bad_input_has_the_expected_outcome(row: dict[str, Any]) -> None:
    outcome = outcome_of(row)
    if isinstance(outcome, InputError):
        assert row["expect"] in {"error", "either"}
        text = f"{outcome} ({len({problem.line for problem in outcome.problems})} lines)"
        assert all(mention in text for mention in row["error_mentions"])
        assert row["field"] is None or row["field"] in {problem.field for problem in outcome.problems}
        assert row["line_hint"] is None or row["line_hint"] in {problem.line for problem in outcome.problems}
    else:
        assert row["expect"] in {"accept", "accept_sanitise", "either"} or "accept" in str(row["also_ok"])
        assert row["records"] in {None, len(outcome)}
        assert len({tool.slug for tool in outcome}) == len(outcome)
        assert {name: getattr(outcome[0], name) for name in row["sanitised"]} == row["sanitised"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.yaml", MINIMAL),
        ("t.YML", f"\ufeff{MINIMAL}"),
        ("t.yaml", f"- {MINIMAL.replace(chr(10), chr(10) + '  ')}"),
        ("t.yaml", f"# one\n---\n{MINIMAL}---\n"),
        ("t.yaml", "tools:\n- {name: Lantern, description: Shows run history.}"),
        ("t.yaml", MINIMAL.replace("\n", "\r\n")),
        ("t.json", '{"name": "Lantern", "description": "Shows run history."}'),
        ("t.json", '[{"name": "Lantern", "description": "Shows run history."}]'),
        ("t.json", '{"tools": [{"name": "Lantern", "description": "Shows run history."}]}'),
        ("t.md", "---\nname: Lantern\n---\n\nShows run history.\n"),
        ("t.markdown", f"---\r\n{MINIMAL}---\r\n"),
    ],
)
def test_every_form_of_a_file_gives_the_same_tool(tmp_path: Path, name: str, text: str) -> None:
    assert load_tools([file_of(tmp_path, name, text)]) == [
        Tool(name="Lantern", description="Shows run history.")
    ]
    assert from_stdin(text) == load_tools([tmp_path / name])


def test_several_tools_keep_their_order() -> None:
    listed = "- {name: A, description: x}\n- {name: B, description: x}\n---\nname: C\ndescription: x\n"
    assert [tool.name for tool in from_stdin(listed)] == ["A", "B", "C"]
    assert [tool.name for tool in from_stdin(f"---\n{listed}")] == ["A", "B", "C"]


def test_a_whole_tool_is_read() -> None:
    (tool,) = from_stdin(f"{MINIMAL}{FACT}aliases: [Lamp]\nlaunched_on: 2026-03-30\nprice_class: free\n")
    assert tool.facts[0].source == "https://lantern.dev"
    assert (tool.aliases, str(tool.launched_on), tool.entry_price) == (("Lamp",), "2026-03-30", "Free")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: L: x\n", "line 1: not valid YAML: mapping values are not allowed here; put quotes around"),
        ("name: 'L\n", "not valid YAML: found unexpected end of stream; a quotation mark"),
        ("name: L\n\tdescription: x\n", "line 2: not valid YAML: found character '\\t'"),
        ("name: L\ndescription: a\x1bb\n", "line 2: not valid YAML: control character U+001B; remove it"),
        (
            'name: L\ndescription: "\\UFFFFFFFF"\n',
            "line 2: not valid YAML: a character code (\\U) or a version",
        ),
        (
            "%YAML 1.99999999999\n---\nname: L\n",
            "line 1: not valid YAML: a character code (\\U) or a version (%YAML)",
        ),
        ("%YAML 1.1\n---\nname: no\n", "line 3, name: expected text, got a boolean (`no`)"),
        ("- !<%ff> x\n", "line 1: not valid YAML: 'utf-8' codec"),
        ("a: &a [*a]\n", "line 1, a.1: aliases (*) are not supported; write the value out"),
        (f"{MINIMAL}tagline: *x\n", "line 3, tagline: aliases (*) are not supported"),
        ("!!python/object/apply:os.system ['id']\n", "line 1: tags (!) are not supported"),
        (f"{MINIMAL}tagline: !!str 1\n", "line 3, tagline: tags (!) are not supported"),
        (f"{MINIMAL}!x tagline: a\n", "line 3, tagline: tags (!) are not supported"),
        (f"{MINIMAL}? [a]\n: b\n", "line 3, ?: a key must be plain text"),
        ("- " * 30 + "x\n", "line 1: nested more than 20 levels deep"),
        ("just text\n", "line 1: expected a tool with fields such as name and description"),
        ("# nothing\n", "t.yaml: holds no tool"),
        ("[]\n", "t.yaml: holds no tool"),
        ("tools: []\n", "t.yaml: holds no tool"),
        ("tools: x\n", "line 1, tools: unknown field tools; the fields are name"),
        (
            f"{MINIMAL}tagline: 0x1F\n",
            "line 3, tagline: expected text, got a number (`0x1F`); put quotes around it",
        ),
        (f"{MINIMAL}tagline: -.inf\n", "line 3, tagline: expected text, got a number (`-.inf`)"),
        (f"{MINIMAL}tagline: On\n", "line 3, tagline: expected text, got a boolean (`On`)"),
        (f"{MINIMAL}tagline: {'9' * 5_000}\n", "line 3, tagline: expected text, got a number"),
        (f"{MINIMAL}tagline: [a]\n", "line 3, tagline: expected text, got a list"),
        (f"{MINIMAL}tagline: {{a: b}}\n", "line 3, tagline: expected text, got a mapping"),
        (f"{MINIMAL}facts: [x]\n", "line 3, facts.1: expected the fields claim, source and checked_on"),
        (
            f"{MINIMAL}{FACT}    sauce: x\n",
            "line 7, facts.1.sauce: unknown field sauce; did you mean source?",
        ),
        (f"{MINIMAL}facts:\n  - claim: x\n", "line 4, facts.1.source: is missing"),
        (f"{MINIMAL}aliases: [a, no]\n", "line 3, aliases.2: expected text, got a boolean (`no`)"),
        (f"{MINIMAL}'': x\n", "line 3, (blank): unknown field (blank); the fields are name"),
        (f"{MINIMAL}{'k' * 100}: x\n", f"unknown field {'k' * 60}…; the fields are name"),
        ("name:\ndescription: x\n", "line 1, name: expected text, got nothing"),
        ("name: '404'\ndescription: x\nslug: '404'\n", "line 3, slug: 404 is reserved; choose another"),
        (
            MINIMAL.encode() + b"tagline: \xed\xa0\x80\n",
            "line 3: not UTF-8 text (byte 0xED); save it as UTF-8",
        ),
        (MINIMAL.encode("utf-16"), "line 1: not UTF-8 text (byte 0xFF)"),
        (f"{MINIMAL}tagline: a\0b\n", "line 3: holds a NUL character; remove it"),
        (" \n\n", "t.yaml: is empty"),
    ],
)
def test_a_yaml_file_is_refused_in_plain_words(tmp_path: Path, text: str | bytes, message: str) -> None:
    assert message in yaml_refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"name": "L", // x\n}', "line 1: not valid JSON: it has no comments; remove this one"),
        ('{"name": "L",\n}', "not valid JSON: a comma before } or ] is one too many"),
        ("[1,\n]", "not valid JSON: a comma before } or ] is one too many"),
        ('{"name": "L",\n "description": NaN}', "line 2: not valid JSON: NaN is no number"),
        ('{"name": -Infinity}', "line 1: not valid JSON: -Infinity is no number"),
        (
            "{}\n{}",
            "line 2: not valid JSON: something follows its end; to give several tools, put them in a list",
        ),
        ("{'name': 'L'}", "line 1: not valid JSON: Expecting property name enclosed in double quotes"),
        ('{"name": "L\n"}', "line 1: not valid JSON: Invalid control character"),
        ('{"name": "' + '\\"' * 100_000, "line 1: not valid JSON: Unterminated string"),
        ('{"name": 1e999, "description": "x"}', "name: expected text, got a number (`1e999`)"),
        ('{"name": ' + "9" * 5_000 + ', "description": "x"}', "name: expected text, got a number"),
        (
            '{"name": false,\n "description": null}',
            "line 2, description: expected text, got nothing (`null`)",
        ),
        (
            '{"name": "L", "description": "x",\n "facts": [{"claim": "x",\n "claim": "y"}]}',
            "line 3, facts.1.claim: claim is given twice, first on line 2",
        ),
        ('[{"name": "L", "description": "x"},\n 7]', "line 2, item 2: expected a tool"),
        ("[" * 100_000, "t.json: nested more than 20 levels deep"),
        ("[" * 500 + "]" * 500, "line 1: nested more than 20 levels deep"),
        (f"[{'1,' * 900_000}1]", "t.json: holds more than 200000 values; split it"),
        ("7", "line 1: expected a tool"),
    ],
    ids=range(18),
)
def test_a_json_file_is_refused_in_plain_words(tmp_path: Path, text: str, message: str) -> None:
    assert message in json_refusal(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# Lantern\n", "line 1, name: is missing; start the file with front matter"),
        ("---\nname: Lantern\n", "line 1: front matter is not closed; put a line --- below its fields"),
        ("---\n- x\n---\ntext\n", "line 1: front matter must hold fields, such as name: Lantern"),
        ("---\n---\ntext\n", "line 1: front matter must hold fields"),
        (
            f"---\n{MINIMAL}---\n\n\ntext\n",
            "line 7, description: is given twice: in the front matter and as the text",
        ),
        ("---\nname: L\nname: M\n---\ntext\n", "line 3, name: name is given twice, first on line 2"),
        ("---\nname: L\n---\n", "line 2, description: is missing; say what the tool does"),
        (f"---\nname: L\n---\n\n{'x' * 10_001}", "line 5, description: 10001 characters, the limit is 10000"),
        ("---\nname: a: b\n---\ntext\n", "line 2: not valid YAML: mapping values"),
    ],
)
def test_a_markdown_file_is_refused_in_plain_words(tmp_path: Path, text: str, message: str) -> None:
    assert message in refusal(file_of(tmp_path, "t.md", text))


def test_all_errors_of_all_files_are_listed_in_one_run(tmp_path: Path) -> None:
    first = file_of(tmp_path, "a.yaml", "name: A\nurl: http://10.0.0.1\nname: B\nmakr: x\n")
    second = file_of(tmp_path, "b.json", '{"name": "B"}')
    message = refusal(first, second, tmp_path / "c.yaml")
    assert message.splitlines() == [
        "a.yaml, line 3, name: name is given twice, first on line 1",
        "a.yaml, line 1, description: is missing; say what the tool does",
        "a.yaml, line 2, url: 10.0.0.1 is not open to the public; give the address of the tool's own page",
        "a.yaml, line 4, makr: unknown field makr; did you mean maker?",
        "b.json, line 1, description: is missing; say what the tool does",
        "c.yaml: no such file",
        "6 errors; nothing was written and no call was made.",
    ]


def test_a_syntax_error_does_not_hide_earlier_documents(tmp_path: Path) -> None:
    message = yaml_refusal(tmp_path, "a: 1\na: 2\n---\nb: c: d\n")
    assert "line 2, a: a is given twice" in message
    assert "line 4: not valid YAML" in message


def test_keys_beside_a_list_of_tools_are_refused(tmp_path: Path) -> None:
    message = yaml_refusal(tmp_path, "shared: x\ntools:\n  - name: A\n  - name: B\n    description: x\n")
    assert "line 1, shared: unknown field shared beside the list of tools" in message
    assert "line 3, item 1, description: is missing" in message


def test_a_repeated_list_of_tools_is_refused(tmp_path: Path) -> None:
    text = "tools:\n  - {name: A, description: x}\n  - {name: B, description: x}\ntools: []\n"
    assert yaml_refusal(tmp_path, text) == "t.yaml, line 4, tools: tools is given twice, first on line 1"


def test_a_tool_given_twice_is_an_error_that_names_both_places(tmp_path: Path) -> None:
    first = file_of(tmp_path, "a.yaml", f"---\n{MINIMAL}aliases: [Lamp]\n")
    second = file_of(
        tmp_path, "b.yaml", "- {name: ' LANTERN', description: x}\n- {name: lamp, description: x}\n"
    )
    message = refusal(first, second).replace(f"{tmp_path}{os.sep}", "")
    assert (
        "b.yaml, line 1, item 1, name: is the same tool as in a.yaml, line 2; remove one of them" in message
    )
    assert (
        "b.yaml, line 2, item 2, name: is the same tool as in a.yaml, line 2; remove one of them" in message
    )
    third = file_of(tmp_path, "c.yaml", "name: Beacon\ndescription: x\naliases: [Lantern]\n")
    assert "c.yaml, line 3, aliases: is the same tool as in" in refusal(first, third)


def test_a_file_is_named_once(tmp_path: Path) -> None:
    path = file_of(tmp_path, "t.yaml", MINIMAL)
    assert refusal(path, tmp_path / "." / "t.yaml") == "t.yaml: is named twice; name it once"
    with pytest.raises(InputError, match="-: is named twice"):
        load_tools(["-", "-"], stdin=io.BytesIO(MINIMAL.encode()))


def test_different_tools_with_one_slug_are_told_apart() -> None:
    tools = from_stdin(
        "[" + ",".join(f'{{"name": "{n}", "description": "x"}}' for n in ("e", "é", "E.")) + "]"
    )
    assert tools[0].slug == "e"
    assert len({tool.slug for tool in tools}) == 3
    taken = tools[1].slug
    again = from_stdin(
        f"- {{name: e, description: x}}\n- {{name: x, slug: {taken}, description: x}}\n- {{name: é, description: x}}\n"
    )
    assert [again[0].slug, again[1].slug] == ["e", taken]
    assert again[2].slug not in {"e", taken}


@pytest.mark.parametrize("name", ["t.txt", "t", "t.jsonl.gz", "t.yaml.bak"])
def test_an_unknown_ending_lists_the_known_ones(tmp_path: Path, name: str) -> None:
    message = refusal(file_of(tmp_path, name, MINIMAL))
    assert message == (
        f"{name}: unknown kind of file; the known endings are .yaml, .yml, .json, .md, .markdown, "
        ".jsonl, .ndjson, .csv, .tsv, .html, .htm"
    )


def test_a_source_that_is_no_regular_file_is_refused_without_hanging(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "loop.yaml").symlink_to("loop.yaml")
    (tmp_path / "folder.yaml").mkdir()
    file_of(tmp_path, "file", "x")
    assert (
        refusal(tmp_path / "pipe.yaml")
        == "pipe.yaml: is not a regular file; use - to read from standard input"
    )
    assert "is not a regular file" in refusal(Path("/dev/zero"))
    assert refusal(tmp_path / "loop.yaml") == "loop.yaml: its symbolic links form a loop"
    assert refusal(tmp_path / "folder.yaml") == "folder.yaml: is a directory; name the files in it"
    assert refusal(tmp_path / "none.yaml") == "none.yaml: no such file"
    assert "no such file" in refusal(tmp_path / "file" / "t.yaml")
    assert "no such file" in refusal(tmp_path / "a\0b.yaml")
    assert "the file name is too long" in refusal(tmp_path / ("x" * 300))


def test_reasons_of_the_system_are_plain() -> None:
    assert reason_of(PermissionError(errno.EACCES, "Permission denied")) == "no permission to read it"
    assert reason_of(OSError(errno.EIO, "Input/output error")) == "cannot be read: Input/output error"


def test_a_file_name_cannot_forge_a_message(tmp_path: Path) -> None:
    assert refusal(tmp_path / "a\n\x1b[2Jb.yaml") == "a [2Jb.yaml: no such file"


def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    text = '{"name": "L \\ud83d", "description": "\\ud83d\\ude00 \\ude00 \\\\ud83d"}'
    for tool in (*from_stdin(text), *from_stdin(f"---\n{text}")):
        assert (tool.name, tool.description) == ("L \ufffd", "\U0001f600 \ufffd \\ud83d")


def test_size_is_limited_before_anything_is_parsed(tmp_path: Path) -> None:
    with (tmp_path / "t.yaml").open("wb") as file:
        file.truncate(2 * MAX_BYTES)
    assert refusal(tmp_path / "t.yaml") == "t.yaml: is larger than 5 MB, the limit; split it"
    stdin = io.BytesIO(b" " * (2 * MAX_BYTES))
    with pytest.raises(InputError, match="-: is larger than 5 MB"):
        load_tools(["-"], stdin=stdin)
    assert stdin.tell() == MAX_BYTES + 1


def test_a_yaml_file_of_too_many_values_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_VALUES", 100)
    assert yaml_refusal(tmp_path, f"[{'a,' * 101}]") == "t.yaml: holds more than 100 values; split it"


def test_keys_and_spellings_are_printed_without_control_codes(tmp_path: Path) -> None:
    assert "na[2Jme: unknown field na[2Jme" in json_refusal(tmp_path, '{"na\\u001b[2Jme": 1}')
    assert "\ufffd: unknown field \ufffd" in json_refusal(tmp_path, '{"\\ud83d": 1}')
