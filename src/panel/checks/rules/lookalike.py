"""Names whose letters come from alphabets that look alike.

A name that is spelt with one Cyrillic letter among Latin ones passes for another's. The rule is "highly restrictive" of Unicode Technical
Standard 39, section 5.2, for the alphabets whose letters can be taken for each other's: scripts that are written side by side, such as
Latin and Han, are no disguise.
"""

from __future__ import annotations

import re
import unicodedata

from panel.checks.inputs import ListingField
from panel.checks.registry import Hits, input_check

_ALPHABETS = frozenset({"ARMENIAN", "CHEROKEE", "COPTIC", "CYRILLIC", "GREEK", "LATIN", "LISU"})
_WORD = re.compile(r"\w+")


@input_check(
    ListingField,
    "lookalike",
    "Look-alike letters in a name",
    "This name mixes look-alike letters of different alphabets: make sure that it does not imitate another name.",
)
def _find(subject: ListingField) -> Hits:
    if subject.field in {"name", "maker"} or subject.field.startswith("aliases."):
        for word in _WORD.finditer(subject.text):
            # Python does not know the Script property, but a letter's name begins with its script's.
            scripts = {unicodedata.name(char, "").partition(" ")[0] for char in word[0]}
            if len(scripts & _ALPHABETS) > 1:
                yield subject.hit(word.span())
