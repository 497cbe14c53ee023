"""How an editor deals with a finding: supported by a source, an opinion, or cut from the text."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from panel.core.base import Frozen
from panel.core.draft_rules import PersonName
from panel.core.urls import public_address


class ResolutionKind(StrEnum):
    """Why a finding may stay."""

    SUPPORTED = "supported"
    OPINION = "opinion"


class Resolution(Frozen):
    """Somebody's word that a finding may stay.

    Attributes:
        finding: the finding's id.
        kind: why it may stay.
        source: public web address that supports it; needed if it is supported, None if it is an opinion.
    """

    finding: str
    kind: ResolutionKind
    source: Annotated[str, AfterValidator(public_address)] | None = None

    @model_validator(mode="after")
    def _sourced(self) -> Self:
        if (self.kind is ResolutionKind.SUPPORTED) != (self.source is not None):
            raise ValueError("give a source with supported, and none with opinion")
        return self


class RecordedResolution(Resolution):
    """A tick, and whose it is."""

    by: PersonName
