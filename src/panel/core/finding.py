"""What a check finds, and what an editor may do about it."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from panel.core.base import Frozen, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable


class CheckKind(StrEnum):
    """What a finding is about."""

    EVIDENCE = "evidence"
    NUMBER = "number"
    PRICE = "price"
    DATE = "date"
    LICENCE = "licence"
    BENCHMARK = "benchmark"
    NAME = "name"
    CONTRADICTION = "contradiction"
    EXTREME_SCORE = "extreme_score"
    FIRST_PERSON = "first_person"
    NEVER_SAYS = "never_says"
    MARKUP = "markup"
    ADDRESS = "address"
    INSTRUCTION = "instruction"
    HIDDEN = "hidden"
    LOOKALIKE = "lookalike"
    UNANIMOUS = "unanimous"
    NEAR_IDENTICAL = "near_identical"


class Status(StrEnum):
    """How a finding stands: a claim has one of the first three, everything else is flagged."""

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

    Attributes:
        persona: whose take; None for the listing and for the review as a whole.
        field: `take`, `evidence.0`, `score` or `detail` of a seat; a field of the tool such as `description` or
            `facts.0.claim`; `scores` of the review.
    """

    persona: str | None
    field: str


class Finding(Frozen):
    """One thing that an editor should look at, or can see has been looked at.

    Attributes:
        kind: what it is about.
        where: the text that it is in.
        span: its place there; None if it is about no words.
        text: the words.
        status: how it stands.
        note: one plain sentence for an editor.
        occurrence: which of the findings with the same kind, place and text it is, from 1.
    """

    kind: CheckKind
    where: Where
    span: Span | None
    text: str
    status: Status
    note: str
    occurrence: Annotated[int, Field(ge=1)] = 1

    @property
    def id(self) -> str:
        """What an editor's tick is bound to: the sha256 of kind, place, text and occurrence.

        It survives an edit elsewhere in the text, and quotes that are removed or put in another order.
        """
        return digest_of([*self._identity, self.occurrence])

    @property
    def blocks(self) -> bool:
        """Whether a review with this finding may be approved only after an editor has dealt with it."""
        return self.status in {Status.UNSUPPORTED, Status.FLAGGED}

    @property
    def tickable(self) -> bool:
        """Whether a tick is enough to deal with it; a persona's own experience can only be cut."""
        return self.blocks and self.kind is not CheckKind.FIRST_PERSON

    @property
    def _identity(self) -> tuple[str, ...]:
        stem = "evidence" if self.kind is CheckKind.EVIDENCE else self.where.field
        return (self.kind, self.where.persona or "", stem, self.text)


def numbered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings with their occurrences counted, in the order given."""
    seen: Counter[tuple[str, ...]] = Counter()
    counted: list[Finding] = []
    for finding in findings:
        seen[finding._identity] += 1  # noqa: SLF001 - same module
        counted.append(finding.model_copy(update={"occurrence": seen[finding._identity]}))  # noqa: SLF001 - likewise
    return tuple(counted)
