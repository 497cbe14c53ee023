"""Numbers as they are written, in digits and in English words."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {word: value for value, word in enumerate(_UNITS.split())}
_SMALL |= {word: value for value, word in zip(range(20, 100, 10), _TENS, strict=True)} | {"dozen": 12}
_LARGE = {
    "hundred": 100,
    "thousand": 1_000,
    "million": 1_000_000,
    "billion": 1_000_000_000,
    "trillion": 1_000_000_000_000,
}
_SUFFIXES = {"k": 3, "m": 6, "mn": 6, "bn": 9, "b": 9, "t": 12, "tn": 12}

_WORD = rf"(?:{'|'.join([*_SMALL, *_LARGE])})"
DIGITS = (
    r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,5}(?![0-9])|[0-9]{1,3}(?: [0-9]{3}){1,5}(?![0-9])|[0-9]+)(?:\.[0-9]+)?"
)
SCALE = r"(?:(?:k|m|mn|bn|b|t|tn)(?!\w)| ?-?(?:hundred|thousand|million|billion|trillion|bn)\b)"
WORDS = rf"\b(?:an? )?{_WORD}\b(?:(?: and |[ -]){_WORD}\b){{0,7}}"
NUMERAL = rf"(?:{DIGITS}{SCALE}?|{WORDS})"

_DIGITS = re.compile(DIGITS)


def value_of(numeral: str) -> Decimal:
    """Return the value of a numeral, as `NUMERAL` matches it: `3B`, `1,200`, `three billion`, `ninety-five`."""
    text = numeral.lower().strip()
    digits = _DIGITS.match(text)
    if digits is None:
        return _in_words(text)
    scale = text[digits.end() :].strip(" -")
    power = Decimal(10) ** _SUFFIXES[scale] if scale in _SUFFIXES else Decimal(_LARGE.get(scale, 1))
    return (Decimal(re.sub("[, ]", "", digits[0])) * power).normalize()


def in_words(numeral: str) -> bool:
    """Whether a numeral is written without a digit."""
    return _DIGITS.match(numeral) is None


def _in_words(text: str) -> Decimal:
    total = group = Decimal(0)
    for word in re.findall("[a-z]+", text):
        if word in _SMALL:
            group = group * _SMALL[word] if word == "dozen" and group else group + _SMALL[word]
        elif word == "hundred":
            group = (group or Decimal(1)) * _LARGE[word]
        elif word in _LARGE:
            total, group = total + (group or Decimal(1)) * _LARGE[word], Decimal(0)
    return (total + group).normalize()
