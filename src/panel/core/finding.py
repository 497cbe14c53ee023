"""Findings of the checks, and how editors settle them."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from panel.core.actor import PersonName
from panel.core.addresses import public_address
from panel.core.frozen import Frozen, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
"""The kind of a check; an open set, so that a new check changes no schema."""


class Status(StrEnum):
    """Result of a check: a claim has one of the first three, everything else is flagged."""

    IN_LISTING = "in_listing"
    SOURCED = "sourced"
    UNSUPPORTED = "unsupported"
    FLAGGED = "flagged"


class Span(Frozen):
    """A part of a text, from `start` up to and without `end`, in characters."""

    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]


class Where(Frozen):
    """The text that a finding is in.

    `persona` is None for the listing and for the panel as a whole. `field` is `take`, `evidence.0`, `score` or `detail` of a seat; a field
    of the tool such as `description` or `facts.0.claim`; or `scores` of the panel.
    """

    persona: str | None
    field: str


class Finding(Frozen):
    """A result of a check.

    `kind` is that of a check in `panel.checks`. `span` is None for a finding about no words. `note` is one plain sentence for an editor.
    `occurrence` numbers the findings with the same kind, place and text, from 1.
    """

    kind: Kind
    where: Where
    span: Span | None
    text: str
    status: Status
    note: str
    occurrence: Annotated[int, Field(ge=1)] = 1

    @property
    def id(self) -> str:
        """The sha256 of kind, place, text and occurrence; resolutions are stored by it.

        It survives an edit elsewhere in the text, and quotes that are removed or put in another order.
        """
        return digest_of([*self.identity, self.occurrence])

    @property
    def identity(self) -> tuple[str, ...]:
        """Kind, place and text; the place of a quote is not its number."""
        field = self.where.field
        return (
            self.kind,
            self.where.persona or "",
            "evidence" if self.kind == "evidence" else field,
            self.text,
        )


def numbered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings in the order given, with their occurrences counted."""
    seen: Counter[tuple[str, ...]] = Counter()
    counted: list[Finding] = []
    for finding in findings:
        seen[finding.identity] += 1
        counted.append(finding.model_copy(update={"occurrence": seen[finding.identity]}))
    return tuple(counted)


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
