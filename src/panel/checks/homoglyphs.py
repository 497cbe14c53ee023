"""Names whose letters come from alphabets that look alike.

A name that is spelt with one Cyrillic letter among Latin ones passes for another's. The rule is "highly restrictive" of Unicode Technical
Standard 39, section 5.2, for the alphabets whose letters can be taken for each other's: scripts that are written side by side, such as
Latin and Han, are no disguise.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALPHABETS = frozenset({"ARMENIAN", "CHEROKEE", "COPTIC", "CYRILLIC", "GREEK", "LATIN", "LISU"})
_WORD = re.compile(r"\w+")


def lookalikes(name: str) -> Iterator[tuple[int, int]]:
    """Yield the place of each word of a name that mixes alphabets."""
    for word in _WORD.finditer(name):
        if len({alphabet for char in word[0] if (alphabet := _alphabet(char))}) > 1:
            yield word.span()


def _alphabet(char: str) -> str | None:
    # Python does not know the Script property, but a letter's name begins with its script's.
    script = unicodedata.name(char, "").partition(" ")[0]
    return script if script in _ALPHABETS else None
