"""Forms of a text for comparison, and its sentences, addresses and HTML tags."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Place = tuple[int, int]
"""Start and end in a text, in characters."""

_ALIKE = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u02bc\u2032`\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
}
_EMPHASIS = re.compile(r"[*`]|~~|(?<!\w)_+|_+(?!\w)")
_TOKENS = re.compile(r"\w+|[^\w\s]")
_SENTENCE_END = re.compile(r"[.!?\u3002]{1,8}[\"')\]]{0,4}(?=\s|$)|[\n\u3002]")
ELLIPSIS = "\u2026"

_TOP_LEVEL = (
    "com|org|net|io|ai|dev|app|co|uk|de|eu|fr|nl|ch|es|pl|se|dk|fi|jp|cn|ru|in|au|ca|us|xyz|info|biz|tv|gg|ly|cloud|tech"
    "|site|online|page|shop|store|blog|news|link|click|top|example|invalid|test|onion|edu|gov"
)
_ADDRESS = re.compile(
    r"\b(?:h(?:tt|xx)ps?|ftp)://[^\s<>\"'()\[\]]+|\b(?:javascript|data|mailto|vbscript):[^\s<>\"']+"
    r"|\bwww\.[^\s<>\"'()\[\]]+"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"
    rf"|(?<![\w@.-])(?:[a-z0-9][a-z0-9-]{{0,62}}\.){{1,6}}(?:{_TOP_LEVEL})\b(?![.-]?\w)(?:/[^\s<>\"'()\[\]]*)?",
    re.IGNORECASE,
)
# Every address has one of these and most texts have none; looking for them takes a fraction of the time.
_SIGN_OF_ADDRESS = re.compile(r":\S|@|\.\w")
_HOST = re.compile(r"(?:[a-z]+://)?(?:[^@/\s]*@)?([^/:?#]+)", re.IGNORECASE)

_ELEMENTS = (
    "a|abbr|article|aside|audio|b|base|big|blockquote|body|br|button|canvas|center|code|dd|details|div|dl|dt|em|embed|fieldset"
    "|figure|font|footer|form|frame|frameset|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|kbd|label|li|link|main|mark|marquee"
    "|math|meta|nav|noscript|object|ol|option|p|picture|pre|q|s|script|section|select|small|source|span|strike|strong|style|sub"
    "|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|title|tr|tt|u|ul|video|wbr"
)
TAG = rf"<!--|--!?>|<!\[CDATA\[|\]\]>|<!doctype\b|<\?xml\b|</?(?:{_ELEMENTS})(?=[\s/>])[^<>]{{0,500}}>?"
TAGS = re.compile(TAG, re.IGNORECASE)


class _PlainChars(dict[int, str]):
    """Maps a code point to the one plain character that it is compatible with, if any."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        compatible = unicodedata.normalize("NFKC", char)
        alike = compatible if len(compatible) == 1 else char
        self[code] = _ALIKE.get(char) or _ALIKE.get(alike, alike)
        return self[code]


_PLAIN = _PlainChars()


def plain(text: str) -> str:
    """Return the text with plain quotes, dashes, spaces and letters; its length and the place of each character stay."""
    return text.translate(_PLAIN)


def normalized(text: str) -> str:
    """Return words and punctuation with one space around each, without case, emphasis and typography."""
    bare = _EMPHASIS.sub("", text).translate(_PLAIN).replace("...", ELLIPSIS)
    # Decomposed character by character, which is linear; normalising a long run of combining marks is not.
    decomposed = "".join(char if char == ELLIPSIS else unicodedata.normalize("NFKD", char) for char in bare)
    return f" {' '.join(_TOKENS.findall(decomposed.casefold()))} "


def before(text: str, end: int, chars: int) -> str:
    """Return up to a number of characters before a place."""
    return text[max(0, end - chars) : end]


def sentences(text: str) -> Iterator[tuple[Place, str]]:
    """Yield the place and the words of each sentence; a line break ends a sentence."""
    start = 0
    for end in [*(mark.end() for mark in _SENTENCE_END.finditer(text)), len(text)]:
        piece = text[start:end]
        if words := piece.strip():
            begin = start + piece.index(words)
            yield (begin, begin + len(words)), words
        start = end


def addresses(text: str) -> Iterator[tuple[Place, str]]:
    """Yield the place and the host of each web or mail address in a plain text; that of a script or data address is empty."""
    for found in _ADDRESS.finditer(text) if _SIGN_OF_ADDRESS.search(text) else ():
        address = found[0].rstrip(".,;:!?-")
        if not address.endswith(".NET"):  # the framework
            yield (found.start(), found.start() + len(address)), _host(address.lower())


def _host(address: str) -> str:
    if "@" in address and "://" not in address:
        return address.rpartition("@")[2]
    found = None if address.startswith(("javascript:", "data:", "vbscript:")) else _HOST.match(address)
    return found[1] if found else ""
