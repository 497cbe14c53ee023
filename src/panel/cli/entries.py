"""What commands are given: tools to review, and reviews that are stored."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from panel.errors import InputError, Problem
from panel.loaders.files import read_text, source_of
from panel.loaders.tools import load_all
from panel.report import is_report, read_review

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panel.domain.review import PanelReview
    from panel.domain.tool import Tool
    from panel.loaders.files import Source

REPORTS = "*.json"


def load_entries(arguments: Sequence[str]) -> list[Tool | PanelReview]:
    """Return the tools and reviews that the arguments name, in their order; a folder stands for the reviews in it.

    Raises:
        InputError: every problem of every source.
    """
    entries: list[Tool | PanelReview] = []
    problems: list[Problem] = []
    sources = [source for argument in arguments for source in _expanded(source_of(argument))]
    for stored, group in groupby(sources, key=_is_stored):
        try:
            entries += map(_review, group) if stored else load_all(group)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return entries


def _expanded(source: Source) -> Iterator[Source]:
    if not isinstance(source, Path) or not source.is_dir():
        yield source
        return
    reports = sorted(source.glob(REPORTS))
    if not reports:
        raise InputError([Problem(str(source), "holds no stored reviews (*.json)")])
    yield from reports


def _is_stored(source: Source) -> bool:
    return isinstance(source, Path) and source.suffix == ".json" and source.is_file() and is_report(source.read_bytes())


def _review(source: Source) -> PanelReview:
    return read_review(read_text(source, (".json",)), str(source))
