"""Phrases that a persona's own file says it never uses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panel.checks.registry import Hits, Places, SubjectCheck
from panel.checks.subjects import SeatText

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+){0,3}")


def _find(subject: SeatText) -> Hits:
    return map(subject.hit, _places(subject.own_voice, subject.never_says))


def _places(text: str, phrases: Iterable[str]) -> Places:
    """Yield the places of the phrases in a plain text: whole words, whatever their case, apostrophes and hyphens."""
    bare = _bare(text)
    wanted = [[_bare(word) for word in _WORD.findall(phrase.replace("\u2019", "'"))] for phrase in phrases]
    likely = [phrase for phrase in wanted if phrase and all(word in bare for word in phrase)]
    if not likely:
        return
    words = [(_bare(found[0]), found.span()) for found in _WORD.finditer(text)]
    keys = [word for word, _ in words]
    for sought in likely:
        for place in range(len(keys) - len(sought) + 1):
            if keys[place : place + len(sought)] == sought:
                yield words[place][1][0], words[place + len(sought) - 1][1][1]


def _bare(word: str) -> str:
    return word.replace("'", "").casefold()


CHECK = SubjectCheck(
    kind="never_says",
    label="Phrase that this persona never uses",
    message="This persona never uses this phrase: rewrite the sentence.",
    reads=SeatText,
    find=_find,
)
