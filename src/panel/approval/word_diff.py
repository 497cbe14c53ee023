"""What was changed in a text, word by word."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Blanks go with the word after them: by themselves they are equal everywhere, and would split what belongs together.
_TOKEN = re.compile(r"\s*\w+|\s*[^\w\s]|\s+")


class Part(StrEnum):
    """What became of a piece of text."""

    EQUAL = "equal"
    ADDED = "added"
    REMOVED = "removed"


class Piece(NamedTuple):
    """Some words and what became of them."""

    part: Part
    text: str


def word_diff(before: str, after: str) -> list[Piece]:
    """Return the pieces of two texts, in order.

    Equal and removed pieces together are the text before, equal and added ones the text after. Where words were replaced, the removed
    ones come first. No two neighbours are of one part.
    """
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    # Words that a long text repeats all over are no anchors (autojunk), so that no text takes long.
    matcher = SequenceMatcher(None, old, new, autojunk=True)
    pieces: list[Piece] = []
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        removed, added = "".join(old[old_from:old_to]), "".join(new[new_from:new_to])
        pieces += _pieces(removed, added, equal=kind == "equal")
    return list(_joined(pieces))


def _pieces(removed: str, added: str, *, equal: bool) -> Iterator[Piece]:
    if equal:
        yield Piece(Part.EQUAL, removed)
        return
    if removed:
        yield Piece(Part.REMOVED, removed)
    if added:
        yield Piece(Part.ADDED, added)


def _joined(pieces: Iterable[Piece]) -> Iterator[Piece]:
    last: Piece | None = None
    for piece in pieces:
        if last and last.part is piece.part:
            last = Piece(piece.part, last.text + piece.text)
            continue
        if last:
            yield last
        last = piece
    if last:
        yield last
