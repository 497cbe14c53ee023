"""Text in a listing that speaks to the panel instead of its readers, or that hides.

A flag for an editor and no defence: what keeps such text from working is in `panel.prompts.prompt_fence`, the prompt and the
pages. The patterns name families of attack (override, dictated verdict, role marker, forged answer, leak, threat, hidden
text), not their wording; they are also tried on what a text says backwards, in ROT13, in digits for letters and in base64.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from typing import TYPE_CHECKING

from panel.checks.injection_patterns import SPEAKS_TO_PANEL
from panel.checks.spelling import plain, sentences
from panel.core.finding import CheckKind

if TYPE_CHECKING:
    from collections.abc import Iterator

_BOTH = (
    re.compile(r"\b(?:ship|skip)\b", re.IGNORECASE),
    re.compile(r"\b(?:100|one hundred)\b", re.IGNORECASE),
)
_THIRD = re.compile(r"\b(?:verdict|score|points|take|llm|panel|persona)\b", re.IGNORECASE)
_HIDDEN = re.compile(
    r"<!--|<(?:meta|script|style|template|noscript)\b|\baria-hidden\b|<[^<>\n]{1,200}\shidden\b|display\s?:\s?none|visibility\s?:\s?hidden|font-size\s?:\s?0"
    r"|\bdata:[a-z]+/[a-z+.-]+;base64,|<!\[CDATA\[",
    re.IGNORECASE,
)
_ENCODED = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{24,}={0,2}(?![\w+/=-])")
_LEET = str.maketrans("0134578", "oieastb")
_MIXED = re.compile(r"[^\W\d_][0134578]|[0134578][^\W\d_]")
_EXAMPLE = re.compile(
    r"\b(?:such as|like|for example|e\.g\.?|for instance|attacks?|phrases?|texts?|prompts?|blocks?|detects?|catches|stops|filters|refuses|rejects|against)[,:]? ?$",
    re.IGNORECASE,
)
_COMMON = re.compile(
    r"\b(?:the|and|to|of|is|in|with|this|all|you|your|score|verdict|ship|skip|take|ignore|give|rate|panel|100)\b",
    re.IGNORECASE,
)
_FEWEST_COMMON = 2
_REPEATED_WORDS = 3
_MOST_REPEATS = 8
_LEAST_PRINTABLE = 0.9
_LOOK_BACK = 40


def suspicious(text: str) -> Iterator[tuple[CheckKind, int, int]]:
    """Yield kind and place of each sentence of a field that speaks to the panel or hides something."""
    simple = plain(text)
    for sentence in sentences(simple):
        if _hides(sentence.text):
            yield CheckKind.HIDDEN, sentence.start, sentence.end
        elif _speaks_to_panel(sentence.text):
            yield CheckKind.INSTRUCTION, sentence.start, sentence.end
    yield from _repeated(simple)


def _speaks_to_panel(text: str) -> bool:
    return any(_is_addressed(view) or _dictates(view) for view in {text: None, **dict.fromkeys(_views(text))})


def _is_addressed(text: str) -> bool:
    return any(not _is_example(text, found) for found in SPEAKS_TO_PANEL.finditer(text))


def _dictates(text: str) -> bool:
    return all(word.search(text) for word in _BOTH) and _THIRD.search(text) is not None


def _views(text: str) -> Iterator[str]:
    """Yield what a text says with digits for letters, if a word has both, and backwards and in ROT13 if that is words at all."""
    if _MIXED.search(text):
        yield text.translate(_LEET)
    yield from filter(_reads, (text[::-1], codecs.encode(text, "rot13")))


def _reads(text: str) -> bool:
    """Whether a text has enough common words to be looked at closely, which takes a while."""
    return len(_COMMON.findall(text)) >= _FEWEST_COMMON


def _is_example(text: str, found: re.Match[str]) -> bool:
    """Whether a match stands in quotation marks after words that introduce an example, as tools against such texts write."""
    before = text[: found.start()]
    mark = max(before.rfind('"'), before.rfind("'"))
    closed = text[found.end() :].find(before[mark]) >= 0 if mark >= 0 else False
    return closed and _EXAMPLE.search(before[max(0, mark - _LOOK_BACK) : mark]) is not None


def _hides(text: str) -> bool:
    return _HIDDEN.search(text) is not None or any(
        _is_encoded_text(run[0]) for run in _ENCODED.finditer(text)
    )


def _is_encoded_text(run: str) -> bool:
    """Whether a run of letters and digits is base64 of readable text; keys, digests and long words are not."""
    body = run.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        decoded = base64.b64decode(body + "=" * (-len(body) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return False
    readable = sum(char.isalnum() or char in " .,:;!?'\"-_=\n" for char in decoded)
    return " " in decoded and readable >= _LEAST_PRINTABLE * len(decoded)


def _repeated(text: str) -> Iterator[tuple[CheckKind, int, int]]:
    """Yield the place of three words that are repeated many times on end."""
    words = [(found[0].casefold(), *found.span()) for found in re.finditer(r"\w+", text)]
    start = run = 0
    for place in range(_REPEATED_WORDS, len(words)):
        same = words[place][0] == words[place - _REPEATED_WORDS][0]
        start, run = (start, run + 1) if same and run else (place - _REPEATED_WORDS, int(same))
        if run == _REPEATED_WORDS * _MOST_REPEATS:
            yield CheckKind.INSTRUCTION, words[start][1], words[place][2]
