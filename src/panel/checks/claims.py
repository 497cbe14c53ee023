"""Claims of a text, normalized with those of the listing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panel.checks.addresses import addresses, tags
from panel.checks.registry import ClaimText, Wording, claim_checks
from panel.checks.texts import normalized, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from panel.checks.registry import Claim, ClaimCheck, Meaning, Place

_LETTERS = re.compile(r"\w+")
_BLANK = "~"


class Statements:
    """The claims and the words of a listing, or of the facts about it."""

    def __init__(self, text: str) -> None:
        """Read the text."""
        found = find_claims(ClaimText(text))
        self.counted = frozenset(claim.counted for _, claim in found if claim.counted)
        self._meanings: dict[object, set[Meaning]] = {}
        for check, claim in found:
            self._add(claim.meaning, *check.implied(claim.meaning))
        for check in claim_checks():
            self._add(*check.states(plain(text)))
        self._words = _words(text)
        self._vocabulary = frozenset(self._words.split())

    def _add(self, *meanings: Meaning) -> None:
        for meaning in meanings:
            for index in meaning.indexes:
                self._meanings.setdefault(index, set()).add(meaning)

    def support(self, check: ClaimCheck, claim: Claim, wording: str) -> bool:
        """Return whether the text states a claim, in the same words or in others."""
        if check.wording is Wording.EACH_WORD:
            return self._vocabulary.issuperset(_words(wording).split())
        known = (self._meanings.get(index, ()) for index in claim.meaning.indexes)
        if any(claim.meaning.follows_from(other) for others in known for other in others):
            return True
        return check.wording is Wording.PHRASE and _words(wording) in self._words


def find_claims(subject: ClaimText) -> list[tuple[ClaimCheck, Claim]]:
    """Return the claims of a text with their checks, in the order of the text; none lies within another."""
    left, found = list(plain(subject.text)), []
    _blank(left, (place for place, _ in addresses("".join(left))))
    _blank(left, tags("".join(left)))
    for check in claim_checks():
        claims = _first_of_overlapping(check.read(subject._replace(text="".join(left))))
        _blank(left, ((claim.start, claim.end) for claim in claims))
        found += [(check, claim) for claim in claims]
    return sorted(found, key=lambda pair: (pair[1].start, pair[1].end))


def _first_of_overlapping(claims: Iterable[Claim]) -> list[Claim]:
    found, end = [], 0
    for claim in sorted(claims, key=lambda claim: (claim.start, -claim.end)):
        if claim.start >= end:
            found.append(claim)
            end = claim.end
    return found


def _blank(left: list[str], places: Iterable[Place]) -> None:
    for start, end in places:
        left[start:end] = _BLANK * (end - start)


def _words(text: str) -> str:
    return f" {' '.join(_LETTERS.findall(normalized(text)))} "
