"""Text in a listing that is hidden: by markup, or by base64."""

from __future__ import annotations

import base64
import binascii
import re

from panel.checks.inputs import ListingField
from panel.checks.matching import plain, sentences
from panel.checks.registry import Hits, input_check

_HIDDEN = re.compile(
    r"<!--|<(?:meta|script|style|template|noscript)\b|\baria-hidden\b|<[^<>\n]{1,200}\shidden\b|display\s?:\s?none|visibility\s?:\s?hidden|font-size\s?:\s?0"
    r"|\bdata:[a-z]+/[a-z+.-]+;base64,|<!\[CDATA\[",
    re.IGNORECASE,
)
_ENCODED = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{24,}={0,2}(?![\w+/=-])")
_LEAST_PRINTABLE = 0.9


def is_hidden(sentence: str) -> bool:
    """Return whether a sentence hides something from a reader of the page."""
    return bool(_HIDDEN.search(sentence)) or any(map(_is_encoded_text, _ENCODED.findall(sentence)))


@input_check(
    ListingField,
    "hidden",
    "Hidden text in the listing",
    "The listing hides text here: read it before you approve.",
)
def _find(subject: ListingField) -> Hits:
    for place, sentence in sentences(plain(subject.text)):
        if is_hidden(sentence):
            yield subject.hit(place)


def _is_encoded_text(run: str) -> bool:
    """Return whether a run of letters and digits is base64 of readable text; keys, digests and long words are not."""
    body = run.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        decoded = base64.b64decode(body + "=" * (-len(body) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return False
    readable = sum(char.isalnum() or char in " .,:;!?'\"-_=\n" for char in decoded)
    return " " in decoded and readable >= _LEAST_PRINTABLE * len(decoded)
