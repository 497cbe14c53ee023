"""Fence an untrusted listing off from the instructions around it in a prompt.

The listing is normalised when it is loaded (`panel.core.text`); here it is encoded, datamarked and fenced. The methods are
delimiting and datamarking from "Defending Against Indirect Prompt Injection Attacks With Spotlighting" (Hines et al., 2024),
with fences that an attacker cannot predict.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from panel.core.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.core.tool import Tool

MARKS = "ˆ˜˘¦¤¬‡†◊¶§∎▪▸◦⁂"
LONGEST_UNMARKED = 16
LONGEST_UNSPACED = 4
"""Limit for scripts without spaces, such as Chinese, Japanese or Thai, where a few letters are a sentence."""

_FIELDS = "name tagline category maker license pricing price_class launched_on url best_for facts description"
FIELDS = tuple(_FIELDS.split())
_SCRIPTS = "CJK HIRAGANA KATAKANA HANGUL THAI LAO KHMER MYANMAR TIBETAN JAVANESE"
_UNSPACED_SCRIPTS = (*_SCRIPTS.split(), "YI ")

# Shapes rather than names, because each family of models brings new names.
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
    """The fence of one tool's listing: the line before it and the line after it, which cannot occur inside.

    The mark stands for white space in a datamarked listing, and does not occur in it. The canary is a tag in the instructions
    that must not appear in a reply.
    """

    begin: str
    end: str
    mark: str
    canary: str


def derive_fence(tool: Tool, secret: bytes) -> Fence:
    """Return the fence derived from a tool and a secret: stable for caches, unpredictable without the secret."""
    text = json.dumps(tool.model_dump(mode="json"), ensure_ascii=False)
    for attempt in range(1_000):
        key = hmac.new(secret, f"{attempt}:{tool.digest}".encode(), hashlib.sha256).digest()
        nonce, tag = key[:8].hex(), key[8:16].hex()
        first = key[16] % len(MARKS)
        order = MARKS[first:] + MARKS[:first]
        mark = next((mark for mark in order if mark not in text), f"{order[0]}{key[17:19].hex()}{order[0]}")
        if not any(part in text.casefold() for part in (nonce, tag, mark)):
            return Fence(
                begin=f"<<LISTING {nonce}>>", end=f"<<END {nonce}>>", mark=mark, canary=f"panel-{tag}"
            )
    raise AssertionError("1,000 derived markers all occur in one listing")


def fence_listing(tool: Tool, fence: Fence, *, datamark: bool) -> str:
    """Return the fenced listing, with the name and the JSON value of a field on each line."""
    values = tool.model_dump(mode="json")
    lines = [
        f"{name}: {json.dumps(_encode(values[name], fence, datamark=datamark), ensure_ascii=False)}"
        for name in FIELDS
        if values[name] and values[name] != "unknown"
    ]
    return "\n".join([fence.begin, *lines, fence.end])


def quote_reply(text: str, fence: Fence, limit: int = 1_500) -> str:
    """Return the start of a model's reply as a JSON string that can neither close the fence nor open a turn."""
    harmless = text[:limit].replace(fence.canary, "…").replace(fence.end, "…")
    return json.dumps(_break_tokens(harmless), ensure_ascii=False)


def _break_tokens(text: str) -> str:
    """Return a text with spaces inside the control tokens of chat templates, so that no tokeniser recognises them."""
    return _TEMPLATE_TOKEN.sub(lambda token: _TOKEN_EDGE.sub(r" \1 ", token[0]), text)


def _split_run(run: str) -> Iterator[str]:
    if run.isascii() and len(run) <= LONGEST_UNMARKED:
        yield run
        return
    start, width = 0, 0
    for position, char in enumerate(run):
        if unicodedata.combining(char):
            continue
        unspaced = not char.isascii() and unicodedata.name(char, "").startswith(_UNSPACED_SCRIPTS)
        char_width = LONGEST_UNMARKED // LONGEST_UNSPACED if unspaced else 1
        width += char_width
        if width > LONGEST_UNMARKED:
            yield run[start:position]
            start, width = position, char_width
    yield run[start:]


def _encode(value: Any, fence: Fence, *, datamark: bool) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        text = _break_tokens(value)
        if not datamark:
            return text
        # In place of white space, and within runs that are too long without any.
        return fence.mark.join(piece for run in text.split() for piece in _split_run(run))
    if isinstance(value, list):
        return [_encode(item, fence, datamark=datamark) for item in value]
    return {key: _encode(item, fence, datamark=datamark) for key, item in value.items()}
