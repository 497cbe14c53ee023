"""Web and mail addresses in a text, and markup.

Takes are plain prose (`prompts/take.md.j2`): whatever asks to be rendered or followed was put there by the listing or by
the model, and an editor should see it even though every page escapes it.
"""

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
_SIGN_OF_ADDRESS = re.compile(r":\S|@|\.\w")
"""What every address has, and most texts have not; looking for it takes a fraction of the time."""
_HOST = re.compile(r"(?:[a-z]+://)?(?:[^@/\s]*@)?([^/:?#]+)", re.IGNORECASE)

_ELEMENTS = (
    "a|abbr|article|aside|audio|b|base|big|blockquote|body|br|button|canvas|center|code|dd|details|div|dl|dt|em|embed|fieldset"
    "|figure|font|footer|form|frame|frameset|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|kbd|label|li|link|main|mark|marquee"
    "|math|meta|nav|noscript|object|ol|option|p|picture|pre|q|s|script|section|select|small|source|span|strike|strong|style|sub"
    "|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|title|tr|tt|u|ul|video|wbr"
)
_TAG = rf"<!--|--!?>|<!\[CDATA\[|\]\]>|<!doctype\b|<\?xml\b|</?(?:{_ELEMENTS})(?=[\s/>])[^<>]{{0,500}}>?"
_TAGS = re.compile(_TAG, re.IGNORECASE)
_MARKUP = re.compile(
    rf"{_TAG}|"
    r"!?\[[^\[\]\n]{0,200}\]\([^()\n]{1,500}\)|!?\[[^\[\]\n]{1,200}\]\[[^\[\]\n]{0,80}\]|^ {0,3}\[[^\[\]\n]{1,80}\]: ?\S+"
    r"|\*\*[^*\n]{1,200}\*\*|(?<!\w)__[^_\n]{1,200}__(?!\w)|^ {0,3}#{1,6} [^\n]{1,200}|^ {0,3}(?:```|~~~)|^ {0,3}[-*+] (?=\w)|```",
    re.IGNORECASE | re.MULTILINE,
)
_SIGN_OF_MARKUP = re.compile(r"[<>\[\]*_#`~]|^ {0,3}[-+] ", re.MULTILINE)
_TRAILING = ".,;:!?-"


def addresses(text: str) -> Iterator[tuple[tuple[int, int], str]]:
    """Yield the place and the host of each address in a plain text; the host of a script is empty."""
    for found in _ADDRESS.finditer(text) if _SIGN_OF_ADDRESS.search(text) else ():
        address = found[0].rstrip(_TRAILING)
        if not address.endswith(".NET"):  # the framework
            yield (found.start(), found.start() + len(address)), _host(address)


def is_own(host: str, own: str | None) -> bool:
    """Whether a host is the tool's own, or lies under it."""
    mine = (own or "").removeprefix("www.")
    return bool(mine) and (host == mine or host.endswith(f".{mine}"))


def markup(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of HTML and Markdown in a text; `a < b` and `<T>` are neither."""
    for found in _MARKUP.finditer(text) if _SIGN_OF_MARKUP.search(text) else ():
        yield found.span()


def tags(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of HTML alone."""
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
