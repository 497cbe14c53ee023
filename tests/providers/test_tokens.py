from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from panel.core.completion import Usage
from panel.providers.tokens import completed, estimate, tokens_in

if TYPE_CHECKING:
    from panel.core.prompt import Prompt

TEXT = "An answer of 24 letters."


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("four", 1), ("fives", 2), ("é" * 8, 2)])
def test_tokens_in_text(text: str, tokens: int) -> None:
    """Every four characters are taken for a token, and what is left over for one more."""
    assert tokens_in(text) == tokens


def test_prompt_is_counted_whole(prompt: Prompt) -> None:
    """A prompt takes what all of its parts take, the answer's schema included."""
    longer = prompt.model_copy(update={"own": prompt.own + "x" * 400})
    plainer = prompt.model_copy(update={"answer_schema": {}})
    assert estimate(longer) == estimate(prompt) + 100
    assert tokens_in(prompt.system) + tokens_in(prompt.user) < estimate(plainer) < estimate(prompt)


def test_counted_usage_is_kept(prompt: Prompt) -> None:
    """A usage that the provider counted stays as it is."""
    usage = Usage(input_tokens=900, cached_tokens=None, output_tokens=0)
    assert completed(usage, prompt, TEXT) == usage


def test_missing_totals_are_estimated(prompt: Prompt) -> None:
    """Where the provider counted nothing, both totals are estimated from the texts and marked as estimates."""
    assert completed(Usage(), prompt, TEXT) == Usage(
        input_tokens=estimate(prompt), output_tokens=6, estimated=True
    )


@pytest.mark.parametrize(
    ("known", "filled"), [("input_tokens", "output_tokens"), ("output_tokens", "input_tokens")]
)
def test_known_total_is_kept(known: str, filled: str, prompt: Prompt) -> None:
    """A total that the provider did count, be it 0, is kept beside an estimated one."""
    usage = completed(Usage(**{known: 0}, reasoning_tokens=3, lost_calls=1), prompt, TEXT)
    assert getattr(usage, known) == 0
    assert getattr(usage, filled) > 0
    assert usage.estimated
    assert (usage.reasoning_tokens, usage.lost_calls) == (3, 1)


def test_parts_are_not_estimated(prompt: Prompt) -> None:
    """What came from a cache or was thought cannot be told from a text, so it stays unknown."""
    usage = completed(Usage(), prompt, TEXT)
    assert (usage.cached_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (None, None, None)
    assert usage.cost_usd is None
