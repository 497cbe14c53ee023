"""The kinds of text that are read as a whole, by ending or by how they begin."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from panel.core.tool import Tool
from panel.tool_files.documents import Document, Fault, Position
from panel.tool_files.front_matter import FENCE, has_fence, parse_front_matter
from panel.tool_files.json_text import parse_json
from panel.tool_files.records import LIST_KEY
from panel.tool_files.yaml_text import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Callable

    Parser = Callable[[str, str], list[Document]]

_BODY = "description"
_FIELD_LINE = re.compile(rf"(- +)?[\"']?({'|'.join(Tool.model_fields)}|{LIST_KEY})[\"']?\s*:")


def parser_of(text: str) -> Parser:
    """Return the parser for a text that comes without a file name."""
    if text.lstrip()[:1] in {"{", "["}:
        return _parse_json
    below = re.split(rf"^{FENCE}[ \t]*$", text, maxsplit=2, flags=re.MULTILINE)[2:] if has_fence(text) else []
    is_page = bool(below) and below[0].strip() and not _FIELD_LINE.match(below[0].lstrip())
    return _parse_markdown if is_page else parse_yaml


def _parse_json(text: str, source: str) -> list[Document]:
    return [parse_json(text, source)]


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
    marks = {**front.marks, (_BODY,): Position(page.body_line)}
    return [replace(front, value={**front.value, _BODY: page.body}, marks=marks)]


PARSERS: dict[str, Parser] = {
    ".yaml": parse_yaml,
    ".yml": parse_yaml,
    ".json": _parse_json,
    ".md": _parse_markdown,
    ".markdown": _parse_markdown,
}
