"""From a model's raw text to a take, to what to name in a re-ask, or to a typed reason for giving up.

    text ── reply_screen ── reply_json ── reply_fields, reply_prose ── Take
            refusal, leak   one object    fields, printable text

The rules are those of "Reply handling" in `docs/architecture.md`: a deterministic clean-up, or one re-ask that
names the faults, or no further call. Nothing is guessed.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

from panel.core.base import Frozen
from panel.core.completion import Finish
from panel.core.take import HIGHEST_SKIP, LOWEST_SHIP, Flag, NoTake, NoTakeReason, Take
from panel.prompts.reply_fields import (
    FIELDS,
    JUDGEMENT,
    by_name,
    extra_faults,
    is_blank,
    read_evidence,
    read_reasoning,
    read_recusal,
    read_score,
    read_verdict,
    texts_of,
    unmarked,
)
from panel.prompts.reply_json import NO_OBJECT, WRONG_OBJECT, Fault, find_object
from panel.prompts.reply_prose import ReplyContext, recusal_text, take_text
from panel.prompts.reply_screen import leaks, refuses

__all__ = ["Outcome", "Reply", "ReplyContext", "parse_reply"]


class Outcome(StrEnum):
    """What to do with a reply."""

    ACCEPT = "accept"
    REPAIR = "repair"
    REJECT = "reject"


class Reply(Frozen):
    """A reply as it was understood.

    Attributes:
        outcome: keep it, ask once more, or give up.
        take: the take; also set, and flagged, if all that is wrong with it is that it contradicts itself.
        no_take: what the seat ends with if there is no better reply; None only if the reply is accepted.
        problems: one sentence to the model for each fault.
    """

    outcome: Outcome
    take: Take | None = None
    no_take: NoTake | None = None
    problems: tuple[str, ...] = ()


def parse_reply(text: str, finish: Finish, context: ReplyContext, detail: str | None = None) -> Reply:
    """Understand a model's reply. No text raises, and the time it takes is linear in the text's length.

    Args:
        text: what the model wrote. It is not looked at unless the model finished.
        finish: why the model stopped.
        context: what the reply is held against.
        detail: the vendor's or the model's own words about why it did not finish.
    """
    if finish is Finish.TRUNCATED:
        return Reply(outcome=Outcome.REPAIR, no_take=_TRUNCATED, problems=(str(_CUT_OFF),))
    if finish is Finish.INTERRUPTED:
        return _repair(_INTERRUPTED)
    if finish is Finish.TOO_LONG:
        return _reject(NoTakeReason.TRUNCATED, _NO_ROOM)
    if finish is not Finish.COMPLETE:
        return _reject(NoTakeReason.REFUSED, _printable(detail, context) or _WITHHELD[finish])
    if leaks(context.canary, [text]):
        return _reject(NoTakeReason.INVALID, _LEAK)
    return _finished(text, context)


_LONGEST_LABEL = 80
_WITHHELD = {
    Finish.REFUSED: "The model declined to answer.",
    Finish.FILTERED: "The provider's content filter withheld the answer.",
}
_DECLINED = _WITHHELD[Finish.REFUSED]
_LEAK = "The reply held the prompt's internal tag."
_TRUNCATED = NoTake(reason=NoTakeReason.TRUNCATED, detail="The reply was cut off at the output limit.")
_NO_ROOM = "The listing and an answer do not fit the model's context window."
_CUT_OFF = Fault(
    "reply", "it was cut off at the output limit", "answer again, more briefly, with a complete JSON object"
)
_INTERRUPTED = Fault("reply", "it stopped before its end", "answer again with a complete JSON object")
_READS_AS_REFUSAL = Fault(
    "take", "it reads as a refusal to answer", "open with your judgement, or recuse yourself in its own field"
)
_LABELLED = Fault("reply", "it is labelled as another persona's", "answer as your own persona alone")
_BOTH = Fault(
    "recusal", "it stands beside a judgement", "give either a recusal or a take with score and verdict"
)
_CONTRADICTION = Fault(
    "score",
    "it contradicts the verdict",
    f"a ship needs {LOWEST_SHIP} or more and a skip {HIGHEST_SKIP} or less; change whichever is wrong",
)


def _printable(detail: str | None, context: ReplyContext) -> str | None:
    """Return words about a refusal if a page can carry them as they are."""
    words = recusal_text(detail or "", context)
    return words if isinstance(words, str) and not leaks(context.canary, [words]) else None


def _finished(text: str, context: ReplyContext) -> Reply:
    answer = find_object(text, context.persona)
    if not isinstance(answer, Fault):
        return _repair(_LABELLED) if _is_labelled(text, context) else _understood(answer, context)
    if answer in {NO_OBJECT, WRONG_OBJECT} and refuses(text):
        return _reject(NoTakeReason.REFUSED, _DECLINED)
    return _repair(answer)


def _is_labelled(text: str, context: ReplyContext) -> bool:
    """Whether the object comes right after another persona's name, as under a heading or a key."""
    before = text.partition("{")[0][-_LONGEST_LABEL:]
    return re.search(rf"\b{context.others}\W*$", before, re.IGNORECASE) is not None


