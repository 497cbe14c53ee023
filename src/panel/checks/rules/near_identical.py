"""Takes that share much of their wording with an earlier take of the panel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panel.checks.inputs import PanelTakes
from panel.checks.matching import plain
from panel.checks.registry import Hit, Hits, input_check
from panel.core.finding import Where

if TYPE_CHECKING:
    from panel.checks.matching import Place

    Runs = list[tuple[tuple[str, str, str], Place]]

# Highest share of common runs of three words that two takes may have, as a Jaccard index. A changed word alters the three runs that it is in:
# a copy in which every fifth word was changed keeps 0.8^3 = 51% of its runs, which is an index of 0.51 / 1.49 = 0.34. Takes that were written
# independently share names and a few phrases of the listing; the takes under `fixtures` stay below 0.12.
_HIGHEST_SHARE = 0.3

_WORD = re.compile(r"\w+(?:'\w+)?")
# One or two words of a further sentence.
_BEGUN = re.compile(r"(?<=[.!?])\s+\S+(?:\s+\S+)?$")


def _runs(text: str) -> Runs:
    """Return the runs of three words of a text with their places, in order."""
    words = list(_WORD.finditer(plain(text)))
    return [
        ((first[0].casefold(), second[0].casefold(), third[0].casefold()), (first.start(), third.end()))
        for first, second, third in zip(words, words[1:], words[2:], strict=False)
    ]


def _longest_passage(runs: Runs, shared: set[tuple[str, str, str]]) -> Place:
    longest, opened = (0, 0), None
    for run, (start, end) in runs:
        if run not in shared:
            opened = None
            continue
        opened = start if opened is None else opened
        longest = max(longest, (opened, end), key=lambda place: place[1] - place[0])
    return longest


@input_check(
    PanelTakes,
    "near_identical",
    "Near-identical takes",
    "The take shares {share:.0%} of its wording with that of the {name}: rewrite one of them.",
)
def _find(subject: PanelTakes) -> Hits:
    all_runs = [_runs(take.take) for _, take in subject.given]
    for index, (seat, take) in enumerate(subject.given):
        runs = all_runs[index]
        own = {run for run, _ in runs}
        for (earlier, _), others in zip(subject.given[:index], all_runs, strict=False):
            theirs = {run for run, _ in others}
            shared = own & theirs
            share = len(shared) / (len(own | theirs) or 1)
            if share > _HIGHEST_SHARE:
                start, end = _longest_passage(runs, shared)
                # Without the first words of a sentence that goes on differently.
                begun = _BEGUN.search(take.take, start, end)
                place = (start, begun.start() if begun else end)
                where = Where(persona=seat.persona, field="take")
                values = {"share": share, "name": earlier.name}
                yield Hit(where, take.take[slice(*place)], place, values=values)
