"""Names of products and companies in a text.

A name is what has a capital letter inside a sentence, a capital inside the word, or a place in the lexicon. A word at the
start of a sentence has a capital for another reason, so it takes more to make it a name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from panel.checks.claim import Meaning, Mention
from panel.checks.lexicon import ALSO_WORDS, ANY_CASE, NAME_VERBS, NOT_NAMES, OPENERS, PRODUCTS
from panel.core.finding import CheckKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# A hyphen belongs to a name before a capital or a digit only: `GPT-4o`, but not `Slack-style`.
_TOKEN = re.compile(
    r"[^\W\d_]\w*(?:[.&+](?=[^\W_])\w+|-(?=[A-Z0-9])\w+){0,4}[+#]{0,2}|[0-9]{1,2}(?:\.[0-9]{1,2}){0,2}[a-zA-Z]{0,2}\b"
)
_MIXED_CASE = re.compile(r"[a-z][A-Z]|[A-Z]{2}[a-z]{2}|[A-Z]\w{0,20}-?[0-9]")
_BETWEEN = re.compile(r"(?:'s)? ")
_OPENING, _ENDING = '\n"([', ".!?:;\u2026"
_SKIPPED = f"{_OPENING}'*_~ "
_LONGEST_INITIALS = 5
_LOOK_BACK = 6
_FILE = re.compile(r"\.(?:md|txt|py|sh|toml|ya?ml|json|csv|html?)$", re.IGNORECASE)
_PRODUCTS_ALONE = PRODUCTS - ALSO_WORDS
_NO_OPENING_NAMES = OPENERS | NOT_NAMES
_CERTIFICATES = frozenset({"soc", "iso", "wcag", "pci", "fedramp"})


@dataclass(frozen=True)
class Name:
    """The words of a name, without case."""

    words: tuple[str, ...]

    @property
    def indexes(self) -> tuple[object, ...]:
        """The words."""
        return (("name", self.words),)

    def follows_from(self, other: Meaning) -> bool:
        """Whether the other is the same."""
        return self == other


class _Word(NamedTuple):
    text: str
    key: str
    """The text without case."""
    start: int
    end: int
    opens: bool
    """Whether it has a capital where any word has one."""

    @property
    def capital(self) -> bool:
        return self.text[:1].isupper()

    @property
    def telling(self) -> bool:
        """Whether its letters alone tell a name."""
        if self.key in NOT_NAMES or self.text[0].isdigit():
            return False
        if self.key in ANY_CASE or (self.capital and self.key in _PRODUCTS_ALONE):
            return True
        initials = self.text.isupper() and len(self.text) > 1
        return (_MIXED_CASE.search(self.text) is not None and not initials) or (
            initials
            and len(self.text) <= _LONGEST_INITIALS
            and (self.key.endswith("db") or self.key in _CERTIFICATES)
        )

    @property
    def ordinary(self) -> bool:
        """Whether nothing about it tells a name, as is so of most words."""
        return self.text == self.key and self.key not in ANY_CASE

    @property
    def named(self) -> bool:
        """Whether it is a name, or a part of one, where it stands."""
        if self.ordinary or self.key in NOT_NAMES or _FILE.search(self.key):
            return False
        excused = self.opens or (self.text.isupper() and len(self.text) > 1) or len(self.text) == 1
        return self.telling or (self.capital and not excused)


def names(text: str, own: Collection[str] = ()) -> Iterator[Mention]:
    """Yield the names of a plain text.

    Args:
        text: in its plain form.
        own: words of the tool's and its maker's own names, which are no claim.
    """
    for group in _groups(text):
        words = tuple(part for word in group for part in re.findall(r"\w+", word.key))
        if words and not all(word in own or word.isdigit() for word in words):
            yield Mention(CheckKind.NAME, group[0].start, group[-1].end, Name(words))


def _groups(text: str) -> Iterator[list[_Word]]:
    group: list[_Word] = []
    words = _words(text)
    for place, word in enumerate(words):
        follows = bool(group) and _BETWEEN.fullmatch(text, group[-1].end, word.start) is not None
        if follows and "'" in text[group[-1].end : word.start]:
            follows = False
        if group and not (follows and (word.named or word.text[0].isdigit())):
            yield group
            group = []
        if word.named or group or _speaks_for_itself(text, word, words[place + 1 : place + 3]):
            group.append(word)
    if group:
        yield group


def _words(text: str) -> list[_Word]:
    return [_word(text, found) for found in _TOKEN.finditer(text)]


def _word(text: str, found: re.Match[str]) -> _Word:
    start, end = found.span()
    return _Word(found[0], found[0].lower(), start, end, opens=found[0][0].isupper() and _opens(text, start))


def _opens(text: str, start: int) -> bool:
    """Whether a word stands where a sentence, a line, a list item, a bracket or a quotation begins."""
    before = text[max(0, start - _LOOK_BACK) : start]
    last = before.rstrip(_SKIPPED)
    gap = before[len(last) :]
    return (
        not last
        or last[-1] in _ENDING
        or (last[-1] == "-" and gap.startswith(" "))
        or any(mark in gap for mark in _OPENING)
    )


def _speaks_for_itself(text: str, word: _Word, after: list[_Word]) -> bool:
    """Whether the neighbours of a capitalised word at the start of a sentence show that it is a name."""
    if not (word.opens and word.capital and after) or word.key in _NO_OPENING_NAMES:
        return False
    gap = text[word.end : after[0].start]
    if gap == " " and after[0].named and not after[0].telling:
        return True  # Monte Carlo, but not Ask Google
    if word.key in ALSO_WORDS:
        return gap == " " and after[0].key in NAME_VERBS
    listed = gap in {", ", " "} and (
        after[0].named or (after[0].key in {"and", "or"} and len(after) > 1 and after[1].named)
    )
    return listed and (gap == ", " or after[0].key in {"and", "or"})
