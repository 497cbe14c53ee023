from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from panel.core.completion import Usage
from panel.core.prompt import estimate_tokens
from panel.errors import ProviderTimeout
from panel.providers.base import StopSignal
from panel.providers.middleware.retry import Retry
from panel.providers.middleware.stack import Timeout, with_estimates
from parts import scripted

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt

TEXT = "An answer of 24 letters."


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("four", 1), ("fives", 2), ("é" * 8, 2)])
def test_four_characters_are_estimated_as_a_token(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


def test_estimate_of_a_prompt_includes_the_schema(prompt: Prompt) -> None:
    longer = prompt.model_copy(update={"own": prompt.own + "x" * 400})
    plainer = prompt.model_copy(update={"answer_schema": {}})
    assert longer.estimated_tokens == prompt.estimated_tokens + 100
    assert (
        estimate_tokens(prompt.system) + estimate_tokens(prompt.user)
        < plainer.estimated_tokens
        < prompt.estimated_tokens
    )


def test_counted_usage_is_kept(prompt: Prompt) -> None:
    usage = Usage(input_tokens=900, cached_tokens=None, output_tokens=0)
    assert with_estimates(usage, prompt, TEXT) == usage


def test_missing_totals_are_estimated(prompt: Prompt) -> None:
    assert with_estimates(Usage(), prompt, TEXT) == Usage(
        input_tokens=prompt.estimated_tokens, output_tokens=6, estimated=True
    )


@pytest.mark.parametrize(
    ("known", "filled"), [("input_tokens", "output_tokens"), ("output_tokens", "input_tokens")]
)
def test_known_total_is_kept(known: str, filled: str, prompt: Prompt) -> None:
    usage = with_estimates(Usage(**{known: 0}, reasoning_tokens=3, lost_calls=1), prompt, TEXT)
    assert getattr(usage, known) == 0
    assert getattr(usage, filled) > 0
    assert usage.estimated
    assert (usage.reasoning_tokens, usage.lost_calls) == (3, 1)


def test_cached_and_reasoning_tokens_are_not_estimated(prompt: Prompt) -> None:
    usage = with_estimates(Usage(), prompt, TEXT)
    assert (usage.cached_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (None, None, None)
    assert usage.cost_usd is None


@pytest.mark.anyio
async def test_call_has_a_limit_by_the_wall_clock(prompt: Prompt, config: ModelConfig) -> None:
    with pytest.raises(ProviderTimeout, match="scripted did not answer"):
        await Timeout(scripted(asyncio.Event()), seconds=0.01).complete(prompt, config)


@pytest.mark.anyio
async def test_middleware_keeps_the_name_and_closes_the_inner_provider() -> None:
    inner = scripted()
    wrapped = Retry(Timeout(inner, seconds=1), 2, StopSignal())
    await wrapped.aclose()
    assert wrapped.name == "scripted"
    assert inner.closed
