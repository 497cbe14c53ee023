"""From a reply's JSON object to its fields. Each reader returns a value as it is kept, or a `Fault`.

Case and white space are forgiven, and a score may be written `"87"`, `"87/100"` or `"87%"`. Nothing is clamped,
rounded or looked for inside a longer text: "not ship" is no verdict.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from panel.core.take import Verdict
from panel.core.text import one_line, prose
from panel.prompts.reply_json import Fault
from panel.prompts.reply_prose import MAX_RAW_CHARS, ReplyContext, has_foreign_address

if TYPE_CHECKING:
    from collections.abc import Iterator

RECUSALS = ("recusal", "abstain", "recused")
JUDGEMENT = ("verdict", "score", "take")
FIELDS = frozenset({*RECUSALS, *JUDGEMENT, "evidence", "reasoning"})
MAX_EVIDENCE = 8
MAX_QUOTE_CHARS = 300

_LONGEST_WORD = 40
_NO_RECUSAL = frozenset({"", "none", "null", "n/a", "no", "false", "-"})
_SIGNATURES = frozenset({"persona", "reviewer", "critic", "role", "seat", "author", "name", "perspective"})

_SCORE = re.compile(r"(0|[1-9][0-9]{0,2})(?:\s*(?:/\s*100|%))?")
_VERDICT = re.compile(r"(ship|skip)(?: it)?", re.IGNORECASE | re.ASCII)
_CLOSING = ".!,;:…"
# An emoji may not be at odds with the word that it goes with.
_CONTRARY = {Verdict.SHIP: "👎🚫❌⛔🛑✖✗✘🙅", Verdict.SKIP: "👍✅✔🚀🚢🛳⛴"}

_WANTED_VERDICT = 'give exactly "ship" or "skip"'
_WANTED_SCORE = "give one whole number from 0 to 100"


def by_name(answer: dict[str, Any]) -> dict[str, Any] | Fault:
    """Return the fields by their names in lower case without white space around them."""
    named = {key.strip().casefold(): value for key, value in answer.items()}
    if len(named) < len(answer):
        return Fault("reply", "it has a field twice, in two spellings", "give each field once")
    return named


def unmarked(answer: dict[str, Any], mark: str | None) -> dict[str, Any]:
    """Return the fields with white space where a model copied the listing's mark."""
    return {key: _unmarked(value, mark) for key, value in answer.items()} if mark else answer


def texts_of(named: dict[str, Any]) -> Iterator[str]:
    """Yield all texts that the fields hold, alone or in a list."""
    for value in named.values():
        yield from (text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str))


def is_blank(value: object) -> bool:
    """Whether a field was left empty."""
    return value is None or (isinstance(value, str) and not value.strip())


def read_recusal(named: dict[str, Any]) -> str | Fault | None:
    """Return the words of a recusal, unchecked, or None if there is none."""
    given = [value for name in RECUSALS if not _says_no(value := named.get(name))]
    if not given:
        return None
    if isinstance(given[0], str):
        return given[0]
    return Fault("recusal", "it is not text", "give null, or the reason in one sentence")


def read_verdict(value: object) -> Verdict | Fault:
    """Return the verdict."""
    if is_blank(value):
        return Fault("verdict", "it is missing", _WANTED_VERDICT)
    if not isinstance(value, str):
        return Fault("verdict", "it is not text", _WANTED_VERDICT)
    text = one_line(value[:_LONGEST_WORD])
    around = " " + "".join(filter(_is_emoji, text))
    word = _VERDICT.fullmatch(text.lstrip(around).rstrip(around + _CLOSING))
    if len(value) > _LONGEST_WORD or word is None:
        return Fault("verdict", "it is neither ship nor skip", _WANTED_VERDICT)
    verdict = Verdict(word[1].lower())
    if any(char in _CONTRARY[verdict] for char in text):
        return Fault("verdict", "its word and its emoji disagree", _WANTED_VERDICT)
    return verdict


def read_score(value: object) -> int | Fault:
    """Return the score."""
    if is_blank(value):
        return Fault("score", "it is missing", _WANTED_SCORE)
    number = _number(value)
    if number is None:
        return Fault("score", "it is not a whole number", _WANTED_SCORE)
    if not 0 <= number <= 100:  # noqa: PLR2004 - the scale
        shown = str(number) if abs(number) < 10**6 else "the number"
        return Fault("score", f"{shown} is outside 0-100", _WANTED_SCORE)
    return number


def read_evidence(value: object, host: str | None) -> tuple[str, ...] | Fault:
    """Return the quotes on one line each, without blank, repeated and over-long ones.

    Quotes with an address on another host are left out as well: a page must not carry it further.
    """
    given = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(quote, str) for quote in given):
        return Fault("evidence", "it is not a list of texts", "give a list of short quotes from the listing")
    quotes = dict.fromkeys(one_line(quote) for quote in given if len(quote) <= MAX_QUOTE_CHARS)
    return tuple(quote for quote in quotes if quote and not has_foreign_address(quote, host))[:MAX_EVIDENCE]


def read_reasoning(value: object) -> str | None:
    """Return the working, or None if there is none that can be kept; nothing depends on it."""
    return (prose(value) or None) if isinstance(value, str) and len(value) <= MAX_RAW_CHARS else None


def extra_faults(named: dict[str, Any], verdict: Verdict | Fault, context: ReplyContext) -> Iterator[Fault]:
    """Yield what fields that nobody asked for say against the answer; harmless ones are ignored."""
    signature = re.compile(rf"(?:the )?{context.others}", re.IGNORECASE)
    for name, value in named.items():
        if name in FIELDS or not isinstance(value, str):
            continue
        if name in _SIGNATURES and signature.fullmatch(value.strip()):
            yield Fault("reply", "it is signed by another persona", f"answer as the {context.persona} alone")
        if {read_verdict(value), verdict} == set(Verdict):
            yield Fault("reply", "it gives two different verdicts", _WANTED_VERDICT)


def _unmarked(value: Any, mark: str) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return value.replace(mark, " ")
    return [_unmarked(item, mark) for item in value] if isinstance(value, list) else value


def _says_no(value: object) -> bool:
    return (
        value is None
        or value is False
        or (isinstance(value, str) and value.strip().casefold() in _NO_RECUSAL)
    )


def _is_emoji(char: str) -> bool:
    return (
        unicodedata.category(char) == "So"
        or char in "\u200d\ufe0e\ufe0f"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
    )


def _number(value: object) -> int | None:
    match value:
        case bool():
            return None
        case int():
            return value
        case float():
            return int(value) if value.is_integer() else None
        case str() if len(value) <= _LONGEST_WORD and (written := _SCORE.fullmatch(value.strip())):
            return int(written[1])
    return None