def _understood(answer: dict[str, Any], context: ReplyContext) -> Reply:
    named = by_name(unmarked(answer, context.mark))
    if isinstance(named, Fault):
        return _repair(named)
    if leaks(context.canary, texts_of(named)):
        return _reject(NoTakeReason.INVALID, _LEAK)
    if all(is_blank(named.get(name)) for name in JUDGEMENT):
        return _without_judgement(named, context)
    take = named.get("take")
    if isinstance(take, str) and refuses(take):
        return _repair(_READS_AS_REFUSAL)
    return _judgement(named, context)


def _without_judgement(named: dict[str, Any], context: ReplyContext) -> Reply:
    if any(refuses(text) for text in texts_of(named)):
        return _reject(NoTakeReason.REFUSED, _DECLINED)
    recusal = read_recusal(named)
    if not isinstance(recusal, str):
        return _judgement(named, context) if FIELDS & named.keys() else _repair(WRONG_OBJECT)
    words = recusal_text(recusal, context)
    return _repair(words) if isinstance(words, Fault) else _reject(NoTakeReason.RECUSED, words)


def _judgement(named: dict[str, Any], context: ReplyContext) -> Reply:
    read: dict[str, Any] = {
        "verdict": read_verdict(named.get("verdict")),
        "score": read_score(named.get("score")),
        "take": take_text(named.get("take"), context),
        "evidence": read_evidence(named.get("evidence"), context.host),
        "reasoning": read_reasoning(named.get("reasoning")),
    }
    recusal = read_recusal(named)
    grounds = (_BOTH if isinstance(recusal, str) else recusal, *read.values())
    faults = [fault for fault in grounds if isinstance(fault, Fault)]
    faults += extra_faults(named, read["verdict"], context)
    return _repair(*faults) if faults else _settled(Take(**read))


def _settled(take: Take) -> Reply:
    if not take.contradicts_itself:
        return Reply(outcome=Outcome.ACCEPT, take=take)
    flagged = take.model_copy(update={"flags": (Flag.CONTRADICTION,)})
    return _repair(_CONTRADICTION).model_copy(update={"take": flagged})


def _repair(*faults: Fault) -> Reply:
    summary = "; ".join(f"{fault.where}: {fault.what}" for fault in faults)
    no_take = NoTake(reason=NoTakeReason.INVALID, detail=f"The reply could not be used ({summary}).")
    return Reply(outcome=Outcome.REPAIR, no_take=no_take, problems=tuple(map(str, faults)))


def _reject(reason: NoTakeReason, detail: str) -> Reply:
    return Reply(outcome=Outcome.REJECT, no_take=NoTake(reason=reason, detail=detail))
