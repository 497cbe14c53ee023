"""How an editor deals with a finding: supported by a source, an opinion, or cut from the text."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, model_validator

from panel.domain.address import public_address
from panel.domain.approval import PersonName
from panel.domain.base import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from panel.domain.checks import Finding


class TickKind(StrEnum):
    """Why a finding may stay."""

    SUPPORTED = "supported"
    OPINION = "opinion"


class Tick(Frozen):
    """Somebody's word that a finding may stay.

    Attributes:
        finding: the finding's id.
        kind: why it may stay.
        source: public web address that supports it; needed if it is supported, None if it is an opinion.
    """

    finding: str
    kind: TickKind
    source: Annotated[str, AfterValidator(public_address)] | None = None

    @model_validator(mode="after")
    def _sourced(self) -> Self:
        if (self.kind is TickKind.SUPPORTED) != (self.source is not None):
            raise ValueError("give a source with supported, and none with opinion")
        return self


class Ticked(Tick):
    """A tick, and whose it is."""

    by: PersonName


def missing_ticks(findings: Iterable[Finding], ticks: Iterable[Tick]) -> tuple[Finding, ...]:
    """Return the findings that still stand in the way of approval: neither ticked nor cut."""
    ticked = {tick.finding for tick in ticks}
    return tuple(found for found in findings if found.blocks and not (found.tickable and found.id in ticked))
