"""How many tokens a text takes, where nobody has counted them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panel.core.completion import Usage
    from panel.core.prompt import Prompt

CHARS_PER_TOKEN = 4
"""The rule of thumb for English; other languages take more tokens."""


def tokens_in(text: str) -> int:
    """Return about how many tokens a text takes, rounded up."""
    return -(-len(text) // CHARS_PER_TOKEN)


def estimate(prompt: Prompt) -> int:
    """Return about how many tokens a prompt takes, its schema included."""
    return tokens_in(prompt.system) + tokens_in(prompt.user) + tokens_in(json.dumps(prompt.answer_schema))


def completed(usage: Usage, prompt: Prompt, text: str) -> Usage:
    """Return a usage with its missing totals estimated from the text, and marked as such.

    What a model thought but did not write cannot be seen, so the estimate may be too low.
    """
    if usage.input_tokens is not None and usage.output_tokens is not None:
        return usage
    missing = {"input_tokens": estimate(prompt), "output_tokens": tokens_in(text)}
    known = {name: getattr(usage, name) for name in missing if getattr(usage, name) is not None}
    return usage.model_copy(update=missing | known | {"estimated": True})
