"""Who sits on a panel."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from panel.core.base import Frozen, digest_of
from panel.core.prompt import Calibration, Openers

ANCHORS = (20, 40, 60, 80, 95)

Line = Annotated[str, Field(min_length=1, max_length=300)]
Lines = Annotated[tuple[Line, ...], Field(min_length=1)]


class PersonaScaffold(Frozen):
    """Help for weak models in a persona's own terms; `{name}` and `{category}` stand for the tool's.

    The probes and openers of `panel.core.prompt.Scaffold`, before the tool is known.

    Attributes:
        probe: start of an answer about the whole listing, whose next word tells the judgement.
        favourable: next words that speak for the tool, each with its leading space.
        unfavourable: next words that speak against it.
        strong: words for a sentence that speaks for the tool, each with its leading space; if there are none, the favourable ones.
        weak: words for a sentence that speaks against it; if there are none, the unfavourable ones.
        openers: first words of each sentence of a take.
    """

    probe: Line
    favourable: Lines
    unfavourable: Lines
    strong: tuple[Line, ...] = ()
    weak: tuple[Line, ...] = ()
    openers: Openers


class Persona(Frozen):
    """A critic: data that is shown to a model, never a template.

    Attributes:
        id: file name without its ending; how rosters and recordings name the critic.
        name: what pages call the critic.
        motto: the critic's stance in one line.
        lens: the questions that every take must answer.
        remit: what the critic does not judge, and so when it recuses itself.
        excited_by: what earns points.
        tired_of: what loses them.
        never_says: phrases that must not stand in a take.
        scoring: what a score of 20, 40, 60, 80 and 95 means.
        body: the instructions, in the second person.
        scaffold: help for weak models, or None.
        calibration: figures for a weak model, measured by `bench/calibrate.py`, or None.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    name: Annotated[str, Field(min_length=1, max_length=40)]
    motto: Line
    lens: Lines
    remit: Annotated[str, Field(min_length=1, max_length=600)]
    excited_by: Lines
    tired_of: Lines
    never_says: Lines
    scoring: dict[int, Line]
    body: Annotated[str, Field(min_length=1, max_length=8_000)]
    scaffold: PersonaScaffold | None = None
    calibration: Calibration | None = None

    @field_validator("scoring")
    @classmethod
    def _has_all_anchors(cls, scoring: dict[int, str]) -> dict[int, str]:
        if tuple(sorted(scoring)) != ANCHORS:
            raise ValueError(f"must have exactly the anchors {', '.join(map(str, ANCHORS))}")
        return scoring

    @property
    def digest(self) -> str:
        """The sha256 of all that decides how the persona judges."""
        return digest_of(self.model_dump(mode="json"))
