"""Numbers in a take: with units, percentages, ranges and ranks."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from panel.checks.numerals import MEASURED, NUMERAL, in_words, noun_after, unit_after, value_of
from panel.checks.registry import Claim, ClaimCheck, Claims, ClaimText, Meaning, Weight

if TYPE_CHECKING:
    from collections.abc import Iterator

# Numbers up to a dozen, in words, are mostly figures of speech: two things, the first hour, ten minutes in.
_LARGEST_RHETORICAL = 12
# From here on, equal figures are about the same thing: 3 billion weights are 3 billion parameters.
_SAME_BY_VALUE = 1_000

_NUMBER = re.compile(
    rf"(?<![\w.,$€£¥₹#])(?P<low>{NUMERAL})(?:(?: ?- ?| to )(?P<high>{NUMERAL}))?(?![0-9])", re.IGNORECASE
)
_RANKS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_RANK = re.compile(
    rf"\b(?<!in the )({'|'.join(_RANKS)})[ -](?:place|rank|position)\b"
    rf"|\b(?:rank(?:s|ed)?|placed) ({'|'.join(_RANKS)})\b"
    r"|(?<![\w.,])([0-9]{1,9})(?:st|nd|rd|th)\b|(?<!\w)#([0-9]{1,6})\b",
    re.IGNORECASE,
)
# Every rank and every idiom has one of these and many texts have none; looking for them takes a fraction of the time.
_SIGN_OF_RANK = re.compile(r"[0-9#]|plac|rank|position", re.IGNORECASE)
_HORIZON = re.compile(
    r"\b(?:within|in|after|for|by|before|over|every|next|inside|under|first|last|another|or|few)"
    r"(?: (?:the|a|another|about|next|first|last))? ?$",
    re.IGNORECASE,
)
_IDIOM = re.compile(
    r"\b(?:24/7|[0-9]{1,3}/100|50/50|80/20|9/10|[0-9]{1,3} out of 100|[0-9]{1,2}(?::[0-9]{2})? ?[ap]\.?m\b"
    r"|(?:version|chapter|page|step|part|section|day|week|month|year|level|phase|round|number|no\.) [0-9]{1,3})(?!\w)",
    re.IGNORECASE,
)
_SCORED = re.compile(r"\b(?:score[sd]?|rat(?:e|es|ed|ing)|give[ns]?|gave|verdict)\b[^.!?\n]*$", re.IGNORECASE)
_LOOK_BACK = 40
# Listings count these and figures of speech do not, so that even a small number of them is a claim.
_COUNTED = (
    "language country customer integration parameter token byte percent star upvote download bank template"
)
_COUNTED_THINGS = frozenset(_COUNTED.split())


@dataclass(frozen=True)
class Quantity(Meaning):
    """A value or a range, and the counted thing: a kind of unit, or the noun after it, or neither.

    `factor` is the number of basic units of the kind in one of the units, such as 60 seconds in a minute.
    """

    low: Decimal
    high: Decimal
    unit: str | None = None
    factor: Decimal = Decimal(1)
    noun: str | None = None

    @property
    def indexes(self) -> tuple[object, ...]:
        """The figures as they are written, and in basic units."""
        return (self.written, (self.unit, *self.basic))

    def follows_from(self, other: Meaning) -> bool:
        """Return whether the other has the same value and does not count something else."""
        if not isinstance(other, Quantity):
            return False
        if self.unit == other.unit:
            return self.basic == other.basic
        same_thing = None in {self.unit, other.unit} or self._speaks_for_itself
        return same_thing and self.written == other.written

    @property
    def thing(self) -> str | None:
        """The thing that is counted, in a word."""
        return self.noun if self.unit is None or self.unit in MEASURED else self.unit

    @property
    def written(self) -> tuple[Decimal, Decimal]:
        """Both ends, in the unit that is given."""
        return self.low, self.high

    @property
    def basic(self) -> tuple[Decimal, Decimal]:
        """Both ends, in basic units."""
        return self.low * self.factor, self.high * self.factor

    @property
    def _speaks_for_itself(self) -> bool:
        return self.low >= _SAME_BY_VALUE and self.unit not in MEASURED


def _read(subject: ClaimText) -> Claims:
    """Yield the numbers of a text, ranks first."""
    rest = text = subject.text
    if _SIGN_OF_RANK.search(text):
        blanked = _IDIOM.sub(_blank, text)
        for rank in _RANK.finditer(blanked):
            named = rank[1] or rank[2]
            value = Decimal(_RANKS.index(named.lower()) + 1 if named else rank[3] or rank[4])
            yield Claim(*rank.span(), Quantity(value, value, "rank"), counted="rank")
        rest = _RANK.sub(_blank, blanked)
    for number in _NUMBER.finditer(rest):
        claim = _quantity(text, number)
        if claim and not _is_score(text, number, subject.score):
            yield claim


def _quantity(text: str, number: re.Match[str]) -> Claim | None:
    unit, factor, end = unit_after(text, number.end())
    noun = noun_after(text, number.end())
    if end == number.end() and text[end : end + 1].isalpha():
        return None  # part of a word, such as 3D
    low = value_of(number["low"])
    high = value_of(number["high"]) if number["high"] else low
    manner = in_words(number["low"]) and (low <= _LARGEST_RHETORICAL or number["low"][:1] in {"a", "A"})
    if manner and _is_horizon(text, number, noun):
        return None
    counts = unit in _COUNTED_THINGS or not (manner or _is_horizon(text, number, noun))
    quantity = Quantity(low, high, unit, factor, noun)
    small = Weight.IF_LISTING_COUNTS if low > 1 else Weight.NEVER
    return Claim(number.start(), end, quantity, Weight.ALWAYS if counts else small, quantity.thing)


def _ends(meaning: Meaning) -> Iterator[Meaning]:
    """Yield the two ends of a range, which a listing states with it."""
    if isinstance(meaning, Quantity):
        yield replace(meaning, high=meaning.low)
        yield replace(meaning, low=meaning.high)


def _is_horizon(text: str, number: re.Match[str], noun: str | None) -> bool:
    before = text[max(0, number.start() - _LOOK_BACK) : number.start()]
    return noun in {"week", "month", "year"} and _HORIZON.search(before) is not None


def _is_score(text: str, number: re.Match[str], score: int | None) -> bool:
    before = text[max(0, number.start() - _LOOK_BACK) : number.start()]
    return number[0] == str(score) and _SCORED.search(before) is not None


def _blank(found: re.Match[str]) -> str:
    return "~" * len(found[0])


CHECK = ClaimCheck(
    kind="number",
    read=_read,
    precedence=60,
    implied=_ends,
)
