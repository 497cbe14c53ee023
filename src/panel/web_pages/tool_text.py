"""A tool as the text of a YAML file, for an editor to correct: it loads again to the same tool."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from panel.core.text import one_line, slugify

if TYPE_CHECKING:
    from collections.abc import Iterable

    from panel.core.tool import Tool

_UNBROKEN = 2**30  # columns: a quoted text stays on its line


def tool_text(tool: Tool, comments: Iterable[str] = ()) -> str:
    """Return the YAML text of a tool: the fields that were given, the description as a block.

    Args:
        tool: the tool; its slug is left out where the name makes it.
        comments: lines that stand above it.
    """
    fields = tool.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    if tool.slug == slugify(tool.name):
        fields.pop("slug", None)
    # With its line feed at the end, the block needs no sign for how it ends.
    description = LiteralScalarString(fields.pop("description") + "\n")
    text = io.StringIO()
    _writer().dump(
        {**{key: _quoted(value) for key, value in fields.items()}, "description": description}, text
    )
    return "".join([*(f"# {one_line(line)}".rstrip() + "\n" for line in comments), text.getvalue()])


def _writer() -> YAML:
    writer = YAML(typ="rt", pure=True)
    writer.width = _UNBROKEN
    return writer


def _quoted(value: Any) -> Any:  # noqa: ANN401 - any plain value
    """Return a value with all texts in it in quotes: no reader takes them for anything else, whatever they say."""
    if isinstance(value, dict):
        return {key: _quoted(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_quoted(part) for part in value]
    return DoubleQuotedScalarString(value)
