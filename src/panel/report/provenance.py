"""Who was asked, with what, and what to know of the embedded model, in the words that all formats share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.core.comparison import joined
from panel.core.review import EMBEDDED
from panel.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from panel.core.comparison import Comparison
    from panel.core.completion import ModelRef
    from panel.core.review import PanelReview


def asked(review: PanelReview, of: Callable[[ModelRef], str]) -> tuple[tuple[str, str], ...]:
    """Return what the seats were asked with, each behind the names of its seats; no name stands for all or for the rest.

    Args:
        review: whose seats.
        of: what is told of whom a seat asks: `model`, `settings` or `prompts`.
    """
    setup = review.setup
    usual = of(setup)
    names: dict[str, list[str]] = {}
    for seat in review.seats:
        names.setdefault(of(setup.seat_models.get(seat.persona, setup)), []).append(one_line(seat.name))
    ordered = sorted(names, key=lambda value: value != usual)
    unnamed = {usual} if len(names) > 1 else names
    return tuple(("" if value in unnamed else joined(names[value]), value) for value in ordered)


def asked_line(review: PanelReview, of: Callable[[ModelRef], str]) -> str:
    """Return `openai:gpt-6.1-terra; Skeptic: anthropic:claude-opus-5-5`."""
    return "; ".join(f"{names}: {value}" if names else value for names, value in asked(review, of))


def model(asked_: ModelRef) -> str:
    """Return the model as `provider:model`."""
    return asked_.model


def prompts(asked_: ModelRef) -> str:
    """Return the digest of the prompt templates."""
    return asked_.prompts


def settings(asked_: ModelRef) -> str:
    """Return `effort low, at most 4,000 tokens, seed 0`."""
    config = asked_.config
    return f"effort {config.effort}, at most {config.max_output_tokens:,} tokens, seed {config.seed}"


def rerun_commands(page: Comparison) -> tuple[str, str]:
    """Return the commands that run the panel again with a strong model."""
    command = "panel review TOOL" if len(page.tools) == 1 else "panel compare A B"
    return "export OPENAI_API_KEY=…", f"{command} --model openai:MODEL"


def embedded_models(page: Comparison) -> tuple[str, ...]:
    """Return the embedded models that wrote any of a page, without repeats."""
    seats = (seat for review in page.reviews for seat in review.seats)
    sources = (seat.source for seat in seats if seat.source)
    return tuple(dict.fromkeys(source.model for source in sources if source.provider == EMBEDDED))


def embedded_takes(page: Comparison) -> tuple[str, str]:
    """Return which takes an embedded model wrote: `The takes on` and `SmolLM3 and SkillClaw`."""
    written = [(heading, review) for heading, review in page.columns if review.embedded]
    sources = (seat.source for _, review in written for seat in review.seats if seat.source)
    whole = all(source.provider == EMBEDDED for source in sources)
    amount = "The takes" if whole else "Some takes"
    place = f"in the column{'s' * (len(written) > 1)}" if page.of_one_tool else "on"
    return f"{amount} {place}", joined([one_line(heading) for heading, _ in written])
