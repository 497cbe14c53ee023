"""How an editor settles a finding that stays in the text: a source supports it, or it is an opinion."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from panel.core.actor import PersonName
from panel.core.base import Frozen
from panel.core.urls import public_address


class ResolutionKind(StrEnum):
    """The reason for which a finding may stay."""

    SUPPORTED = "supported"
    OPINION = "opinion"


class Resolution(Frozen):
    """An editor's statement that the finding with this id may stay; `source` is a public web address, for `supported` only."""

    finding: str
    kind: ResolutionKind
    source: Annotated[str, AfterValidator(public_address)] | None = None

    @model_validator(mode="after")
    def _has_source(self) -> Self:
        if (self.kind is ResolutionKind.SUPPORTED) != (self.source is not None):
            raise ValueError("give a source with supported, and none with opinion")
        return self


class RecordedResolution(Resolution):
    """A resolution in force, with the name of the editor who gave it."""

    by: PersonName
