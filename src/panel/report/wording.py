"""Words that all formats share: verdicts, usage, models and notices."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panel.core.review import EMBEDDED
from panel.core.tally import PanelVerdict
from panel.core.text import counted, dollars, joined, one_line, prose

if TYPE_CHECKING:
    from collections.abc import Callable

    from panel.core.comparison import Comparison
    from panel.core.completion import ModelRef, Usage
    from panel.core.review import PanelReview
    from panel.core.take import Provenance
    from panel.core.tally import Scores

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

_DIGEST_CHARS = 12
_UNKNOWN = "unknown"
_WRAP = re.compile(r"\n(?!\s*(?:[-*+•–]|\d{1,3}[.)])\s)")  # noqa: RUF001 - a dash that lists use
_HUMPS = re.compile(r"[^\W\d_][^\W_A-Z]*")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=\S)|(?<=[。！？])")  # noqa: RUF001 - full-width marks end sentences too
_ASKED: dict[str, Callable[[ModelRef], str]] = {
    "model": lambda asked: asked.model,
    "settings": lambda asked: (
        f"effort {asked.config.effort}, at most {asked.config.max_output_tokens:,} tokens, seed {asked.config.seed}"
    ),
    "prompts": lambda asked: asked.prompts,
}
_ANSWERS = {
    PanelVerdict.SHIP: "would ship",
    PanelVerdict.SKIP: "would skip",
    PanelVerdict.MIXED: "is split on",
    PanelVerdict.NONE: "has no verdict on",
}


def paragraphs(text: str) -> list[list[str]]:
    """Return a text as paragraphs, each a list of its lines, without invisible characters.

    A single line break only wraps the text, unless a list item follows it.
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
    return f"{line[:limit].rpartition(' ')[0] or line[:limit]}…"


def short(digest: str) -> str:
    """Return the start of a digest."""
    return one_line(digest)[:_DIGEST_CHARS]


def monogram(name: str) -> str:
    """Return up to two letters that stand for a name: `SL` for SmolLM3, `VC` for Visual Code."""
    humps = [word[0].upper() for word in _HUMPS.findall(one_line(name))]
    return "".join(humps[:2]) or "#"


def breadcrumb(page: Comparison) -> tuple[str, str]:
    """Return the section and the title of a page."""
    return "Compare" if len(page.reviews) > 1 else "Reviews", page.title


def question(page: Comparison) -> str:
    """Return the question that a page answers."""
    if page.of_one_tool:
        models = {review.setup.asked_models for review in page.reviews}
        asked = "models" if len(models) > 1 else "panels"
        return f"What do the {asked} say of {one_line(page.reviews[0].tool.name)}?"
    return "Which one should you ship with?" if len(page.reviews) > 1 else "Should you ship with it?"


def answer(page: Comparison) -> list[tuple[str, str]]:
    """Return the panel's answer for each column: `would ship`, and the column's heading."""
    return [(_ANSWERS[review.tally.verdict], heading) for heading, review in page.columns]


def answer_sentence(page: Comparison) -> str:
    """Return `The panel would ship SmolLM3 and is split on SkillClaw.`, or the answers of several panels on one tool."""
    answers = [(says, one_line(name)) for says, name in answer(page)]
    if not page.of_one_tool:
        return f"The panel {joined([f'{says} {name}' for says, name in answers])}."
    tool = one_line(page.reviews[0].tool.name)
    (first, panel), *others = answers
    rest = "".join(f"; that of {name} {says} it" for says, name in others)
    return f"The panel of {panel} {first} {tool}{rest}."


def ship_share(review: PanelReview) -> str:
    """Return the panel ship %: `75%`, or `n/a` without a take."""
    percent = review.tally.ship_percent
    return "n/a" if percent is None else f"{percent}%"


def share_basis(review: PanelReview) -> str:
    """Return the basis of the panel ship %: `3 of 4 takes`."""
    return f"{review.tally.ships} of {counted(review.tally.given, 'take')}"


def score_line(scores: Scores | None) -> str:
    """Return `Mean 74.8 · median 80 · spread 35`."""
    if scores is None:
        return "No scores: no seat gave a take"
    return f"Mean {scores.mean:g} · median {scores.median:g} · spread {scores.spread}"


