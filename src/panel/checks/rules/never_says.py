"""Phrases that a persona's own file says it never uses."""

from __future__ import annotations

import re

from panel.checks.inputs import SeatText
from panel.checks.registry import Hits, input_check

_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+){0,3}")


@input_check(
    SeatText,
    "never_says",
    "Phrase that this persona never uses",
    "This persona never uses this phrase: rewrite the sentence.",
)
def _find(subject: SeatText) -> Hits:
    """Yield the phrases as whole words, whatever their case, apostrophes and hyphens."""
    text = subject.own_voice
    bare = _bare(text)
    phrases = [list(map(_bare, _WORD.findall(p.replace("\u2019", "'")))) for p in subject.never_says]
    likely = [phrase for phrase in phrases if phrase and all(word in bare for word in phrase)]
    if not likely:
        return
    words = list(_WORD.finditer(text))
    bare_words = [_bare(word[0]) for word in words]
    for phrase in likely:
        for first in range(len(words) - len(phrase) + 1):
            if bare_words[first : first + len(phrase)] == phrase:
                yield subject.hit((words[first].start(), words[first + len(phrase) - 1].end()))


def _bare(word: str) -> str:
    return word.replace("'", "").casefold()
