"""Numbers in a take: with units, percentages, ranges and ranks."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from panel.checks.matching import before
from panel.checks.numerals import MEASURED, NUMERAL, in_words, noun_after, unit_after, value_of
from panel.checks.registry import Claim, Claims, ClaimText, Meaning, Weight, claim_check

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
_COUNTED = """
language country customer integration parameter token byte percent star upvote download bank template
"""
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
    def keys(self) -> tuple[object, ...]:
        """The figures as they are written, and in basic units."""
        return (self.written, (self.unit, *self.basic))

    @property
    def parts(self) -> tuple[Meaning, ...]:
        """The quantity and its two ends."""
        return (self, replace(self, high=self.low), replace(self, low=self.high))

    def follows_from(self, other: Meaning) -> bool:
        """Return whether the other has the same value and does not count something else."""
        if not isinstance(other, Quantity):
            return False
        if self.unit == other.unit:
            return self.basic == other.basic
        same_by_value = self.low >= _SAME_BY_VALUE and self.unit not in MEASURED
        return self.written == other.written and (None in {self.unit, other.unit} or same_by_value)

    @property
    def written(self) -> tuple[Decimal, Decimal]:
        """Both ends, in the unit that is given."""
        return self.low, self.high

    @property
    def basic(self) -> tuple[Decimal, Decimal]:
        """Both ends, in basic units."""
        return self.low * self.factor, self.high * self.factor


@claim_check("number", precedence=60)
def _read(subject: ClaimText) -> Claims:
    """Yield the numbers of a text, ranks first."""
    rest = text = subject.text
    if _SIGN_OF_RANK.search(text):
        blanked = _IDIOM.sub(_blank, text)
        for rank in _RANK.finditer(blanked):
            named = rank[1] or rank[2]
            value = Decimal(_RANKS.index(named.lower()) + 1 if named else rank[3] or rank[4])
            yield Claim(rank.span(), Quantity(value, value, "rank"), counted="rank")
        rest = _RANK.sub(_blank, blanked)
    for number in _NUMBER.finditer(rest):
        is_score = number[0] == str(subject.score) and _SCORED.search(
            before(text, number.start(), _LOOK_BACK)
        )
        claim = _quantity(text, number)
        if claim and not is_score:
            yield claim


def _quantity(text: str, number: re.Match[str]) -> Claim | None:
    unit, factor, end = unit_after(text, number.end())
    noun = noun_after(text, number.end())
    if end == number.end() and text[end : end + 1].isalpha():
        return None  # part of a word, such as 3D
    low = value_of(number["low"])
    high = value_of(number["high"]) if number["high"] else low
    horizon = noun in {"week", "month", "year"} and _HORIZON.search(before(text, number.start(), _LOOK_BACK))
    rhetorical = in_words(number["low"]) and (low <= _LARGEST_RHETORICAL or number["low"][0] in "aA")
    if rhetorical and horizon:
        return None
    small = Weight.IF_LISTING_COUNTS if low > 1 else Weight.NEVER
    weight = Weight.ALWAYS if unit in _COUNTED_THINGS or not (rhetorical or horizon) else small
    counted = noun if unit is None or unit in MEASURED else unit
    return Claim((number.start(), end), Quantity(low, high, unit, factor, noun), weight, counted)


def _blank(found: re.Match[str]) -> str:
    return "~" * len(found[0])
