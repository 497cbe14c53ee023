"""Web and mail addresses, and HTML tags, in a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

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
_TAGS = re.compile(TAG, re.IGNORECASE)
_TRAILING = ".,;:!?-"


def addresses(text: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Yield the place and the host of each address in a plain text; a script or data address has an empty host."""
    for found in _ADDRESS.finditer(text) if _SIGN_OF_ADDRESS.search(text) else ():
        address = found[0].rstrip(_TRAILING)
        if not address.endswith(".NET"):  # the framework
            yield (found.start(), found.start() + len(address)), _host(address)


def tags(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of HTML tags and comments."""
    for found in _TAGS.finditer(text):
        yield found.span()


def _host(address: str) -> str:
    if "@" in address and "://" not in address:
        return address.rpartition("@")[2].lower()
    found = _HOST.match(address)
    return (
        ""
        if found is None or address.lower().startswith(("javascript:", "data:", "vbscript:"))
        else found[1].lower()
    )
