"""Highlights in a text: the findings of the checks in it, and the quotes that takes make of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from panel.checks.matching import plain
from panel.core.text import split_at_spans

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TONES = ("in_listing", "sourced", "quoted", "resolved", "flagged", "unsupported")
"""CSS classes of highlights; where several overlap, the last of these wins."""

# Marks that may stand between two words of a quote.
_BETWEEN = r"[\s*_`~]*"
_TOKENS = re.compile(r"[^\W_]+|[^\w\s*`~]")
_ELLIPSIS = re.compile(r"\u2026|\.{3,}")
_MIN_CHARS = 3


class Highlight(NamedTuple):
    """A highlighted span of a text.

    Attributes:
        start: its first character.
        end: the character after its last.
        tone: one of `TONES`.
        title: the tooltip.
        number: of a finding that the page lists; None if it lists none.
    """

    start: int
    end: int
    tone: str
    title: str
    number: int | None = None


class Piece(NamedTuple):
    """A piece of a text with one highlight or none.

    Attributes:
        ends: numbers of the findings whose span ends with it.
    """

    text: str
    tone: str = ""
    title: str = ""
    ends: tuple[int, ...] = ()


def highlight(text: str, highlights: Iterable[Highlight]) -> list[Piece]:
    """Divide a text into pieces; highlights that do not lie within the text are left out."""
    inside = [each for each in highlights if 0 <= each.start < each.end <= len(text)]
    pieces = []
    spans = {index: (each.start, each.end) for index, each in enumerate(inside)}
    for part, _, end, keys in split_at_spans(text, spans):
        covering = [inside[key] for key in keys]
        pieces.append(
            Piece(
                part,
                max((each.tone for each in covering), key=TONES.index, default=""),
                "; ".join(dict.fromkeys(each.title for each in covering)),
                tuple(each.number for each in covering if each.number is not None and each.end == end),
            )
        )
    return pieces


def find_quote(text: str, quote: str, title: str) -> Iterator[Highlight]:
    """Yield the place of a quote in a text, ignoring case, white space and typography; each part of one with an ellipsis.

    This is for display only: the checks decide whether the quote is true to the text.
    """
    position, simple = 0, plain(text)
    for part in _ELLIPSIS.split(plain(quote)):
        tokens = _TOKENS.findall(part)
        if sum(map(len, tokens)) < _MIN_CHARS:
            continue
        found = re.compile(_BETWEEN.join(map(re.escape, tokens)), re.IGNORECASE).search(simple, position)
        if found is None:
            return
        yield Highlight(found.start(), found.end(), "quoted", title)
        position = found.end()
