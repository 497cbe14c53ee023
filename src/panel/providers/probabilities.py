"""What the probabilities of an answer's tokens say about its score and its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.domain.completion import Probabilities


def probabilities_of(text: str, tokens: Sequence[dict[str, Any]]) -> Probabilities | None:
    """Return what the probabilities say, or None if the tokens do not tell."""
    del text, tokens
    return None
