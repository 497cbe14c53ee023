"""Takes that share much of their wording with an earlier take of the panel."""

from __future__ import annotations

import re
from typing import NamedTuple

from panel.checks.registry import Hit, Hits, SubjectCheck
from panel.checks.subjects import PanelTakes
from panel.checks.texts import plain
from panel.core.finding import Where

# Highest share of common runs of three words that two takes may have, as a Jaccard index. A changed word alters the three runs that it is in:
# a copy in which every fifth word was changed keeps 0.8^3 = 51% of its runs, which is an index of 0.51 / 1.49 = 0.34. Takes that were written
# independently share names and a few phrases of the listing; the takes under `fixtures` stay below 0.12.
_HIGHEST_SHARE = 0.3

_WORD = re.compile(r"\w+(?:'\w+)?")
# One or two words of a further sentence.
_BEGUN = re.compile(r"(?<=[.!?])\s+\S+(?:\s+\S+)?$")


class Similarity(NamedTuple):
    """Share of common runs of three words, and the longest passage of the second text that is in the first."""

    share: float
    start: int
    end: int


Run = tuple[tuple[str, str, str], int, int]
"""Three words and their place."""


def similarity(first: list[Run], second: list[Run]) -> Similarity:
    """Return the similarity of two texts, given their `runs_of`."""
    known, theirs = {run for run, _, _ in first}, {run for run, _, _ in second}
    shared = len(known & theirs)
    share = shared / (len(known) + len(theirs) - shared) if shared else 0.0
    return Similarity(share, *(_longest(second, known) if shared else (0, 0)))


def runs_of(text: str) -> list[Run]:
    """Return the runs of three words of a plain text, in order."""
    found = list(_WORD.finditer(text))
    words = [word[0].casefold() for word in found]
    threes = zip(words, words[1:], words[2:], strict=False)
    return [
        (three, first.start(), last.end())
        for three, first, last in zip(threes, found, found[2:], strict=False)
    ]


def _passage(text: str, alike: Similarity) -> tuple[int, int]:
    """Return the place of the longest common passage, without the first words of a sentence that goes on differently."""
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


def _find(subject: PanelTakes) -> Hits:
    texts = [take.take for _, take in subject.given]
    runs = [runs_of(plain(text)) for text in texts]
    for index, (seat, _) in enumerate(subject.given):
        for (earlier, _), others in zip(subject.given[:index], runs, strict=False):
            alike = similarity(others, runs[index])
            if alike.share > _HIGHEST_SHARE:
                start, end = _passage(texts[index], alike)
                where = Where(persona=seat.persona, field="take")
                values = {"share": alike.share, "name": earlier.name}
                yield Hit(where, texts[index][start:end], (start, end), values=values)


CHECK = SubjectCheck(
    kind="near_identical",
    label="Near-identical takes",
    message="The take shares {share:.0%} of its wording with that of the {name}: rewrite one of them.",
    reads=PanelTakes,
    find=_find,
)
