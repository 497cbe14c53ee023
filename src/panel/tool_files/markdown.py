"""Markdown with YAML front matter: fields between two lines `---`, and a text below them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from panel.errors import InputError, Problem
from panel.tool_files.documents import DocumentProblem, Position, input_error
from panel.tool_files.yaml_text import parse_yaml

if TYPE_CHECKING:
    from panel.tool_files.documents import Document

FENCE = "---"

_BODY_FIELD = "description"
_MISSING = (
    "is missing; start the file with front matter: a line ---, fields such as name: Lantern, a line ---"
)
_UNCLOSED = "front matter is not closed; put a line --- below its fields"
_NO_FIELDS = "front matter must hold fields, such as name: Lantern"
_TWICE = "is given twice: in the front matter and as the text below it"


@dataclass(frozen=True, slots=True)
class MarkdownFile:
    """Front matter, which is a mapping, the text below it, and the line on which that text starts."""

    front: Document
    body: str
    body_line: int


def parse_front_matter(text: str, source: str) -> MarkdownFile:
    """Return the parts of a Markdown file.

    Raises:
        InputError: there is no front matter, or it is not valid.
    """
    lines = text.split("\n")
    if not has_front_matter(text):
        raise InputError([Problem(source, _MISSING, 1, "name")])
    end = next((number for number, line in enumerate(lines) if number and line.rstrip() == FENCE), None)
    if end is None:
        raise input_error(source, _UNCLOSED, 1)
    documents = parse_yaml("\n".join(["", *lines[1:end]]), source)
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise input_error(source, _NO_FIELDS, 1)
    body = "\n".join(lines[end + 1 :])
    return MarkdownFile(documents[0], body, end + 2 + len(body) - len(body.lstrip("\n")))


def has_front_matter(text: str) -> bool:
    """Return whether a text starts with the line that opens front matter."""
    return text.split("\n", 1)[0].rstrip() == FENCE


def parse_markdown(text: str, source: str) -> list[Document]:
    """Return the front matter of a tool file, with the text below it as the description.

    Raises:
        InputError: as `parse_front_matter` raises it.
    """
    file = parse_front_matter(text, source)
    front = file.front
    if not file.body.strip():
        return [front]
    if _BODY_FIELD in front.value:
        problem = DocumentProblem((_BODY_FIELD,), file.body_line, _TWICE)
        return [replace(front, problems=(*front.problems, problem))]
    positions = {**front.positions, (_BODY_FIELD,): Position(file.body_line)}
    return [replace(front, value={**front.value, _BODY_FIELD: file.body}, positions=positions)]