def usage_line(usage: Usage) -> str:
    """Return `12,340 tokens in (8,000 cached) · 1,234 out · $0.0123`; unknown figures are called so."""
    if not _any_tokens(usage):
        return lost_calls(usage) or "Nothing consumed"
    unknown = (usage.input_tokens, usage.output_tokens) == (None, None)
    figures = "tokens unknown" if unknown else " · ".join(_figures(usage, " tokens"))
    price = "price unknown" if usage.cost_usd is None else cost(usage)
    return " · ".join(part for part in (figures, price, lost_calls(usage)) if part)


def tokens(usage: Usage) -> str:
    """Return `1,250 in (1,000 cached) / 210 out`, or `none`."""
    if not _any_tokens(usage):
        return _UNKNOWN if usage.lost_calls else "none"
    return " / ".join(_figures(usage))


def cost(usage: Usage) -> str:
    """Return `$0.0123`, `free`, `unknown`, or `none` if nothing was consumed."""
    if not _any_tokens(usage):
        return _UNKNOWN if usage.lost_calls else "none"
    if usage.cost_usd is None:
        return _UNKNOWN
    about = "about " if usage.estimated else ""
    return f"{about}{dollars(usage.cost_usd)}" if usage.cost_usd else "free"


def lost_calls(usage: Usage) -> str:
    """Return `1 further call may have been billed`, or an empty text if no answer was lost."""
    calls = "further call" if _any_tokens(usage) else "call"
    return f"{counted(usage.lost_calls, calls)} may have been billed" if usage.lost_calls else ""


def asks(source: Provenance) -> str:
    """Return the number of answered questions, and of attempts if there were more: `1 (3 attempts)`."""
    extra = f" ({counted(source.attempts, 'attempt')})" if source.attempts > source.asks else ""
    return f"{source.asks}{extra}"


def _any_tokens(usage: Usage) -> bool:
    return (usage.input_tokens, usage.output_tokens) != (0, 0)


def _figures(usage: Usage, unit: str = "") -> tuple[str, str]:
    """Return the tokens in, with their unit, and the tokens out."""
    read, written = (
        _UNKNOWN if number is None else f"{number:,}" for number in (usage.input_tokens, usage.output_tokens)
    )
    cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
    return f"{'about ' if usage.estimated else ''}{read}{unit} in{cached}", f"{written} out"


def by_seat(review: PanelReview, what: str) -> list[tuple[str, str]]:
    """Return each model, settings or prompts digest (`what`) that was asked, after the names of its seats.

    The value of all seats, or of the rest of them, has no names.
    """
    setup, value_of = review.setup, _ASKED[what]
    usual = value_of(setup)
    names: dict[str, list[str]] = {}
    for seat in review.seats:
        names.setdefault(value_of(setup.asked(seat.persona)), []).append(one_line(seat.name))
    ordered = sorted(names, key=lambda value: value != usual)
    unnamed = {usual} if len(names) > 1 else names
    return [("" if value in unnamed else joined(names[value]), value) for value in ordered]


def by_seat_line(review: PanelReview, what: str) -> str:
    """Return `openai:gpt-6.1-terra; Skeptic: anthropic:claude-opus-5-5`."""
    return "; ".join(f"{names}: {value}" if names else value for names, value in by_seat(review, what))


def embedded_models(page: Comparison) -> list[str]:
    """Return the embedded models that wrote any take of a page, without repeats."""
    sources = (seat.source for review in page.reviews for seat in review.seats if seat.source)
    return list(dict.fromkeys(source.model for source in sources if source.provider == EMBEDDED))


def embedded_takes(page: Comparison) -> tuple[str, str]:
    """Return the takes of the embedded model: `The takes on` and `SmolLM3 and SkillClaw`."""
    written = [(heading, review) for heading, review in page.columns if review.embedded]
    sources = (seat.source for _, review in written for seat in review.seats if seat.source)
    amount = "The takes" if all(source.provider == EMBEDDED for source in sources) else "Some takes"
    place = f"in the column{'s' * (len(written) > 1)}" if page.of_one_tool else "on"
    return f"{amount} {place}", joined([one_line(heading) for heading, _ in written])


def rerun_commands(page: Comparison) -> tuple[str, str]:
    """Return the commands that run the panel again with a strong model."""
    command = "panel review TOOL" if len(page.tools) == 1 else "panel compare A B"
    return "export OPENAI_API_KEY=…", f"{command} --model openai:MODEL"
