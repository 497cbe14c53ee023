"""Takes that all agree at one end of the scale."""

from __future__ import annotations

from panel.checks.registry import Hit, Hits, SubjectCheck
from panel.checks.subjects import PanelTakes
from panel.core.finding import Where
from panel.core.take import Verdict

_LOWEST_SHIP = 85
_HIGHEST_SKIP = 15


def _find(subject: PanelTakes) -> Hits:
    takes = [take for _, take in subject.given]
    ships = all(take.verdict is Verdict.SHIP and take.score >= _LOWEST_SHIP for take in takes)
    skips = all(take.verdict is Verdict.SKIP and take.score <= _HIGHEST_SKIP for take in takes)
    if len(takes) > 1 and (ships or skips):
        yield Hit(Where(persona=None, field="scores"), ", ".join(take.label for take in takes))


CHECK = SubjectCheck(
    kind="unanimous",
    label="Unanimous at the end of the scale",
    message="All takes agree at one end of the scale: check that each was reached independently.",
    reads=PanelTakes,
    find=_find,
)
