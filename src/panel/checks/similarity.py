"""How much two takes have in common, word for word."""

from __future__ import annotations

import re
from typing import NamedTuple

HIGHEST_LIKENESS = 0.3
"""Runs of three words shared, among those of either take, above which two takes are near-identical.

A word that is changed alters the three runs that it is in: a copy in which every fifth word was changed keeps
0.8^3 = 51% of its runs, which is a likeness of 0.51 / 1.49 = 0.34. Takes that were written apart share names and a few
phrases of the listing; the seeds under `fixtures/replies` and the takes under `fixtures/checks` stay below 0.12.
"""

_WORD = re.compile(r"\w+(?:'\w+)?")
_BEGUN = re.compile(r"(?<=[.!?])\s+\S+(?:\s+\S+)?$")
"""One or two words of a further sentence."""


class Likeness(NamedTuple):
    """What two texts share.

    Attributes:
        share: Jaccard index of their runs of three words, from 0 to 1.
        start: where the longest passage of the second that is in the first begins.
        end: where it ends.
    """

    share: float
    start: int
    end: int


Run = tuple[tuple[str, str, str], int, int]
"""Three words, and the place of all of them."""


def likeness(first: list[Run], second: list[Run]) -> Likeness:
    """Return how alike two texts are, of which `runs_of` was taken."""
    known, theirs = {run for run, _, _ in first}, {run for run, _, _ in second}
    shared = len(known & theirs)
    share = shared / (len(known) + len(theirs) - shared) if shared else 0.0
    return Likeness(share, *(_longest(second, known) if shared else (0, 0)))


def runs_of(text: str) -> list[Run]:
    """Return the runs of three words of a plain text, in order."""
    found = list(_WORD.finditer(text))
    words = [word[0].casefold() for word in found]
    threes = zip(words, words[1:], words[2:], strict=False)
    return [
        (three, first.start(), last.end())
        for three, first, last in zip(threes, found, found[2:], strict=False)
    ]


def passage(text: str, alike: Likeness) -> tuple[int, int]:
    """Return where the longest passage that is in both begins and ends, without the first words of a sentence that goes on otherwise."""
    begun = _BEGUN.search(text, alike.start, alike.end)
    return alike.start, begun.start() if begun else alike.end


def _longest(runs: list[Run], known: set[tuple[str, str, str]]) -> tuple[int, int]:
    best = start = end = 0
    opened: int | None = None
    for run, begins, ends in runs:
        if run not in known:
            opened = None
            continue
        opened = begins if opened is None else opened
        if ends - opened > best:
            best, start, end = ends - opened, opened, ends
    return start, end
