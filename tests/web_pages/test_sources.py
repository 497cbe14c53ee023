"""Records of files, folders, patterns and standard input, in every format."""

from __future__ import annotations

import csv
import io
import json
import os
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.core.tool import Tool
from panel.errors import SettingsError
from panel.tool_files import tables
from panel.tool_files.files import MAX_RECORD_BYTES
from panel.tool_files.records import read_tool_file
from panel.tool_files.tables import parse_column_map
from panel.web_pages.sources import read_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from panel.tool_files.records import Record

TOOL = Tool(name="Lantern", description="Shows run history.")
ROW = "Lantern,Shows run history.\n"


def records(*arguments: object, maps: Iterable[str] = (), stdin: bytes = b"") -> list[Record]:
    return list(read_records(map(str, arguments), parse_column_map(maps), io.BytesIO(stdin)))


def table(folder: Path, text: str | bytes, *maps: str, name: str = "t.csv") -> list[Record]:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return records(path, maps=maps)


def messages(found: Iterable[Record]) -> list[str]:
    """Return the problems of records as lines, without the folder of the file."""
    lines = [str(problem) for record in found for problem in record.problems]
    return [line.rpartition(os.sep)[2] if line.startswith(os.sep) else line for line in lines]


def names(found: Iterable[Record]) -> list[str | None]:
    return [record.tool.name if record.tool else None for record in found]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.yaml", "name: Lantern\ndescription: Shows run history.\n"),
        ("t.json", '[{"name": "Lantern", "description": "Shows run history."}]'),
        ("t.jsonl", '\n{"name": "Lantern", "description": "Shows run history."}\r\n\n'),
        ("t.NDJSON", '\ufeff{"name": "Lantern", "description": "Shows run history."}'),
        ("t.csv", f"name,description\n{ROW}"),
        ("t.csv", f"\ufeff\n\nname,description\r\n\r\n{ROW},\n"),
        ("t.csv", '"name";"description"\r\n"Lantern";"Shows run history."'),
        ("t.tsv", "name\tdescription\tmaker\nLantern\tShows run history.\t\n"),
        ("t.md", "---\nname: Lantern\n---\nShows run history.\n"),
    ],
)
def test_every_format_gives_the_same_tool(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_bytes(text.encode())
    (record,) = records(tmp_path / name)
    assert (record.tool, record.problems) == (TOOL, ())


def test_bad_records_do_not_hide_good_ones(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"name": "A", "description": "x"}\n{"name": }\n{"name": "B"}\n')
    (tmp_path / "b.yaml").write_text(
        "- {name: C, description: x}\n- {name: D, name: E}\n- {name: F, description: x}\n"
    )
    found = records(tmp_path / "a.jsonl", tmp_path / "b.yaml", tmp_path / "none.yaml")
    assert names(found) == ["A", None, None, "C", None, "F", None]
    assert messages(found) == [
        "a.jsonl, line 2: not valid JSON: Expecting value (column 10)",
        "a.jsonl, line 3, description: is missing; say what the tool does",
        "b.yaml, line 2, item 2, name: name is given twice, first on line 2",
        "b.yaml, line 2, item 2, description: is missing; say what the tool does",
        "none.yaml: no such file",
    ]
    assert [(record.location.line, record.location.item) for record in found[:5]] == [
        (1, None),
        (2, None),
        (3, None),
        (1, 1),
        (2, 2),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"name": "caf\xe9"}', "line 2: not UTF-8 text (byte 0xE9); save it as UTF-8"),
        (b'{"name": "a\0"}', "line 2: holds a NUL character; remove it"),
        (
            b"{} {}",
            "line 2: not valid JSON: something follows its end; to give several tools, put them in a list",
        ),
        (b"[]", "line 2: expected a tool with fields such as name and description"),
        (b'{"name": NaN}', "line 2: not valid JSON: NaN is no number"),
        (b"[" * 100_000, "line 2: nested more than 20 levels deep"),
        (b"[" + b"1," * 450_000 + b"1]", "line 2: holds more than 200000 values; split it"),
        (b'{"a": 1, "a": 2}', "line 2, a: a is given twice, first on line 2"),
        (b'"' + b"x" * MAX_RECORD_BYTES, "line 2: is longer than 1 MB, the limit for one tool; shorten it"),
    ],
    ids=range(9),
)
def test_a_bad_line_does_not_affect_the_others(tmp_path: Path, data: bytes, message: str) -> None:
    good = b'{"name": "A", "description": "x"}'
    (tmp_path / "t.jsonl").write_bytes(b"\n".join([good, data, good]))
    first, bad, last = records(tmp_path / "t.jsonl")
    assert first.tool == last.tool != bad.tool
    assert any(message in line for line in messages([bad]))


