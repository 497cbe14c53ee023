"""Search without a server: a small file for each beginning of a word, which a page fetches when somebody types it.

A word's file is named after its first two letters, so that a change of one tool changes few files, and a reader fetches few.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING

from panel.site.renderer import File

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from panel.site.renderer import Renderer
    from panel.site.tool_summary import ToolSummary

LETTERS = 2
"""Letters of a word that name its file; `assets/site.js` does the same."""

_PLAIN = re.compile("[a-z0-9]")


def search_files(press: Renderer) -> Iterator[File]:
    """Yield the files that the search fetches."""
    found: dict[str, list[ToolSummary]] = {}
    for card in press.shelf.live:
        for key in sorted({key_of(word) for word in press.shelf.words(card).split() if len(word) >= LETTERS}):
            found.setdefault(key, []).append(card)
    for key, cards in found.items():
        yield File(
            f"search/{key}.json",
            tuple((card.slug, card.digest) for card in cards),
            partial(_shard, press, cards),
        )


def key_of(word: str) -> str:
    """Return the name of a word's file: its first letters, those beyond a-z and 0-9 by their number."""
    return "".join(char if _PLAIN.fullmatch(char) else f"-{ord(char):x}" for char in word[:LETTERS])


def _shard(press: Renderer, cards: Iterable[ToolSummary]) -> bytes:
    # A tool at a time: the words of all tools at once would be the most that a build ever holds.
    made = bytearray(b"[")
    for card in cards:
        entry = [card.slug, card.name, card.tagline, card.line, press.shelf.words(card)]
        made += b"," * (len(made) > 1)
        made += json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
    made += b"]"
    return bytes(made)
