"""Two forms of a text: a plain one whose places are those of the original, and one in which quotes are compared."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_ALIKE = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u2032`\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
}
_EMPHASIS = re.compile(r"[*`]|~~|(?<!\w)_+|_+(?!\w)")
_TOKENS = re.compile(r"\w+|[^\w\s]")
_SENTENCE_END = re.compile(r"[.!?\u3002]{1,8}[\"')\]]{0,4}(?=\s|$)|[\n\u3002]")
GAP = "\u2026"


class _PlainChars(dict[int, str]):
    """Maps a code point to the one plain character that it is compatible with; what has none stays."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        compatible = unicodedata.normalize("NFKC", char)
        alike = compatible if len(compatible) == 1 else char
        self[code] = _ALIKE.get(char) or _ALIKE.get(alike, alike)
        return self[code]


_PLAIN: dict[int, str] = _PlainChars()


class Sentence(NamedTuple):
    """A sentence and its place."""

    start: int
    end: int
    text: str


def plain(text: str) -> str:
    """Return the text with plain quotes, dashes, spaces and letters: as long as it was, each character in its place."""
    return text.translate(_PLAIN)


def compared(text: str) -> str:
    """Return words and marks with one space around each, without case, emphasis and typography.

    Text is decomposed character by character, which is linear where normalising a run of combining marks is not.
    """
    bare = _EMPHASIS.sub("", text).translate(_PLAIN).replace("...", GAP)
    folded = "".join(unicodedata.normalize("NFKD", char) if char != GAP else char for char in bare).casefold()
    return f" {' '.join(_TOKENS.findall(folded))} "


def sentences(text: str) -> list[Sentence]:
    """Return the sentences of a text; a line break ends one too."""
    found, start = [], 0
    for end in [*(mark.end() for mark in _SENTENCE_END.finditer(text)), len(text)]:
        piece = text[start:end]
        if piece.strip():
            lead = len(piece) - len(piece.lstrip())
            found.append(Sentence(start + lead, start + len(piece.rstrip()), piece.strip()))
        start = end
    return found
