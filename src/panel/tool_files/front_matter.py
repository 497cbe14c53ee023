"""Markdown with YAML front matter: fields between two lines `---`, and a text below them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from panel.errors import InputError, Problem
from panel.tool_files.documents import malformed
from panel.tool_files.yaml_text import parse_yaml

if TYPE_CHECKING:
    from panel.tool_files.documents import Document

FENCE = "---"

_ABSENT = "is missing; start the file with front matter: a line ---, fields such as name: Lantern, a line ---"
_OPEN = "front matter is not closed; put a line --- below its fields"
_SHAPE = "front matter must hold fields, such as name: Lantern"


@dataclass(frozen=True, slots=True)
class Page:
    """A Markdown file: its front matter, the text below, and the line on which that text starts."""

    front: Document
    body: str
    body_line: int


def parse_front_matter(text: str, source: str) -> Page:
    """Return the parts of a Markdown file; the front matter is a mapping.

    Args:
        text: the text of a whole file.
        source: what messages call it.

    Raises:
        InputError: if there is no front matter, or it cannot be read.
    """
    lines = text.split("\n")
    if not has_fence(text):
        raise InputError([Problem(source, _ABSENT, 1, "name")])
    end = next((i for i, line in enumerate(lines) if i and line.rstrip() == FENCE), None)
    if end is None:
        raise malformed(source, 1, _OPEN)
    documents = parse_yaml("\n".join(["", *lines[1:end]]), source)
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise malformed(source, 1, _SHAPE)
    body = "\n".join(lines[end + 1 :])
    return Page(documents[0], body, end + 2 + len(body) - len(body.lstrip("\n")))


def has_fence(text: str) -> bool:
    """Whether a text starts like one with front matter."""
    return text.split("\n", 1)[0].rstrip() == FENCE
