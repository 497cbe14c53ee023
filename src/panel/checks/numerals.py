"""Numbers in digits and in English words, and the units and nouns that they count."""

from __future__ import annotations

import re
from decimal import Decimal

_SMALLEST = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {word: value for value, word in enumerate(_SMALLEST.split())}
_SMALL |= {word: value for value, word in zip(range(20, 100, 10), _TENS, strict=True)} | {"dozen": 12}
_LARGE = {
    "hundred": 100,
    "thousand": 1_000,
    "million": 1_000_000,
    "billion": 1_000_000_000,
    "trillion": 1_000_000_000_000,
}
_SUFFIXES = {"k": 3, "m": 6, "mn": 6, "bn": 9, "b": 9, "t": 12, "tn": 12}

_NUMBER_WORD = rf"(?:{'|'.join([*_SMALL, *_LARGE])})"
DIGITS = (
    r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,5}(?![0-9])|[0-9]{1,3}(?: [0-9]{3}){1,5}(?![0-9])|[0-9]+)(?:\.[0-9]+)?"
)
SCALE = r"(?:(?:k|m|mn|bn|b|t|tn)(?!\w)| ?-?(?:hundred|thousand|million|billion|trillion|bn)\b)"
WORDS = rf"\b(?:an? )?{_NUMBER_WORD}\b(?:(?: and |[ -]){_NUMBER_WORD}\b){{0,7}}"
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
    """Return whether a numeral is written without a digit."""
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


# A unit's name, its kind, and how many of the kind's basic unit it is.
_MEASURES: dict[str, tuple[str, str]] = {
    "% percent": ("percent", "1"),
    "ms msec millisecond": ("time", "0.001"),
    "s sec second": ("time", "1"),
    "min minute": ("time", "60"),
    "h hr hour": ("time", "3600"),
    "day": ("time", "86400"),
    "week": ("time", "604800"),
    "month": ("month", "1"),
    "year yr": ("month", "12"),
    "kb kilobyte": ("byte", "1e3"),
    "mb megabyte": ("byte", "1e6"),
    "gb gigabyte": ("byte", "1e9"),
    "tb terabyte": ("byte", "1e12"),
    "x time": ("times", "1"),
    "px pixel": ("pixel", "1"),
    "fps": ("fps", "1"),
    "ghz": ("ghz", "1"),
    "parameter param weight": ("parameter", "1"),
    "repository repositorie repo": ("repository", "1"),
    "person people": ("person", "1"),
    "company companie": ("company", "1"),
    "country countrie": ("country", "1"),
}
_THINGS = """
agent app article bank benchmark book chapter citation clinic commit connector contributor core cut customer
dependency deck developer document download employee engineer exercise export expression feature file fork format
founder framework function frame gpu installation integration interview investor island issue language library line
location logo market model newsroom note operator organisation organization package page paper partner pipeline
platform plugin post profile project provider publisher query question record reply request response review row
rule sample schema school seat server source speaker star step student subscriber supplier table task team template
test token tool tutorial upvote user variant version vendor video view visitor voice warehouse widget word write
"""
_UNITS: dict[str, tuple[str, Decimal]] = {
    name: (kind, Decimal(factor)) for names, (kind, factor) in _MEASURES.items() for name in names.split()
} | {thing: (thing, Decimal(1)) for thing in _THINGS.split()}
MEASURED = frozenset(kind for kind, _ in _MEASURES.values()).difference(
    ("parameter", "person", "company", "country", "repository")
)

_NEXT = re.compile(r"[ -]?(%|per ?cent\b|[^\W\d_]+)")
_FUNCTION = """
a an and are as at but by for from has have if in into is it its more less of on one or out over per so than that the
their then they this to too under up was were what when where which who will with would
"""
_FUNCTION_WORDS = frozenset(_FUNCTION.split())
_LOOKED_AT = 3


def unit_after(text: str, place: int) -> tuple[str | None, Decimal, int]:
    """Return the kind of thing that a number before this place counts, its factor, and where its name ends.

    Up to two words may stand before the name, as in `2,300 known attacks`.
    """
    end = place
    for step in range(_LOOKED_AT):
        word = _NEXT.match(text, end)
        if word is None:
            break
        name = word[1].lower().replace("per cent", "percent").replace("percent", "%")
        unit = _UNITS.get(name) or _UNITS.get(name.removesuffix("s"))
        if unit and (step == 0 or unit[0] not in MEASURED):
            return (*unit, word.end())
        if name in _FUNCTION_WORDS:
            break
        end = word.end()
    return None, Decimal(1), place


def noun_after(text: str, place: int) -> str | None:
    """Return the word after this place without its plural `s`, unless it is a function word."""
    word = _NEXT.match(text, place)
    name = word[1].lower().removesuffix("s") if word else None
    return None if name in _FUNCTION_WORDS else name
