"""What commands are given: tools to review, and reviews that are stored."""

from __future__ import annotations

import json
import os
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from panel.errors import InputError, Problem
from panel.report import StoredReview, read_review
from panel.tool_files.files import read_text, source_of
from panel.tool_files.reading import collect_tools
from panel.web_pages.sources import read_sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from panel.core.tool import Tool
    from panel.tool_files.files import Source
    from panel.tool_files.records import Record

REPORTS = "*.json"


def load_entries(
    arguments: Sequence[str], check: Callable[[Iterable[Record]], Iterable[Record]] = iter
) -> list[Tool | StoredReview]:
    """Return the tools and reviews that the arguments name, in their order; a folder stands for the reviews in it.

    Args:
        arguments: files, folders of reviews, or `-`.
        check: checks or replaces the records of tool files before their tools are taken.

    Raises:
        InputError: every problem of every source.
    """
    entries: list[Tool | StoredReview] = []
    problems: list[Problem] = []
    sources = [source for argument in arguments for source in _expanded(source_of(argument))]
    for stored, group in groupby(sources, key=_is_stored):
        members = list(group)
        try:
            entries += _reviews(members) if stored else collect_tools(check(read_sources(members)))
        except InputError as error:
            problems += error.problems
    problems += _repeats(entries)
    if problems:
        raise InputError(problems)
    return entries


def _repeats(entries: Sequence[Tool | StoredReview]) -> Iterator[Problem]:
    names: set[str] = set()
    slugs: set[str] = set()
    for entry in entries:
        tool = entry.review.tool if isinstance(entry, StoredReview) else entry
        if tool.canonical in names:
            yield Problem(tool.name, "is given twice, as a tool or a stored review; give it once")
        elif tool.slug in slugs:
            yield Problem(
                tool.name,
                f"shares the slug {tool.slug} with another tool; give one of them its own",
                field="slug",
            )
        names.add(tool.canonical)
        slugs.add(tool.slug)


def _expanded(source: Source) -> Iterator[Source]:
    if not isinstance(source, Path) or not os.path.isdir(source):  # noqa: PTH112 - never raises
        yield source
        return
    reports = sorted(source.glob(REPORTS))
    if not reports:
        raise InputError([Problem(str(source), "holds no stored reviews (*.json)")])
    yield from reports


def _is_stored(source: Source) -> bool:
    """Whether a file says what kind of report it is; a tool file cannot, because it may hold no such field."""
    if not isinstance(source, Path) or source.suffix.lower() != ".json":
        return False
    try:
        if not source.is_file():
            return False
        document = json.loads(source.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(document, dict) and "kind" in document


def _reviews(sources: Iterable[Source]) -> list[StoredReview]:
    return [read_review(read_text(source, (".json",)), str(source)) for source in sources]
