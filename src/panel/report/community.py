"""What readers make of a tool, in the words of pages."""

from __future__ import annotations

from typing import NamedTuple

from panel.core.comparison import NO_VOTES


class Community(NamedTuple):
    """What readers make of a tool.

    Attributes:
        line: as pages print it: `7 votes · 5 ship / 2 skip`.
        slug: of the tool, by which a page asks for later votes; empty where nobody can vote.
    """

    line: str
    slug: str = ""


NO_COMMUNITY = Community(NO_VOTES)
