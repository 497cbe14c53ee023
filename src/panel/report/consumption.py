"""What calls consumed, and what a model's probabilities say, in the words that all formats share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.core.money import dollars
from panel.core.review import EMBEDDED
from panel.report.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from panel.core.comparison import Comparison
    from panel.core.completion import Usage
    from panel.core.take import Provenance, Seat

UNKNOWN = "unknown"
BY_PROBABILITY = (
    "These figures are computed from the probabilities of the words in which the model gave its score and its verdict "
    "(G-Eval's method). They are shown beside the answer and never counted: the answer itself is what the tally rests on."
)


def usage_line(usage: Usage) -> str:
    """Return `12,340 tokens in (8,000 cached) · 1,234 out · $0.0123`; what is not known is said to be so."""
    if not _counted(usage):
        return lost_calls(usage) or "Nothing consumed"
    told = (usage.input_tokens, usage.output_tokens) != (None, None)
    figures = f"{_read(usage, ' tokens')} · {_written(usage)}" if told else "tokens unknown"
    parts = (figures, "price unknown" if usage.cost_usd is None else cost(usage), lost_calls(usage))
    return " · ".join(part for part in parts if part)


def tokens(usage: Usage) -> str:
    """Return tokens read and written, `1,250 in (1,000 cached) / 210 out`; `none` where nothing was consumed."""
    if not _counted(usage):
        return UNKNOWN if usage.lost_calls else "none"
    return f"{_read(usage)} / {_written(usage)}"


def cost(usage: Usage) -> str:
    """Return `$0.0123`, `free` or `unknown`; `none` where nothing was consumed."""
    if not _counted(usage):
        return UNKNOWN if usage.lost_calls else "none"
    if usage.cost_usd is None:
        return UNKNOWN
    return f"{_about(usage)}{dollars(usage.cost_usd)}" if usage.cost_usd else "free"


def lost_calls(usage: Usage) -> str:
    """Return `1 further call may have been billed`; an empty text if no answer was lost."""
    if not usage.lost_calls:
        return ""
    return f"{counted(usage.lost_calls, 'further call' if _counted(usage) else 'call')} may have been billed"


def asks(source: Provenance) -> str:
    """Return how many questions were answered, and in how many attempts where these were more: `1 (3 attempts)`."""
    extra = f" ({counted(source.attempts, 'attempt')})" if source.attempts > source.asks else ""
    return f"{source.asks}{extra}"


def by_probability(seat: Seat | None) -> str:
    """Return `score 71.3, ship 82%`; an empty text where a take's probabilities are not known.

    What the embedded model answers is computed from its probabilities to begin with, so they say nothing beside it.
    """
    source = seat.source if seat and seat.take else None
    if source is None or source.probabilities is None or source.provider == EMBEDDED:
        return ""
    score, ship = source.probabilities.expected_score, source.probabilities.ship
    parts = (score is not None and f"score {score:.1f}", ship is not None and f"ship {_percent(ship)}")
    return ", ".join(part for part in parts if part)


def tells_probabilities(page: Comparison) -> bool:
    """Whether a page shows any probabilities, and so has to explain them."""
    return any(by_probability(seat) for seat in _seats(page))


def _seats(page: Comparison) -> Iterable[Seat]:
    return (seat for review in page.reviews for seat in review.seats)


def _counted(usage: Usage) -> bool:
    return (usage.input_tokens, usage.output_tokens) != (0, 0)


def _read(usage: Usage, unit: str = "") -> str:
    cached = f" ({usage.cached_tokens:,} cached)" if usage.cached_tokens else ""
    return f"{_about(usage)}{_figure(usage.input_tokens)}{unit} in{cached}"


def _written(usage: Usage) -> str:
    return f"{_figure(usage.output_tokens)} out"


def _about(usage: Usage) -> str:
    return "about " if usage.estimated else ""


def _figure(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number:,}"


def _percent(share: float) -> str:
    """Return a probability as a percentage that is certain only where the probability is."""
    percent = round(100 * share)
    if percent in {0, 100} and share not in {0, 1}:
        return "<1%" if percent == 0 else ">99%"
    return f"{percent}%"
