"""Tool files: every way in, from bytes to clean and distinct tools.

A file holds one tool, a list of tools, or a mapping with the one key `tools`; a YAML file may hold several
documents. A Markdown file holds one tool: front matter, and the description below it.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from panel.domain.text import canonical, hashed_slug, one_line
from panel.domain.tool import NOT_TEXT, Fact, Tool
from panel.errors import InputError, Problem
from panel.loaders.documents import SHOWN_CHARS, Document, Fault, Mark, dotted, shown_key
from panel.loaders.files import read_text, shown
from panel.loaders.front_matter import FENCE, has_fence, parse_front_matter
from panel.loaders.json_text import parse_json
from panel.loaders.yaml_text import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import BinaryIO

    from pydantic_core import ErrorDetails

    from panel.loaders.documents import Path as ValuePath
    from panel.loaders.files import Source

    Parser = Callable[[str, str], list[Document]]

_LIST_KEY = "tools"
_BODY = "description"
_NOT_A_TOOL = "expected a tool, that is fields such as name and description"
_NOT_A_FACT = "expected the fields claim, source and checked_on"
_MISSING = {
    "name": "is missing; say what the tool is called",
    "description": "is missing; say what the tool does",
}
_FIELD_LINE = re.compile(rf"(- +)?[\"']?({'|'.join(Tool.model_fields)}|{_LIST_KEY})[\"']?\s*:")


@dataclass(frozen=True, slots=True)
class _Record:
    """The part of a document that should be one tool; `item` counts from 1 where a file holds several."""

    source: str
    document: Document
    path: ValuePath
    item: int | None

    @property
    def value(self) -> Any:  # noqa: ANN401 - any plain value
        value = self.document.value
        for key in self.path:
            value = value[key]
        return value

    @property
    def place(self) -> str:
        line = self.document.line_of(self.path)
        return self.source if line is None else f"{self.source}, line {line}"

    def problem(self, field: ValuePath, message: str) -> Problem:
        line = self.document.line_of(self.path + field)
        return Problem(self.source, message, line, dotted(field), self.item)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A tool and the record that it was made of."""

    tool: Tool
    record: _Record


def load_tools(source: Source, stdin: BinaryIO | None = None) -> tuple[Tool, ...]:
    """Return the tools of one file.

    Args:
        source: path of the file, or `-` for standard input.
        stdin: what stands for standard input; by default that of the process.

    Raises:
        InputError: listing everything that is wrong with the file.
    """
    return tuple(load_all([source], stdin))


def load_all(sources: Iterable[Source], stdin: BinaryIO | None = None) -> list[Tool]:
    """Return the tools of several files, in order: no tool twice, and no slug twice.

    Args:
        sources: paths of the files, or `-` for standard input.
        stdin: what stands for standard input; by default that of the process.

    Raises:
        InputError: listing everything that is wrong with any of the files.
    """
    loaded: list[_Loaded] = []
    problems: list[Problem] = []
    seen: set[Source] = set()
    for source in sources:
        place = source.absolute() if isinstance(source, Path) else source
        if place in seen:
            problems.append(Problem(shown(source), "is named twice; name it once"))
        else:
            problems += _load(source, stdin, loaded)
        seen.add(place)
    problems += _duplicates(loaded)
    if problems:
        raise InputError(problems)
    return _with_distinct_slugs(entry.tool for entry in loaded)


def _load(source: Source, stdin: BinaryIO | None, loaded: list[_Loaded]) -> list[Problem]:
    name = shown(source)
    try:
        documents = _documents(source, name, stdin)
    except InputError as error:
        return list(error.problems)
    records = _records(name, documents)
    problems = [] if records else [Problem(name, "holds no tool")]
    for record in records:
        outcome = _tool(record)
        if isinstance(outcome, Tool):
            loaded.append(_Loaded(outcome, record))
        else:
            problems += outcome
    return [
        *_form_problems(name, documents, records),
        *sorted(problems, key=lambda problem: problem.line or 0),
    ]


def _documents(source: Source, name: str, stdin: BinaryIO | None) -> list[Document]:
    text = read_text(source, _PARSERS, stdin)
    parse = _PARSERS[source.suffix.lower()] if isinstance(source, Path) else _parser_of(text)
    return parse(text, name)


def _records(name: str, documents: list[Document]) -> list[_Record]:
    parts = [(document, path) for document in documents for path in _paths(document)]
    several = len(parts) > 1
    return [
        _Record(name, document, path, item if several else None)
        for item, (document, path) in enumerate(parts, start=1)
    ]


def _paths(document: Document) -> list[ValuePath]:
    value: Any = document.value
    root: ValuePath = ()
    if _is_listing(value):
        value, root = value[_LIST_KEY], (_LIST_KEY,)
    return [(*root, index) for index in range(len(value))] if isinstance(value, list) else [root]


def _is_listing(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get(_LIST_KEY), list) and "name" not in value


