"""Parse a model's raw text into a take, into problems to name in a re-ask, or into a typed reason to give up.

    text -> refusal or leak (reply_text) -> one object (answer_json) -> fields -> printable prose (reply_text) -> Take

The rules are those of "Replies" in `docs/architecture.md`: a deterministic clean-up, one re-ask, or no further call.
Case and white space are ignored, and a score may be written `"87"`, `"87/100"` or `"87%"`. Nothing is clamped, rounded,
guessed or looked for inside a longer text: "not ship" is no verdict.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from panel.core.completion import FinishReason
from panel.core.frozen import Frozen
from panel.core.take import HIGHEST_SKIP, LOWEST_SHIP, Flag, NoTake, NoTakeReason, Take, Verdict
from panel.core.text import one_line, prose
from panel.prompts.answer_json import NO_OBJECT, WRONG_OBJECT, ReplyProblem, find_object
from panel.prompts.reply_text import (
    MAX_RAW_CHARS,
    ReplyContext,
    has_foreign_address,
    leaks,
    recusal_text,
    refuses,
    take_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Outcome", "Reply", "ReplyContext", "parse_reply"]

MAX_EVIDENCE = 8
MAX_QUOTE_CHARS = 300

_RECUSALS = ("recusal", "abstain", "recused")
_JUDGEMENT = ("verdict", "score", "take")
_FIELDS = frozenset({*_RECUSALS, *_JUDGEMENT, "evidence", "reasoning"})
_NO_RECUSAL = frozenset({"", "none", "null", "n/a", "no", "false", "-"})
_SIGNATURES = frozenset({"persona", "reviewer", "critic", "role", "seat", "author", "name", "perspective"})

_LONGEST_LABEL = 80
_LONGEST_WORD = 40
_SCORE = re.compile(r"(0|[1-9][0-9]{0,2})(?:\s*(?:/\s*100|%))?")
_VERDICT = re.compile(r"(ship|skip)(?: it)?", re.IGNORECASE | re.ASCII)
_CLOSING = ".!,;:…"
# An emoji must not contradict the word beside it.
_CONTRARY = {Verdict.SHIP: "👎🚫❌⛔🛑✖✗✘🙅", Verdict.SKIP: "👍✅✔🚀🚢🛳⛴"}

_GIVE_VERDICT = 'give exactly "ship" or "skip"'
_GIVE_SCORE = "give one whole number from 0 to 100"
_WITHHELD = {
    FinishReason.REFUSED: "The model declined to answer.",
    FinishReason.FILTERED: "The provider's content filter withheld the answer.",
}
_LEAK = "The reply held the prompt's internal tag."
_TRUNCATED = NoTake(reason=NoTakeReason.TRUNCATED, detail="The reply was cut off at the output limit.")
_NO_ROOM = "The listing and an answer do not fit the model's context window."
_CUT_OFF = ReplyProblem(
    "reply", "it was cut off at the output limit", "answer again, more briefly, with a complete JSON object"
)
_INTERRUPTED = ReplyProblem("reply", "it stopped before its end", "answer again with a complete JSON object")
_READS_AS_REFUSAL = ReplyProblem(
    "take", "it reads as a refusal to answer", "open with your judgement, or recuse yourself in its own field"
)
_LABELLED = ReplyProblem("reply", "it is labelled as another persona's", "answer as your own persona alone")
_TWICE = ReplyProblem("reply", "it has a field twice, in two spellings", "give each field once")
_BOTH = ReplyProblem(
    "recusal", "it stands beside a judgement", "give either a recusal or a take with score and verdict"
)
_CONTRADICTION = ReplyProblem(
    "score",
    "it contradicts the verdict",
    f"a ship needs {LOWEST_SHIP} or more and a skip {HIGHEST_SKIP} or less; change whichever is wrong",
)


class Outcome(StrEnum):
    """The next step after a reply: keep it, ask once more, or give up."""

    ACCEPT = "accept"
    REPAIR = "repair"
    REJECT = "reject"


class Reply(Frozen):
    """A parsed reply, with a sentence to the model about each problem.

    The take is also set, and flagged, if its only problem is that it contradicts itself. `no_take` is the outcome of the seat
    unless a better reply follows; it is None only if the reply is accepted.
    """

    outcome: Outcome
    take: Take | None = None
    no_take: NoTake | None = None
    problems: tuple[str, ...] = ()


def parse_reply(text: str, finish: FinishReason, context: ReplyContext, detail: str | None = None) -> Reply:
    """Return a model's reply in parsed form. No text raises, and the time is linear in the text's length.

    The text is ignored unless the model finished; `detail` are the words of the vendor or the model about a refusal.
    """
    match finish:
        case FinishReason.COMPLETE:
            return _parse_text(text, context)
        case FinishReason.TRUNCATED:
            return _repair(_CUT_OFF).model_copy(update={"no_take": _TRUNCATED})
        case FinishReason.INTERRUPTED:
            return _repair(_INTERRUPTED)
        case FinishReason.TOO_LONG:
            return _reject(NoTakeReason.TRUNCATED, _NO_ROOM)
        case _:
            words = recusal_text(detail or "", context)
            if isinstance(words, ReplyProblem) or leaks(context.canary, [words]):
                words = _WITHHELD[finish]
            return _reject(NoTakeReason.REFUSED, words)


def _parse_text(text: str, context: ReplyContext) -> Reply:
    if leaks(context.canary, [text]):
        return _reject(NoTakeReason.INVALID, _LEAK)
    answer = find_object(text, context.persona)
    if isinstance(answer, ReplyProblem):
        no_answer = answer in {NO_OBJECT, WRONG_OBJECT}
        return _refused() if no_answer and refuses(text) else _repair(answer)
    # Another persona's name before the object, as in a heading or a key.
    before = text.partition("{")[0][-_LONGEST_LABEL:]
    if re.search(rf"\b{context.others}\W*$", before, re.IGNORECASE):
        return _repair(_LABELLED)
    return _parse_answer(answer, context)


def _parse_answer(answer: dict[str, Any], context: ReplyContext) -> Reply:
    fields = {key.strip().casefold(): _unmarked(value, context.mark) for key, value in answer.items()}
    if len(fields) < len(answer):
        return _repair(_TWICE)
    if leaks(context.canary, _texts(fields)):
        return _reject(NoTakeReason.INVALID, _LEAK)
    take = fields.get("take")
    if not all(_is_blank(fields.get(name)) for name in _JUDGEMENT):
        refusal = isinstance(take, str) and refuses(take)
        return _repair(_READS_AS_REFUSAL) if refusal else _parse_judgement(fields, context)
    if any(map(refuses, _texts(fields))):
        return _refused()
    recusal = _read_recusal(fields)
    if isinstance(recusal, str):
        words = recusal_text(recusal, context)
        return _repair(words) if isinstance(words, ReplyProblem) else _reject(NoTakeReason.RECUSED, words)
    return _parse_judgement(fields, context) if _FIELDS & fields.keys() else _repair(WRONG_OBJECT)


def _parse_judgement(fields: dict[str, Any], context: ReplyContext) -> Reply:
    values: dict[str, Any] = {
        "verdict": _read_verdict(fields.get("verdict")),
        "score": _read_score(fields.get("score")),
        "take": take_text(fields.get("take"), context),
        "evidence": _read_evidence(fields.get("evidence"), context.host),
        "reasoning": _read_reasoning(fields.get("reasoning")),
    }
    recusal = _read_recusal(fields)
    results = (_BOTH if isinstance(recusal, str) else recusal, *values.values())
    problems = [result for result in results if isinstance(result, ReplyProblem)]
    problems += _problems_of_extra_fields(fields, values["verdict"], context)
    if problems:
        return _repair(*problems)
    take = Take(**values)
    if not take.contradicts_itself:
        return Reply(outcome=Outcome.ACCEPT, take=take)
    flagged = take.model_copy(update={"flags": (Flag.CONTRADICTION,)})
    return _repair(_CONTRADICTION).model_copy(update={"take": flagged})


def _repair(*problems: ReplyProblem) -> Reply:
    summary = "; ".join(f"{problem.field}: {problem.error}" for problem in problems)
    no_take = NoTake(reason=NoTakeReason.INVALID, detail=f"The reply could not be used ({summary}).")
    return Reply(outcome=Outcome.REPAIR, no_take=no_take, problems=tuple(map(str, problems)))


def _reject(reason: NoTakeReason, detail: str) -> Reply:
    return Reply(outcome=Outcome.REJECT, no_take=NoTake(reason=reason, detail=detail))


def _refused() -> Reply:
    return _reject(NoTakeReason.REFUSED, _WITHHELD[FinishReason.REFUSED])


def _texts(fields: dict[str, Any]) -> Iterator[str]:
    for value in fields.values():
        yield from (text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str))


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _unmarked(value: Any, mark: str | None) -> Any:  # noqa: ANN401 - any JSON value
    """Return a text or list of texts with spaces in place of the listing's mark, which models copy."""
    if isinstance(value, list):
        return [_unmarked(item, mark) if isinstance(item, str) else item for item in value]
    return value.replace(mark, " ") if mark and isinstance(value, str) else value


