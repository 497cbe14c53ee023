from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from genai_prices.data_snapshot import DataSnapshot, set_custom_snapshot
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
)
from hypothesis import given
from hypothesis import strategies as st

from panel.core.completion import Usage
from panel.providers.prices import Prices, Rates

if TYPE_CHECKING:
    from collections.abc import Iterator

MILLION = 1_000_000
USAGE = Usage(input_tokens=1_000, cached_tokens=200, cache_write_tokens=100, output_tokens=100)


def per_million(**prices: str) -> ModelPrice:
    return ModelPrice(**{f"{kind}_mtok": Decimal(price) for kind, price in prices.items()})


def listed(
    name: str, prices: ModelPrice | list[ConditionalPrice], batch: ModelPrice | None = None
) -> ModelInfo:
    variants = [PriceVariant(when={"processing": "batch"}, prices=batch)] if batch else None
    return ModelInfo(id=name, match=ClauseEquals(name), prices=prices, price_variants=variants)


MODELS = [
    listed(
        "cached",
        per_million(input="2", cache_read="0.2", cache_write="2.5", output="10"),
        per_million(input="1", cache_read="0.1", cache_write="1.25", output="5"),
    ),
    listed("plain", per_million(input="2", output="10")),
    listed("nothing", per_million(input="0", output="0")),
    listed("unpriced", ModelPrice()),
    listed("embedding", per_million(input="2")),
    listed(
        "long",
        ModelPrice(
            input_mtok=TieredPrices(Decimal(1), [Tier(100_000, Decimal(5))]),
            output_mtok=TieredPrices(Decimal(4), [Tier(100_000, Decimal(6))]),
        ),
    ),
    listed(
        "cheaper",
        [
            ConditionalPrice(prices=per_million(input="100", output="100")),
            ConditionalPrice(
                StartDateConstraint(date(2026, 1, 1)), prices=per_million(input="3", output="9")
            ),
        ],
    ),
]


@pytest.fixture
def own_list() -> Iterator[None]:
    """A price list of the test's own, in place of the shipped one."""
    openai = Provider("openai", "OpenAI", r"https://api\.openai\.com", models=MODELS)
    set_custom_snapshot(DataSnapshot([openai], from_auto_update=False))
    yield
    set_custom_snapshot(None)


@pytest.mark.usefixtures("own_list")
@pytest.mark.parametrize(
    ("model", "usage", "millionths"),
    [
        ("cached", USAGE, 700 * 2 + 200 * 0.2 + 100 * 2.5 + 100 * 10),
        ("cached", Usage(input_tokens=1_000, output_tokens=100), 1_000 * 2 + 100 * 10),
        ("plain", USAGE, 1_000 * 2 + 100 * 10),
        ("nothing", USAGE, 0.0),
        ("long", Usage(input_tokens=100_000, output_tokens=10), 100_000 + 10 * 4),
        ("long", Usage(input_tokens=100_001, output_tokens=10), 100_001 * 5 + 10 * 6),
        ("cheaper", Usage(input_tokens=10, output_tokens=10), 10 * 3 + 10 * 9),
    ],
)
def test_cost_counts_each_token_once(model: str, usage: Usage, millionths: float) -> None:
    assert Prices("openai").cost(model, usage) == pytest.approx(millionths / MILLION, rel=1e-12)


@pytest.mark.usefixtures("own_list")
@pytest.mark.parametrize(
    ("model", "usage"),
    [
        ("unheard-of", USAGE),
        ("unpriced", USAGE),
        ("embedding", USAGE),
        ("cached", USAGE.model_copy(update={"input_tokens": None})),
        ("cached", USAGE.model_copy(update={"output_tokens": None})),
        ("cached", USAGE.model_copy(update={"cached_tokens": 1_001})),
        ("cached", Usage(input_tokens=10**400, output_tokens=0)),
    ],
)
def test_unknown_cost_is_none(model: str, usage: Usage) -> None:
    assert Prices("openai").cost(model, usage) is None


@pytest.mark.usefixtures("own_list")
@pytest.mark.parametrize(
    ("model", "rates"),
    [
        ("cached", Rates(input=2e-6, cache_read=2e-7, cache_write=2.5e-6, output=1e-5)),
        ("plain", Rates(input=2e-6, cache_read=None, cache_write=None, output=1e-5)),
        ("long", Rates(input=1e-6, cache_read=None, cache_write=None, output=4e-6)),
        ("cheaper", Rates(input=3e-6, cache_read=None, cache_write=None, output=9e-6)),
        ("unpriced", None),
        ("embedding", None),
        ("unheard-of", None),
    ],
)
def test_rates_are_dollars_a_token_below_the_length_of_a_higher_price(
    model: str, rates: Rates | None
) -> None:
    assert Prices("openai").rates(model) == rates


