"""Claims as they stand in a text, with what makes two of them the same claim."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from panel.core.finding import CheckKind


class Meaning(Protocol):
    """What a claim says, apart from its wording; hashable."""

    @property
    def indexes(self) -> tuple[object, ...]:
        """Keys, of which it shares one with every meaning that it may follow from."""
        ...

    def follows_from(self, other: Meaning) -> bool:
        """Whether a text that states the other states this one too."""
        ...


class Mention(NamedTuple):
    """A claim and its place in a text."""

    kind: CheckKind
    start: int
    end: int
    meaning: Meaning
    counts: bool = True
    """Whether it is a claim by itself; a small number in words is one only if the listing counts the same thing."""