def _read_recusal(fields: dict[str, Any]) -> str | ReplyProblem | None:
    for name in _RECUSALS:
        value = fields.get(name)
        if isinstance(value, str):
            if value.strip().casefold() not in _NO_RECUSAL:
                return value
        elif value is not None and value is not False:
            return ReplyProblem("recusal", "it is not text", "give null, or the reason in one sentence")
    return None


def _read_verdict(value: object) -> Verdict | ReplyProblem:
    if _is_blank(value):
        return ReplyProblem("verdict", "it is missing", _GIVE_VERDICT)
    if not isinstance(value, str):
        return ReplyProblem("verdict", "it is not text", _GIVE_VERDICT)
    text = one_line(value[:_LONGEST_WORD])
    around = " " + "".join(filter(_is_emoji, text))
    word = _VERDICT.fullmatch(text.lstrip(around).rstrip(around + _CLOSING))
    if len(value) > _LONGEST_WORD or word is None:
        return ReplyProblem("verdict", "it is neither ship nor skip", _GIVE_VERDICT)
    verdict = Verdict(word[1].lower())
    if any(char in _CONTRARY[verdict] for char in text):
        return ReplyProblem("verdict", "its word and its emoji disagree", _GIVE_VERDICT)
    return verdict


def _is_emoji(char: str) -> bool:
    joins = char in "\u200d\ufe0e\ufe0f" or "\U0001f3fb" <= char <= "\U0001f3ff"
    return joins or unicodedata.category(char) == "So"