def test_rates_agree_with_costs() -> None:
    prices = Prices("anthropic")
    rates, cost = prices.rates("claude-haiku-5-5"), prices.cost("claude-haiku-5-5", USAGE)
    assert rates
    assert rates.input
    assert rates.cache_read
    assert rates.cache_write
    assert rates.output
    parts = 700 * rates.input + 200 * rates.cache_read + 100 * rates.cache_write + 100 * rates.output
    assert cost == pytest.approx(parts)


@pytest.mark.parametrize(
    ("provider", "dated", "model"),
    [
        ("openai", "gpt-6.1-terra-2026-10-01", "gpt-6.1-terra"),
        ("anthropic", "claude-haiku-5-5-20261001", "claude-haiku-5-5"),
    ],
)
def test_dated_version_of_a_model_costs_the_same(provider: str, dated: str, model: str) -> None:
    prices = Prices(provider)
    assert prices.cost(dated, USAGE)
    assert prices.cost(dated, USAGE) == prices.cost(model, USAGE)


@pytest.mark.parametrize(("provider", "model"), [("openai", "claude-haiku-5-5"), ("anthropic", "gpt-6-luna")])
def test_models_of_other_vendors_have_no_price(provider: str, model: str) -> None:
    assert Prices(provider).cost(model, USAGE) is None


@pytest.mark.parametrize("provider", ["local", "replay"])
def test_embedded_model_and_recorded_answers_cost_nothing(provider: str) -> None:
    assert Prices(provider).cost("any", USAGE) == 0.0
    assert Prices(provider).cost("any", Usage()) == 0.0
    assert Prices(provider).rates("any") == Rates(0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("base_url", "model"),
    [
        ("https://openrouter.ai/api/v1", "openai/gpt-6.1-terra"),
        ("https://lantern.openai.azure.com/openai/v1/", "gpt-6.1-terra"),
        ("https://api.openai.com/v1", "gpt-6.1-terra"),
        ("https://api.groq.com/openai/v1", "llama-3.3-70b-versatile"),
    ],
)
def test_compatible_server_at_a_known_host_has_its_prices(base_url: str, model: str) -> None:
    assert Prices("openai-compatible", base_url).cost(model, USAGE)
    assert Prices("openai-compatible", base_url).rates(model)


@pytest.mark.parametrize(
    "base_url",
    [
        None,
        "",
        "http://127.0.0.1:8080/v1",
        "http://localhost:11434/v1",
        "http://localhost:8080/gateway.openai.azure.com/v1",
        "https://models.example.org/v1",
        "https://models.example.org/https://api.openai.com/v1",
        "http://[::1",
        "api.openai.com",
    ],
)
def test_compatible_server_elsewhere_has_unknown_prices(base_url: str | None) -> None:
    prices = Prices("openai-compatible", base_url)
    assert prices.cost("gpt-6.1-terra", USAGE) is None
    assert prices.rates("gpt-6.1-terra") is None


def test_vendors_prices_hold_behind_a_gateway() -> None:
    gateway = Prices("openai", "http://127.0.0.1:4000/v1")
    assert gateway.cost("gpt-6.1-terra", USAGE) == Prices("openai").cost("gpt-6.1-terra", USAGE)


def test_unknown_provider_has_unknown_prices() -> None:
    assert Prices("somebody", "https://api.openai.com/v1").cost("gpt-6.1-terra", USAGE) is None


@given(
    model=st.text()
    | st.sampled_from(["\ud800", "litellm/x", "openai/", "gpt-6.1-terra\0", "claude-" * 2_000]),
    provider=st.sampled_from(["openai", "anthropic", "openai-compatible"]),
    read=st.integers(0, 10**12),
    cached=st.none() | st.integers(0, 10**12),
)
def test_no_name_and_no_usage_raises(model: str, provider: str, read: int, cached: int | None) -> None:
    prices = Prices(provider, "https://openrouter.ai/api/v1")
    usage = Usage(input_tokens=read, cached_tokens=cached, output_tokens=1)
    cost = prices.cost(model, usage)
    assert cost is None or cost >= 0
    prices.rates(model)


def test_price_list_is_read_only_when_needed() -> None:
    code = (
        "import sys; from panel.providers.prices import Prices; Prices('local').rates('any'); "
        "Prices('openai-compatible', 'http://127.0.0.1:8080/v1').rates('any'); print('genai_prices' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