@pytest.mark.parametrize("name", ["t.jsonl", "t.csv"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("\n \n")
    assert messages(records(tmp_path / name)) == [f"{name}: is empty"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Lantern,Shows it.\nB,x\n",
            "line 1, name: the first row names no field; put the names of the fields",
        ),
        (
            "name,descriptoin\nA,x\n",
            "line 1, descriptoin: unknown column descriptoin; did you mean description?",
        ),
        (
            "name,descriptoin\nA,x\n",
            "line 1, description: has no column; name the one that holds it with --map",
        ),
        ("name,description,\nA,x,\n", "line 1, (blank): a column without a name; name it or remove it"),
        (
            "name,description,facts\nA,x,y\n",
            "facts: unknown column facts; facts have parts and cannot come from",
        ),
        ("name,description,name\nA,x,B\n", "line 1, name: has two columns; leave one out"),
        ('name,"description\nA,x\n', "line 1: a quotation mark is not closed; the rows below were not read"),
        ("name,description\n", "t.csv: holds no tool"),
    ],
)
def test_a_table_with_an_invalid_header_row_is_refused(tmp_path: Path, text: str, message: str) -> None:
    found = table(tmp_path, text)
    assert names(found) == [None]
    assert any(message in line for line in messages(found))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("B", "line 4: 1 cells, the header row has 2; put quotes around cells that hold the delimiter"),
        ("B,x,y", "line 4: 3 cells, the header row has 2"),
        (",x", "line 4, name: is blank; write 1 to 120 characters"),
        ('B,"x"y', "line 4: text follows the closing quotation mark of a cell; double the marks within it"),
        (f"B,{'x' * 140_000}", "line 4: a cell is longer than 131072 characters; shorten it"),
        (f"B,{'x,' * MAX_RECORD_BYTES}", "line 4: is longer than 1 MB, the limit for one tool; shorten it"),
        ("B,x\ry", "line 4: a carriage return stands alone; save the file with line feeds"),
        ('"B\n",\0', "line 5: holds a NUL character; remove it"),
    ],
    ids=range(8),
)
def test_a_bad_row_does_not_affect_the_others(tmp_path: Path, row: str, message: str) -> None:
    found = table(tmp_path, f'name,description\nA,"x\ny"\n{row}\nC,x\n')
    assert names(found) == ["A", None, "C"]
    assert any(message in line for line in messages(found))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("name,descr\ription", "a carriage return stands alone; save the file with line feeds"),
        (f"{'x' * 200_000},description", "a cell is longer than 131072 characters; shorten it"),
        ('"name,description', "a quotation mark is not closed; the rows below were not read"),
    ],
    ids=["carriage return", "long cell", "quotation mark"],
)
def test_a_header_row_that_cannot_be_parsed_is_one_problem(tmp_path: Path, header: str, message: str) -> None:
    assert messages(table(tmp_path, f"{header}\nA,x\n")) == [f"t.csv, line 1: {message}"]


def test_a_bad_byte_is_reported_on_its_own_line_of_the_cell(tmp_path: Path) -> None:
    found = table(tmp_path, b'name,description\nA,"x\n\xe9\nz"\nB,x\n')
    assert messages(found) == ["t.csv, line 3: not UTF-8 text (byte 0xE9); save it as UTF-8"]
    assert names(found) == [None, "B"]


