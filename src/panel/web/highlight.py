"""A text in pieces, so that a page can mark what a check found in it, and what a take quotes of it."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from panel.checks.texts import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TONES = ("in_listing", "sourced", "quoted", "ticked", "flagged", "unsupported")
"""How a stretch is marked; where several lie over each other, the last of these wins."""

# What may stand between two words of a quote without making it another one.
_LOOSE = r"[\s*_`~]*"
_TOKENS = re.compile(r"[^\W_]+|[^\w\s*`~]")
_LEFT_OUT = re.compile(r"\u2026|\.{3,}")
_FEWEST_CHARS = 3


class Stretch(NamedTuple):
    """A part of a text about which there is something to say.

    Attributes:
        start: where it begins, in characters.
        end: where it has ended.
        tone: one of `TONES`.
        title: what there is to say.
        number: of the finding that is listed beside the text; None if none is.
    """

    start: int
    end: int
    tone: str
    title: str
    number: int | None = None


class Piece(NamedTuple):
    """A piece of a text, all of which is marked alike.

    Attributes:
        text: its words.
        tone: one of `TONES`, or empty.
        title: what there is to say of it.
        ends: numbers of the findings whose words end with it.
    """

    text: str
    tone: str = ""
    title: str = ""
    ends: tuple[int, ...] = ()


def pieces(text: str, stretches: Iterable[Stretch]) -> list[Piece]:
    """Return a text in pieces that together are the text again; stretches outside of it are left out."""
    inside = [each for each in stretches if 0 <= each.start < each.end <= len(text)]
    edges = {edge for each in inside for edge in (each.start, each.end)}
    cuts = sorted({0, len(text), *edges})
    return [_piece(text, start, end, inside) for start, end in pairwise(cuts)]


def _piece(text: str, start: int, end: int, stretches: list[Stretch]) -> Piece:
    over = [each for each in stretches if each.start < end and each.end > start]
    if not over:
        return Piece(text[start:end])
    return Piece(
        text[start:end],
        max((each.tone for each in over), key=TONES.index),
        "; ".join(dict.fromkeys(each.title for each in over)),
        tuple(each.number for each in over if each.number is not None and each.end == end),
    )


def quoted(text: str, quote: str, title: str) -> Iterator[Stretch]:
    """Yield where a quote stands in a text, whatever its case, white space and typography; each part of one with an ellipsis.

    It only marks: whether the quote is one, the checks decide.
    """
    place, simple = 0, plain(text)
    for part in _LEFT_OUT.split(plain(quote)):
        tokens = _TOKENS.findall(part)
        if sum(map(len, tokens)) < _FEWEST_CHARS:
            continue
        found = re.compile(_LOOSE.join(map(re.escape, tokens)), re.IGNORECASE).search(simple, place)
        if found is None:
            return
        yield Stretch(found.start(), found.end(), "quoted", title)
        place = found.end()