def _read_score(value: object) -> int | ReplyProblem:
    if _is_blank(value):
        return ReplyProblem("score", "it is missing", _GIVE_SCORE)
    number = _whole_number(value)
    if number is None:
        return ReplyProblem("score", "it is not a whole number", _GIVE_SCORE)
    if not 0 <= number <= 100:  # noqa: PLR2004 - the scale
        shown = str(number) if abs(number) < 10**6 else "the number"
        return ReplyProblem("score", f"{shown} is outside 0-100", _GIVE_SCORE)
    return number


def _whole_number(value: object) -> int | None:
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


def _read_evidence(value: object, host: str | None) -> tuple[str, ...] | ReplyProblem:
    """Return the quotes, one line each; blank, repeated and too long ones and those with foreign addresses are dropped."""
    given = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(quote, str) for quote in given):
        remedy = "give a list of short quotes from the listing"
        return ReplyProblem("evidence", "it is not a list of texts", remedy)
    quotes = dict.fromkeys(one_line(quote) for quote in given if len(quote) <= MAX_QUOTE_CHARS)
    return tuple(quote for quote in quotes if quote and not has_foreign_address(quote, host))[:MAX_EVIDENCE]


def _read_reasoning(value: object) -> str | None:
    """Return the working, or None; nothing depends on it, so it is never a problem."""
    return (prose(value) or None) if isinstance(value, str) and len(value) <= MAX_RAW_CHARS else None


def _problems_of_extra_fields(
    fields: dict[str, Any], verdict: Verdict | ReplyProblem, context: ReplyContext
) -> Iterator[ReplyProblem]:
    """Yield a problem for each field outside the schema that contradicts the answer; others are ignored."""
    signature = re.compile(rf"(?:the )?{context.others}", re.IGNORECASE)
    for name, value in fields.items():
        if name in _FIELDS or not isinstance(value, str):
            continue
        if name in _SIGNATURES and signature.fullmatch(value.strip()):
            remedy = f"answer as the {context.persona} alone"
            yield ReplyProblem("reply", "it is signed by another persona", remedy)
        if {_read_verdict(value), verdict} == set(Verdict):
            yield ReplyProblem("reply", "it gives two different verdicts", _GIVE_VERDICT)
