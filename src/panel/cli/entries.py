"""What `panel compare` is given: tools to review, and reviews that are stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from panel.errors import InputError, Problem
from panel.loaders.tools import STDIN, load_all
from panel.report import REVIEW_KIND, read_review

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panel.domain.review import PanelReview
    from panel.domain.tool import Tool


def load_entries(sources: Sequence[str]) -> list[Tool | PanelReview]:
    """Return a tool or a review for each source, in the order given; a folder stands for the reviews in it.

    Raises:
        InputError: every problem of every source.
    """
    paths = [path for source in sources for path in _expanded(source)]
    reviews, problems = _reviews(paths)
    try:
        tools = iter(load_all([path for path in paths if path not in reviews])) if len(reviews) < len(paths) else iter(())
    except InputError as error:
        raise InputError([*problems, *error.problems]) from error
    if problems:
        raise InputError(problems)
    return _in_order(paths, reviews, tools)
