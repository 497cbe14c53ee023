"""Replies that are no answer at all: a refusal in words, or a leak of the prompt's internal tag."""

from __future__ import annotations

import base64
import codecs
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORTEST_TELLING_PART = 10
_LONGEST_REFUSAL_START = 1_000
CANARIES_REMEMBERED = 256

_NOT_SPELLED = re.compile(r"[\W_]+")

# The start of a text, in the languages that models decline in. English needs the verb as well, because "I can't
# recommend this", "I can't help but admire" and "As an AI notebook, it" begin honest takes.
_REFUSAL = re.compile(
    r"""[\W_]*+(?:
    (?: (?:(?:i'?m|i\ am|we'?re|we\ are)\ (?:\w+\ )?)?(?:sorry|afraid)
      | my\ apologies|(?:i|we)\ apologi[sz]e|unfortunately|regrettably
    )?+
    (?:\W|but\b|that\b|however\b)*+
    (?: (?:i|we)(?:'m|'re|\ am|\ are)?\ (?:can\ ?not|can'?t|won'?t|will\ not|unable|not\ (?:able|comfortable|allowed))
        \ (?:(?:be\ able|in\ good\ conscience|really|directly|therefore|to)\ )*
        (?: help(?:\ (?:you|with|in)\b|\W*$|[.,;!])
          | (?:assist|comply|fulfil|provid|participat|engag)
          | do\ (?:that|this|so)(?!\ \w)
          | (?:review|evaluat|assess|answer|complet|continu|process|discuss|produc|generat|creat|writ)\w*
            \ (?:with\ )?(?:that|this|your|such)\b
        )
      | (?:i|we)\ (?:(?:must|have\ to|need\ to|will\ have\ to)\ )?(?:respectfully\ |politely\ )?decline\b
      | as\ an?\ (?:(?:large|ai|artificial|intelligence|language|text-based|virtual|model|assistant|system)[ ,]+)+
        (?:i|we)\b
      | (?:i\ am|i'm)\ (?:just\ |only\ )?an?\ (?:ai|(?:large\ )?language\ model|virtual\ assistant)\b
      | (?:this|that|your)\ (?:request|prompt|content)\ (?:violates|goes\ against|is\ against|cannot\ be)\b
    )
  | (?:es\ )?tut\ mir\ (?:sehr\ )?leid|leider\ kann\ ich|ich\ kann\ (?:dabei|damit|dir|ihnen|diese)
  | als\ (?:ein\ )?(?:ki|sprachmodell)\b
  | (?:je\ suis\ |nous\ sommes\ )?d[ée]sol[ée]|je\ ne\ (?:peux|suis\ pas\ en\ mesure)|malheureusement,?\ je\b
  | en\ tant\ qu|lo\ (?:siento|lamento)|no\ puedo\b|como\ (?:una?\ )?(?:ia|modelo|inteligencia)\b
  | desculpe|(?:sinto|lamento)\ muito|lamento|não\ posso\b|infelizmente,?\ não|como\ (?:um\ )?modelo\b
  | mi\ dispiace|(?:purtroppo\ )?non\ posso\b|sono\ spiacente
  | het\ spijt\ me|helaas\ kan\ ik|sorry,?\ maar\ ik|jag\ är\ ledsen|tyvärr\ kan\ jag
  | przykro\ mi|przepraszam|niestety\ nie\ mog|üzgünüm|maalesef
  | извините|простите|к\ сожалению|я\ не\ могу|как\ (?:ии|языковая)
  | 申し訳|すみません|ごめんなさい|恐れ入りますが|很?抱歉|对不起|對不起|我无法|我無法|我不能|作为(?:一个)?(?:ai|人工智能)|죄송|미안
    )""",
    re.IGNORECASE | re.VERBOSE,
)


def refuses(text: str) -> bool:
    """Whether a text begins as a refusal to answer does."""
    return _REFUSAL.match(text[:_LONGEST_REFUSAL_START].replace("\u2019", "'")) is not None


def leaks(canary: str | None, texts: Iterable[str]) -> bool:
    """Whether a text holds the canary, whatever stands between its characters.

    It is also found in other case, in full-width letters, backwards, and in base64, hexadecimal digits and
    ROT13; and so is a long enough part of it by itself.
    """
    spellings = _spellings(canary) if canary else frozenset()
    return bool(spellings) and any(s in squeezed for squeezed in map(_squeezed, texts) for s in spellings)


@lru_cache(maxsize=CANARIES_REMEMBERED)
def _spellings(canary: str) -> frozenset[str]:
    parts = [part for part in _NOT_SPELLED.split(canary) if len(part) >= _SHORTEST_TELLING_PART]
    plain = [_squeezed(text) for text in (canary, *parts)]
    raw = canary.encode()
    spelled = {*plain, *(text[::-1] for text in plain), *(codecs.encode(text, "rot13") for text in plain)}
    return frozenset(spelled | {raw.hex(), *map(_squeezed, _base64_cores(raw))}) - {""}


def _base64_cores(raw: bytes) -> Iterable[str]:
    """Yield what base64 makes of the bytes at each offset within a longer text, without the edges."""
    for offset, edge in enumerate((0, 2, 3)):
        yield base64.b64encode(bytes(offset) + raw).decode("ascii").rstrip("=")[edge:-1]


def _squeezed(text: str) -> str:
    """Return the letters and digits alone, without case."""
    if not text.isascii():
        # Character by character: normalising a whole text takes quadratic time on a run of combining marks.
        text = "".join(unicodedata.normalize("NFKC", char) for char in text)
    return _NOT_SPELLED.sub("", text).casefold()