def _form_problems(name: str, documents: list[Document], records: list[_Record]) -> list[Problem]:
    """Report what is wrong with the files' form, each with the tool that it belongs to, if any."""
    owners = {(id(record.document), record.path): record for record in records}
    problems = []
    for document in documents:
        for fault in [*document.faults, *_beside_the_list(document)]:
            starts = (fault.path[:length] for length in range(len(fault.path) + 1))
            owner = next((owners[key] for start in starts if (key := (id(document), start)) in owners), None)
            field = fault.path[len(owner.path) :] if owner else fault.path
            problems.append(
                Problem(name, fault.message, fault.line, dotted(field), owner.item if owner else None)
            )
    return problems


def _beside_the_list(document: Document) -> list[Fault]:
    if not _is_listing(document.value):
        return []
    extra = [key for key in document.value if key != _LIST_KEY]
    return [
        Fault(
            (key,), document.line_of((key,)) or 1, f"unknown field {shown_key(key)} beside the list of tools"
        )
        for key in extra
    ]


def _tool(record: _Record) -> Tool | list[Problem]:
    value = record.value
    if not isinstance(value, dict):
        return [] if record.document.is_faulty(record.path) else [record.problem((), _NOT_A_TOOL)]
    try:
        return Tool.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        return [_problem(record, detail) for detail in details if _is_news(record, detail)]


def _is_news(record: _Record, detail: ErrorDetails) -> bool:
    # The slug is made from the name, so a bad name is reported for both; a fault is reported by its document.
    made = detail["type"] == "default_factory_not_called"
    return not made and not record.document.is_faulty(record.path + detail["loc"])


def _problem(record: _Record, detail: ErrorDetails) -> Problem:
    field, kind = detail["loc"], detail["type"]
    spelling = record.document.spelling_of(record.path + field)
    if kind == "extra_forbidden":
        message = _unknown(field)
    elif kind == "missing":
        message = _MISSING.get(str(field[-1]), "is missing")
    elif kind == "value_error":
        message = str(detail["ctx"]["error"])
    elif kind == NOT_TEXT and spelling:
        message = f"{detail['msg']} (`{one_line(spelling)}`); put quotes around it"
    else:
        message = _NOT_A_FACT if kind == "model_type" else detail["msg"]
    return record.problem(field, message)


def _unknown(field: ValuePath) -> str:
    known = tuple((Tool if len(field) == 1 else Fact).model_fields)
    key = str(field[-1])
    close = difflib.get_close_matches(key[:SHOWN_CHARS], known, n=1)
    advice = f"did you mean {close[0]}?" if close else f"the fields are {', '.join(known)}"
    return f"unknown field {shown_key(key)}; {advice}"


def _duplicates(loaded: list[_Loaded]) -> list[Problem]:
    """Report each tool that shares its name or an alias with an earlier one."""
    first: dict[str, _Record] = {}
    problems = []
    for entry in loaded:
        fields = {canonical(alias): "aliases" for alias in entry.tool.aliases} | {
            entry.tool.canonical: "name"
        }
        same = next((name for name in reversed(fields) if name in first), None)
        if same is not None:
            message = f"is the same tool as in {first[same].place}; remove one of them"
            problems.append(entry.record.problem((fields[same],), message))
        for name in fields:
            first.setdefault(name, entry.record)
    return problems


def _with_distinct_slugs(tools: Iterable[Tool]) -> list[Tool]:
    taken: set[str] = set()
    distinct = []
    for tool in tools:
        slug = tool.slug
        while slug in taken:
            slug = hashed_slug(slug, tool.name)
        taken.add(slug)
        distinct.append(tool if slug == tool.slug else tool.model_copy(update={"slug": slug}))
    return distinct


def _parse_markdown(text: str, source: str) -> list[Document]:
    page = parse_front_matter(text, source)
    front = page.front
    if not page.body.strip():
        return [front]
    if _BODY in front.value:
        fault = Fault(
            (_BODY,), page.body_line, "is given twice: in the front matter and as the text below it"
        )
        return [replace(front, faults=(*front.faults, fault))]
    marks = {**front.marks, (_BODY,): Mark(page.body_line)}
    return [replace(front, value={**front.value, _BODY: page.body}, marks=marks)]


def _one_json(text: str, source: str) -> list[Document]:
    return [parse_json(text, source)]


def _parser_of(text: str) -> Parser:
    """Return the parser for a text that comes without a file name."""
    if text.lstrip()[:1] in {"{", "["}:
        return _one_json
    below = re.split(rf"^{FENCE}[ \t]*$", text, maxsplit=2, flags=re.MULTILINE)[2:] if has_fence(text) else []
    is_page = bool(below) and below[0].strip() and not _FIELD_LINE.match(below[0].lstrip())
    return _parse_markdown if is_page else parse_yaml


_PARSERS: dict[str, Parser] = {
    ".yaml": parse_yaml,
    ".yml": parse_yaml,
    ".json": _one_json,
    ".md": _parse_markdown,
    ".markdown": _parse_markdown,
}
