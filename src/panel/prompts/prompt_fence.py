"""How an untrusted listing is set apart from the instructions around it.

The listing is normalised when it is loaded (`panel.core.text`). Here it is encoded, marked and fenced. The methods
are delimiting and datamarking as in "Defending Against Indirect Prompt Injection Attacks With Spotlighting"
(Hines et al., 2024), with fences that an attacker cannot predict.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from panel.core.base import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from panel.core.tool import Tool

MARKS = "ˆ˜˘¦¤¬‡†◊¶§∎▪▸◦⁂"
LONGEST_UNMARKED = 16
LONGEST_UNSPACED = 4
"""Letters of scripts that are written without spaces, such as Chinese, Japanese or Thai: a few of them are a sentence."""

_UNSPACED = (
    "CJK",
    "HIRAGANA",
    "KATAKANA",
    "HANGUL",
    "THAI",
    "LAO",
    "KHMER",
    "MYANMAR",
    "TIBETAN",
    "YI ",
    "JAVANESE",
)
FIELDS = (
    "name",
    "tagline",
    "category",
    "maker",
    "license",
    "pricing",
    "price_class",
    "launched_on",
    "url",
    "best_for",
    "facts",
    "description",
)

# Shapes and not names, because each family of models brings new names.
_TEMPLATE_TOKEN = re.compile(
    r"""
    <[|｜] | [|｜]> | \[[|｜] | [|｜]\] | ｜ | [\[\]]~ | ~[\[\]]    # <|im_start|>, <|turn>, [|endofturn|], ]~b]
  | <{1,3}/?[a-zA-Z][\w:.|-]{0,60}(?:\s[^<>]{0,200})?/?>{1,3}    # <s>, </think>, <BOS_TOKEN>, <seed:bos>, <<SYS>>
  | \[/?[A-Z][A-Z_]{2,40}\]                                     # [INST], [/TOOL_CALLS]
  | \[/?gMASK\]
  | >{2}[A-Z_]{2,40}<{2}                                        # >>ANSWER<<
  | \#{2,}[ ]*(?:Instructions?|Response|System|User|Assistant|Human|Input|Output|Prompt)\b[ ]*:?
    """,
    re.VERBOSE,
)
_TOKEN_EDGE = re.compile(r"([<>|｜\[\]#/:~])")


class Fence(Frozen):
    """What fences one tool's listing in.

    Attributes:
        begin: line before the listing.
        end: line after it; it cannot occur inside.
        mark: character that stands for white space in a datamarked listing; it does not occur in it.
        canary: tag in the instructions that must never come back in a reply.
    """

    begin: str
    end: str
    mark: str
    canary: str


def guard_for(tool: Tool, secret: bytes) -> Fence:
    """Derive a tool's guard from its content and a secret: stable for caches, unpredictable without the secret."""
    text = _plain(tool)
    for attempt in range(1_000):
        key = hmac.new(secret, f"{attempt}:{tool.digest}".encode(), hashlib.sha256).digest()
        nonce, tag = key[:8].hex(), key[8:16].hex()
        mark = _mark(key, text)
        if not any(secret_text in text.casefold() for secret_text in (nonce, tag, mark)):
            return Fence(
                begin=f"<<LISTING {nonce}>>", end=f"<<END {nonce}>>", mark=mark, canary=f"panel-{tag}"
            )
    raise AssertionError("1,000 derived markers all occur in one listing")


def listing_block(tool: Tool, guard: Fence, *, datamark: bool) -> str:
    """Return the listing between its two lines: a field name and a JSON value per line."""
    lines = [
        f"{name}: {json.dumps(_encoded(value, guard, datamark=datamark), ensure_ascii=False)}"
        for name, value in _fields(tool)
    ]
    return "\n".join([guard.begin, *lines, guard.end])


def quoted_reply(text: str, guard: Fence, limit: int = 1_500) -> str:
    """Return the start of a model's reply as a JSON string that cannot close the fence or open a turn."""
    return json.dumps(
        spaced(text[:limit].replace(guard.canary, "…").replace(guard.end, "…")), ensure_ascii=False
    )


def spaced(text: str) -> str:
    """Break the control tokens of chat templates up with spaces, so that no tokeniser knows them."""
    return _TEMPLATE_TOKEN.sub(lambda token: _TOKEN_EDGE.sub(r" \1 ", token[0]), text)


def datamarked(text: str, mark: str) -> str:
    """Put the mark in place of white space, and into what runs on without any for too long."""
    return mark.join(piece for run in text.split() for piece in _pieces(run))


def _pieces(run: str) -> Iterable[str]:
    return (run,) if run.isascii() and len(run) <= LONGEST_UNMARKED else _broken(run)


def _broken(run: str) -> Iterator[str]:
    start, width = 0, 0
    for position, char in enumerate(run):
        if unicodedata.combining(char):
            continue
        width += LONGEST_UNMARKED // LONGEST_UNSPACED if _is_unspaced(char) else 1
        if width > LONGEST_UNMARKED:
            yield run[start:position]
            start, width = position, LONGEST_UNMARKED // LONGEST_UNSPACED if _is_unspaced(char) else 1
    yield run[start:]


def _is_unspaced(char: str) -> bool:
    return not char.isascii() and unicodedata.name(char, "").startswith(_UNSPACED)


def _encoded(value: Any, guard: Fence, *, datamark: bool) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        text = spaced(value)
        return datamarked(text, guard.mark) if datamark else text
    if isinstance(value, list):
        return [_encoded(item, guard, datamark=datamark) for item in value]
    return {key: _encoded(item, guard, datamark=datamark) for key, item in value.items()}


def _fields(tool: Tool) -> Iterator[tuple[str, Any]]:
    values = tool.model_dump(mode="json")
    for name in FIELDS:
        if values[name] and values[name] != "unknown":
            yield name, values[name]


def _plain(tool: Tool) -> str:
    return json.dumps(tool.model_dump(mode="json"), ensure_ascii=False)


def _mark(key: bytes, text: str) -> str:
    first = key[16] % len(MARKS)
    order = MARKS[first:] + MARKS[:first]
    return next((mark for mark in order if mark not in text), f"{order[0]}{key[17:19].hex()}{order[0]}")
