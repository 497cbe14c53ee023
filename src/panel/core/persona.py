"""Personas: the critics of a panel."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from panel.core.frozen import Frozen, digest_of
from panel.core.prompt import Calibration, Openers

ANCHORS = (20, 40, 60, 80, 95)

_Line = Annotated[str, Field(min_length=1, max_length=300)]
_Lines = Annotated[tuple[_Line, ...], Field(min_length=1)]


class PersonaScaffold(Frozen):
    """A persona's part of `panel.core.prompt.Scaffold`, for weak models; `{name}` and `{category}` are those of the tool.

    `probe` starts an answer about the whole listing. Its next words (each with its leading space) are favourable or unfavourable; for single
    sentences, strong or weak, which are the same by default.
    """

    probe: _Line
    favourable: _Lines
    unfavourable: _Lines
    strong: tuple[_Line, ...] = ()
    weak: tuple[_Line, ...] = ()
    openers: Openers


class Persona(Frozen):
    """A critic. All of it is data for a model; none of it is rendered as a template.

    `id` is the file's name without its ending. `lens` are the questions that every take answers; the critic recuses itself from tools outside its
    `remit`. `scoring` gives the meaning of the scores 20, 40, 60, 80 and 95. `calibration` is measured by `bench/calibrate.py`.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    name: Annotated[str, Field(min_length=1, max_length=40)]
    motto: _Line
    lens: _Lines
    remit: Annotated[str, Field(min_length=1, max_length=600)]
    excited_by: _Lines
    tired_of: _Lines
    never_says: _Lines
    scoring: dict[int, _Line]
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
        """Sha256 of all fields."""
        return digest_of(self.model_dump(mode="json"))