def test_an_unclosed_quotation_mark_ends_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The start of the next row is unknown; reading ends at the end of the file or at the size limit."""
    text = 'name,description\nA,x\nB,"x\nC,y\n' + "D,z\n" * 100
    assert messages(table(tmp_path, text)) == [
        "t.csv, line 3: a quotation mark is not closed; the rows below were not read"
    ]
    monkeypatch.setattr(tables, "MAX_RECORD_BYTES", 100)
    assert messages(table(tmp_path, text)) == [
        "t.csv, line 3: is longer than 1 MB, the limit for one tool; shorten it; the rows below were not read"
    ]


def test_columns_are_mapped_to_fields(tmp_path: Path) -> None:
    found = table(
        tmp_path,
        'Title;What it does;Votes\nLantern;"Shows run history.";12\n',
        "name=Title",
        "description=What it does",
        "Votes=",
    )
    assert [record.tool for record in found] == [TOOL]


def test_aliases_in_a_table_are_separated_by_bars(tmp_path: Path) -> None:
    first, second = table(tmp_path, "name,description,aliases,slug\nA,x,Lamp | Light|,a-one\nB,x,,\n")
    assert first.tool
    assert second.tool
    assert (first.tool.aliases, first.tool.slug) == (("Lamp", "Light"), "a-one")
    assert (second.tool.aliases, second.tool.slug) == ((), "b")


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        (["Title"], "--map Title: write FIELD=COLUMN, or COLUMN= to leave a column out"),
        (["="], "--map =: write FIELD=COLUMN"),
        (["nmae=Title"], "--map nmae=Title: unknown field nmae; did you mean name?"),
        (["facts=Claims"], "--map facts=Claims: unknown field facts; facts have parts"),
        (["name=A", "name=B"], "--map name=B: name or its column is mapped twice; map each once"),
        (["name=A", "maker=A"], "--map maker=A: maker or its column is mapped twice"),
    ],
)
def test_an_invalid_map_is_refused(maps: list[str], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_column_map(maps)
    assert message in str(caught.value)


def test_a_mapped_column_must_exist(tmp_path: Path) -> None:
    assert messages(table(tmp_path, "description,maker\nx,y\n", "name=Title")) == [
        "t.csv, line 1, name: there is no column Title, which --map gives for name; check its spelling"
    ]


texts = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=60).filter(str.strip)
cells = st.fixed_dictionaries({"name": texts, "description": texts, "maker": texts | st.just("")})


@given(st.lists(cells, min_size=1, max_size=5), st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"]))
def test_a_written_table_is_read_back_row_for_row(
    rows: list[dict[str, str]], delimiter: str, end: str
) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    found = read_tool_file(io.BytesIO(text.getvalue().encode()), "t.csv", ".csv", {})
    expected = [
        {"name": row["name"], "description": row["description"], "maker": row["maker"]} for row in rows
    ]
    tools = [tool_or_none(row) for row in expected]
    assert [record.tool for record in found] == tools


def tool_or_none(row: dict[str, str]) -> Tool | None:
    try:
        return Tool.model_validate(row)
    except ValueError:
        return None


def test_a_folder_stands_for_its_files_of_tools(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.json", ".c.yaml", "readme.txt", "sub/d.yaml", ".sub/e.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f'{{"name": "{Path(name).name}", "description": "x"}}')
    assert names(records(tmp_path)) == ["a.json", "b.yaml"]
    assert names(records(f"{tmp_path}/")) == ["a.json", "b.yaml"]
    assert names(records(tmp_path / "**")) == ["a.json", "b.yaml", "d.yaml"]
    assert names(records(tmp_path / "**" / "*.yaml")) == ["b.yaml", "d.yaml"]
    assert names(records(tmp_path / "[ab].*")) == ["a.json", "b.yaml"]
    (line,) = messages(records(tmp_path / "*.txt"))
    assert line.startswith("readme.txt: unknown kind of file; the known endings are .yaml, .yml, .json, .md")


def test_a_folder_or_pattern_without_tools_says_so(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert (
        "folder: holds no tool file; the known endings are .yaml" in messages(records(tmp_path / "folder"))[0]
    )
    assert "*.csv: holds no tool file" in messages(records(tmp_path / "*.csv"))[0]
    (tmp_path / "[a].yaml").write_text("name: A\ndescription: x\n")
    assert names(records(tmp_path / "[a].yaml")) == ["A"]
    assert messages(records(tmp_path / "[a].yaml", tmp_path)) == ["[a].yaml: is named twice; name it once"]


def test_a_name_that_cannot_be_a_path_is_one_line(tmp_path: Path) -> None:
    assert messages(records(tmp_path / ("x" * 300)))[0].endswith(": the file name is too long")
    assert messages(records(tmp_path / "a\0b.yaml"))[0].endswith(": no such file")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that fails when read is Linux's")
def test_a_file_that_fails_while_it_is_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").symlink_to("/proc/self/mem")
    (record,) = records(tmp_path / "t.jsonl")
    assert str(record.problems[0]).endswith("t.jsonl: cannot be read: Input/output error")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"name": "A", "description": "x"}\n{"name": "B", "description": "x"}\n', ["A", "B"]),
        ('\ufeff\n{"name": "A", "description": "x"}\n\n{"name": \n', ["A", None]),
        ('{"name": "A", "descr\n{"name": "B", "description": "x"}\n', [None, "B"]),
        ('{"name": "A",\n "description": "x"}\n', ["A"]),
        ('{"tools": [\n{"name": "A", "description": "x"}]}\n', ["A"]),
        ('{"name": "A", "description": "x"}', ["A"]),
        ('[{"name": "A", "description": "x"},\n{"name": "B", "description": "x"}]', ["A", "B"]),
        ("- name: A\n  description: x\n", ["A"]),
        ("---\nname: A\n---\nx\n", ["A"]),
    ],
)
def test_the_format_of_standard_input_is_recognised_by_its_first_lines(
    text: str, expected: list[str | None]
) -> None:
    assert names(records("-", stdin=text.encode())) == expected


class Endless(io.RawIOBase):
    """Standard input of a given number of lines that exist nowhere at once."""

    def __init__(self, count: int) -> None:
        self._lines = (
            f'{{"name": "Tool {n}", "description": "{"x" * 200}"}}\n'.encode() for n in range(count)
        )
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the stub wants any buffer
        while not self._rest:
            line = next(self._lines, None)
            if line is None:
                return 0
            self._rest = line
        part, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


def peak_of(found: Iterator[Record]) -> tuple[int, int]:
    """Return the number of records and the peak memory in bytes."""
    tracemalloc.start()
    count = sum(1 for _ in found)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return count, peak


def test_memory_does_not_grow_with_the_number_of_tools(tmp_path: Path) -> None:
    line = json.dumps({"name": "A", "description": "x" * 200})
    peaks = []
    for count in (500, 2_000):
        path = tmp_path / f"{count}.jsonl"
        path.write_text(f"{line}\n" * count)
        found, peak = peak_of(read_records([str(path)]))
        assert found == count
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 100_000
    stdin = io.BufferedReader(Endless(21_000))
    assert sum(1 for _ in read_records(["-"], stdin=stdin)) == 21_000
