"""Tool files as a few reviews or a comparison need them: all of the tools, or everything that is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.errors import InputError
from panel.tool_files.duplicates import Names, Slugs
from panel.tool_files.reading import read_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import BinaryIO

    from panel.core.tool import Tool
    from panel.errors import Problem
    from panel.tool_files.columns import Columns
    from panel.tool_files.files import Source
    from panel.tool_files.records import Record


def load_tools(source: Source, stdin: BinaryIO | None = None) -> tuple[Tool, ...]:
    """Return the tools of one file.

    Args:
        source: path of the file, or `-` for standard input.
        stdin: what stands for standard input; by default that of the process.

    Raises:
        InputError: listing everything that is wrong with the file.
    """
    return tuple(load_all([source], stdin))


def load_all(
    sources: Iterable[Source],
    stdin: BinaryIO | None = None,
    columns: Columns | None = None,
    look: Callable[[Iterable[Record]], Iterable[Record]] = iter,
) -> list[Tool]:
    """Return the tools of several files, in order: no tool twice, and no slug twice.

    Args:
        sources: paths of the files, or `-` for standard input.
        stdin: what stands for standard input; by default that of the process.
        columns: which columns of tables hold which fields; by default those of the same name.
        look: has somebody look at what comes from pages, and returns what is left.

    Raises:
        InputError: listing everything that is wrong with any of the files.
    """
    names, slugs = Names(), Slugs()
    tools: list[Tool] = []
    problems: list[Problem] = []
    duplicates: list[Problem] = []
    for record in look(read_each(sources, columns, stdin)):
        problems += record.problems
        if record.tool:
            tools.append(slugs.distinct(record.tool))
            duplicates += _duplicate(record, record.tool, names)
    if problems or duplicates:
        raise InputError([*problems, *duplicates])
    return tools


def _duplicate(record: Record, tool: Tool, names: Names) -> list[Problem]:
    twin = names.find(tool)
    names.take(tool, twin.place if twin else record.place)
    if twin is None:
        return []
    return [record.problem(twin.field, f"is the same tool as in {twin.place}; remove one of them")]
