"""Two forms of a text: plain, with every character in its place, and normalized, for comparing quotes."""

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
ELLIPSIS = "\u2026"


class _PlainChars(dict[int, str]):
    """Maps a code point to the one plain character that it is compatible with, if any."""

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
    """Return the text with plain quotes, dashes, spaces and letters; its length and the place of each character stay."""
    return text.translate(_PLAIN)


def normalized(text: str) -> str:
    """Return words and punctuation with one space around each, without case, emphasis and typography."""
    bare = _EMPHASIS.sub("", text).translate(_PLAIN).replace("...", ELLIPSIS)
    # Decomposed character by character, which is linear; normalising a long run of combining marks is not.
    folded = "".join(
        unicodedata.normalize("NFKD", char) if char != ELLIPSIS else char for char in bare
    ).casefold()
    return f" {' '.join(_TOKENS.findall(folded))} "


def sentences(text: str) -> list[Sentence]:
    """Return the sentences of a text; a line break ends a sentence."""
    found, start = [], 0
    for end in [*(mark.end() for mark in _SENTENCE_END.finditer(text)), len(text)]:
        piece = text[start:end]
        if piece.strip():
            lead = len(piece) - len(piece.lstrip())
            found.append(Sentence(start + lead, start + len(piece.rstrip()), piece.strip()))
        start = end
    return found
