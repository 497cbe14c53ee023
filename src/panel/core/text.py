"""Text: clean it of invisible characters, cut it at spans, and turn names into slugs.

Invisible are the Unicode general categories Cc, Cf, Cn, Co and Cs, and characters of other categories with the property
Default_Ignorable_Code_Point (DerivedCoreProperties.txt). Emoji sequences (UTS #51) keep those that they need.
"""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from datetime import UTC
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from panel.core.frozen import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

MAX_SLUG_CHARS = 80
SLUG_PATTERN = r"[a-z0-9]+(-[a-z0-9]+)*"

_HASH_CHARS = 8
_COMPARED_CHARS = 60
_SEPARATOR = "-vs-"  # between the slugs of a comparison
_DEVICES = {"aux", "con", "nul", "prn", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}
_WORDS = """
404 500 about admin api archive assets atom categories category compare comparisons draft drafts favicon feed
health home index json latest login logout methodology panel personas queue reports review reviews robots rss
search sitemap static tag tags tool tools
"""
RESERVED_SLUGS = frozenset(_DEVICES) | frozenset(_WORDS.split())
"""Device names of Windows, and words that are no tool's address on its own.

The set is fixed: another word would change the slugs of tools that were reviewed under it. A page of the site needs no word here,
because tools lie below `tools/`; what each page reserves is declared in `panel.site.pages`.
"""

_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# The empty Braille cell is blank, but not white space.
_BLANKS = str.maketrans({"\t": " ", "\u2800": " "})

# Extended_Pictographic, and U+2194 only with a selector: alone it composes with U+0338 to another arrow.
_PICTOGRAPH = (
    "(?:[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2195-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf\u23e9-\u23f3"
    "\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c"
    "\u2b50\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
    "|\u2194(?=[\ufe0e\ufe0f]))"
)
_ELEMENT = f"{_PICTOGRAPH}[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]?"
_KEYCAP = "[0-9#*]\ufe0f?\u20e3"


_FLAGS = [
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")  # the only ones that UTS #51 recommends
]
_EMOJI = re.compile(f"({'|'.join(_FLAGS)}|{_KEYCAP}|{_ELEMENT}(?:\u200d{_ELEMENT})*)")
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_DROPPED = dict.fromkeys(map(ord, "'\u2019\u2122\u2120\u00ae\u00a9"))  # apostrophes and legal marks


def one_line(text: str) -> str:
    """Return the visible text on one line, with single spaces between words; lone surrogates are accepted."""
    return unicodedata.normalize("NFC", " ".join(_visible(text).split()))


def prose(text: str) -> str:
    """Return the visible text with its lines, and at most one blank line in a row; lone surrogates are accepted."""
    lines = "\n".join(" ".join(line.split()) for line in _visible(text).split("\n"))
    return unicodedata.normalize("NFC", re.sub(r"\n{3,}", "\n\n", lines).strip())


def well_formed(text: str) -> str:
    """Return text that can be encoded: surrogate pairs are joined, lone surrogates become U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def is_invisible(char: str) -> bool:
    """Return whether a character is invisible: a control, unassigned, or ignorable by default."""
    return unicodedata.category(char)[0] == "C" or _IGNORABLE.match(char) is not None


def canonical(name: str) -> str:
    """Return the normal form of a name for comparison: trimmed and without case."""
    return one_line(name).casefold()


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return advice on an unknown word: the closest known one, or other advice if none is close."""
    close = difflib.get_close_matches(word[:_COMPARED_CHARS], list(known), n=1)
    return f"did you mean {close[0]}?" if close else otherwise


def slugify(name: str) -> str:
    """Return the slug of a name: 1-80 of `a-z`, `0-9` and single hyphens, never a reserved one.

    Accents and punctuation are dropped. If the name has a distinctive character without an ASCII form (`C++`, `C#`, a
    Japanese name) or is shortened, a short hash of it is added.
    """
    folded = _ascii_fold(name)
    words = re.findall("[a-z0-9]+", folded)
    slug = "-".join(words)
    if _loses_distinction(folded) or len(slug) > MAX_SLUG_CHARS or is_reserved_slug(slug):
        return hashed_slug(slug, name)
    return slug


