"""The words that all formats share: what a report says is the same wherever it is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panel.core.comparison import joined
from panel.core.tally import PanelVerdict
from panel.core.text import one_line, prose

if TYPE_CHECKING:
    from panel.core.comparison import Comparison
    from panel.core.review import PanelReview
    from panel.core.tally import Scores

SHORT_DIGEST = 12
AI_NOTICE = "The critics are AI personas. They judged what each listing says; no human tested the tool."
EMBEDDED_NOTICE = (
    "a model so small (135 million parameters) that it runs on the computer that made this report. "
    "Takes may be illogical or wrong: read them as a demonstration, not as advice."
)
EMBEDDED_MARK = "embedded draft"
EMBEDDED_LINE = "Embedded draft: written by a model so small that its takes may be illogical or wrong."
STRONGER = "For a panel worth reading, set a key and run it again with a strong model:"
FRAGILE = "Fragile: one flipped vote would change the panel verdict."
CONTRADICTION = "Contradiction: the score is at odds with the verdict, and asking again did not settle it."
NO_SEAT = "Not on this panel"

_WRAP = re.compile(r"\n(?!\s*(?:[-*+•–]|\d{1,3}[.)])\s)")  # noqa: RUF001 - a dash that lists use
_HUMPS = re.compile(r"[^\W\d_][^\W_A-Z]*")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=\S)|(?<=[。！？])")  # noqa: RUF001 - full-width marks end sentences too
_ANSWERS = {
    PanelVerdict.SHIP: "would ship",
    PanelVerdict.SKIP: "would skip",
    PanelVerdict.MIXED: "is split on",
    PanelVerdict.NONE: "has no verdict on",
}


def question(page: Comparison) -> str:
    """Return the question that a page answers."""
    if page.of_one_tool:
        models = {review.setup.asked_models for review in page.reviews}
        asked = "models" if len(models) > 1 else "panels"
        return f"What do the {asked} say of {one_line(page.reviews[0].tool.name)}?"
    return "Which one should you ship with?" if len(page.reviews) > 1 else "Should you ship with it?"


def answer(page: Comparison) -> tuple[tuple[str, str], ...]:
    """Return what the panel says in each column: `would ship`, and the column's heading."""
    return tuple((_ANSWERS[review.tally.verdict], heading) for heading, review in page.columns)


def answer_sentence(page: Comparison) -> str:
    """Return `The panel would ship SmolLM3 and is split on SkillClaw.`, or what the panel of each model says of one tool."""
    answers = [(says, one_line(name)) for says, name in answer(page)]
    if not page.of_one_tool:
        return f"The panel {joined([f'{says} {name}' for says, name in answers])}."
    tool = one_line(page.reviews[0].tool.name)
    (first, panel), *others = answers
    rest = "".join(f"; that of {name} {says} it" for says, name in others)
    return f"The panel of {panel} {first} {tool}{rest}."


def ship_share(review: PanelReview) -> str:
    """Return the panel ship % as pages print it: `75%`, or `n/a` without a take."""
    percent = review.tally.ship_percent
    return "n/a" if percent is None else f"{percent}%"


def share_basis(review: PanelReview) -> str:
    """Return what the panel ship % rests on: `3 of 4 takes`."""
    return f"{review.tally.ships} of {counted(review.tally.given, 'take')}"


def counted(number: int, noun: str) -> str:
    """Return `1 seat` or `5 seats`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def score_line(scores: Scores | None) -> str:
    """Return `Mean 74.8 · median 80 · spread 35`."""
    if scores is None:
        return "No scores: no seat gave a take"
    return f"Mean {scores.mean:g} · median {scores.median:g} · spread {scores.spread}"


def short(digest: str) -> str:
    """Return the start of a digest, enough to tell it from others."""
    return one_line(digest)[:SHORT_DIGEST]


def monogram(name: str) -> str:
    """Return up to two letters that stand for a name: `SL` for SmolLM3, `VC` for Visual Code."""
    humps = [word[0].upper() for word in _HUMPS.findall(one_line(name))]
    return "".join(humps[:2]) or "#"


def paragraphs(text: str) -> list[list[str]]:
    """Return a text as paragraphs, each a list of its lines, without anything invisible.

    A single line break is where an editor wrapped the text; only one before a list's item is kept.
    """
    return [_WRAP.sub(" ", block).split("\n") for block in prose(text).split("\n\n")]


def opening(text: str, limit: int) -> str:
    """Return as many whole sentences as fit the limit in characters; a longer first one is cut at a word."""
    line = one_line(text)
    if len(line) <= limit:
        return line
    ends = [end.start() for end in _SENTENCE_END.finditer(line) if end.start() <= limit]
    if ends:
        return line[: ends[-1]]
    head, _, _ = line[:limit].rpartition(" ")
    return f"{head or line[:limit]}…"
