"""Names whose letters come from alphabets that look alike.

A name that is spelt with one Cyrillic letter among Latin ones passes for another's. The rule is "highly restrictive" of Unicode Technical
Standard 39, section 5.2, for the alphabets whose letters can be taken for each other's: scripts that are written side by side, such as
Latin and Han, are no disguise.
"""

from __future__ import annotations

import re
import unicodedata

from panel.checks.registry import Hits, SubjectCheck
from panel.checks.subjects import ListingField

_ALPHABETS = frozenset({"ARMENIAN", "CHEROKEE", "COPTIC", "CYRILLIC", "GREEK", "LATIN", "LISU"})
_WORD = re.compile(r"\w+")


def _find(subject: ListingField) -> Hits:
    for word in _WORD.finditer(subject.text) if subject.is_name else ():
        if len({alphabet for char in word[0] if (alphabet := _alphabet(char))}) > 1:
            yield subject.hit(word.span())


def _alphabet(char: str) -> str | None:
    # Python does not know the Script property, but a letter's name begins with its script's.
    script = unicodedata.name(char, "").partition(" ")[0]
    return script if script in _ALPHABETS else None


CHECK = SubjectCheck(
    kind="lookalike",
    label="Look-alike letters in a name",
    message="This name mixes look-alike letters of different alphabets: make sure that it does not imitate another name.",
    reads=ListingField,
    find=_find,
)