def hashed_slug(slug: str, name: str) -> str:
    """Return the slug, shortened, with a short hash of slug and name at its end."""
    digest = digest_of([slug, canonical(name)])[:_HASH_CHARS]
    stem = slug[: MAX_SLUG_CHARS - _HASH_CHARS - 1].strip("-")
    return f"{stem or 'tool'}-{digest}"


def is_reserved_slug(slug: str) -> bool:
    """Return whether a slug is empty, reserved, or reads like that of a comparison."""
    return not slug or slug in RESERVED_SLUGS or _SEPARATOR in slug


def _visible(text: str) -> str:
    spaced = _LINE_BREAKS.sub("\n", well_formed(text)).translate(_BLANKS)
    hidden = {ord(char): None for char in set(spaced) if char != "\n" and is_invisible(char)}
    if not hidden:
        return spaced
    # A split by a pattern with one group alternates between plain text and emoji sequences.
    pieces = _EMOJI.split(spaced)
    pieces[::2] = [plain.translate(hidden) for plain in pieces[::2]]
    return "".join(pieces)


def _ascii_fold(name: str) -> str:
    kept = one_line(name).translate(_DROPPED)
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", kept).casefold())
    return "".join(char for char in decomposed if unicodedata.category(char) != "Mn")


def _loses_distinction(folded: str) -> bool:
    return any(
        char in "#&*@%"
        or (unicodedata.category(char)[0] in "LNSC" and not (char.isascii() and char.isalnum()))
        for char in folded
    )


def joined(parts: Sequence[str]) -> str:
    """Return a list in words: `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


_CENTS, _DECIMALS, _SIGNIFICANT = 2, 4, 2


def dollars(amount: float) -> str:
    """Return US dollars as text: cents from one dollar up (`$1.20`), below that two significant digits (`$0.0034`)."""
    if amount >= 1 or not amount:
        return f"${amount:,.{_CENTS}f}"
    decimals = max(_DECIMALS, _SIGNIFICANT - 1 - math.floor(math.log10(amount)))
    whole, _, fraction = f"{amount:.{decimals}f}".partition(".")
    return f"${whole}.{fraction.rstrip('0'):0<{_DECIMALS}}"


THOUSAND = 1_000


def byte_size(size: int) -> str:
    """Return a number of bytes for people: `812 KB`, `12.3 MB`, `1.2 GB`."""
    kilobytes = size / THOUSAND
    if kilobytes < THOUSAND:
        return f"{kilobytes:,.0f} KB"
    megabytes = kilobytes / THOUSAND
    return f"{megabytes:,.1f} MB" if megabytes < THOUSAND else f"{megabytes / THOUSAND:,.1f} GB"


def utc_time(at: datetime) -> str:
    """Return a time to the second: `2026-11-22 09:30:00 UTC`."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


class TextPiece(NamedTuple):
    """A piece of a text, its place, and the keys of the spans that cover it."""

    text: str
    start: int
    end: int
    spans: tuple[int, ...] = ()


def split_at_spans(text: str, spans: Mapping[int, tuple[int, int]], offset: int = 0) -> list[TextPiece]:
    """Return a text in pieces, each of which a span covers whole or not at all; together they are the text.

    Spans are in characters; they may overlap, and lie outside of the text. For a line of a longer text, `offset` is the place of its start.
    """
    end = offset + len(text)
    edges = {edge for span in spans.values() for edge in span if offset < edge < end}
    return [
        TextPiece(
            text[left - offset : right - offset],
            left,
            right,
            tuple(key for key, (start, stop) in spans.items() if start < right and stop > left),
        )
        for left, right in pairwise(sorted({offset, end, *edges}))
    ]


def counted(number: int, noun: str) -> str:
    """Return a number and a noun: `1 seat`, `2,000 seats`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
