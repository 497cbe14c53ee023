"""Split a text where highlighted spans begin and end."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Piece(NamedTuple):
    """A piece of a text, its place, and the keys of the spans that cover it."""

    text: str
    start: int
    end: int
    spans: tuple[int, ...] = ()


def split_at_spans(text: str, spans: Mapping[int, tuple[int, int]], offset: int = 0) -> list[Piece]:
    """Return a text in pieces, each of which a span covers whole or not at all; together they are the text.

    Spans are in characters; they may overlap, and lie outside of the text. For a line of a longer text, `offset` is the place of its start.
    """
    end = offset + len(text)
    edges = {edge for span in spans.values() for edge in span if offset < edge < end}
    return [
        Piece(
            text[left - offset : right - offset],
            left,
            right,
            tuple(key for key, (start, stop) in spans.items() if start < right and stop > left),
        )
        for left, right in pairwise(sorted({offset, end, *edges}))
    ]
