"""What a run may cost at most, and that it never costs more."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from panel.core.completion import ModelConfig, Usage
from panel.core.prompt import Prompt
from panel.errors import CallNotMade, OverBudget, ProviderBusy, ProviderError, ProviderTimeout
from panel.providers.middleware.budget import Budget, BudgetLimit
from panel.providers.middleware.rate_limit import CallLimits, RateLimiter
from panel.providers.middleware.stack import wrap_hosted
from panel.providers.prices import Prices
from parts import InstantStop, answer, scripted, until

if TYPE_CHECKING:
    from panel.core.completion import Completion

anyio = pytest.mark.anyio

CENT = 0.01
MODELS = [
    ("openai", "gpt-6.1-terra", None),
    ("openai", "gpt-4o", None),
    ("anthropic", "claude-haiku-5-5", None),
    ("anthropic", "claude-opus-5-5", None),
    ("openai-compatible", "deepseek-chat", "https://api.deepseek.com/v1"),
    ("openai-compatible", "sonar", "https://api.perplexity.ai"),
    ("openai-compatible", "grok-4.6", "https://api.x.ai/v1"),
]
"""Among them prices that are higher for long prompts (gpt-6.1-terra, claude-haiku-5-5, grok-4.6), and one a request (sonar)."""
TIERS = 99_000, 199_000, 271_000
"""Bytes just below the lengths, in tokens, from which prompts of these models cost more."""


def paid(dollars: float | None, lost_calls: int = 0, **more: Any) -> Completion:
    return answer(
        usage=Usage(input_tokens=10, output_tokens=2, cost_usd=dollars, lost_calls=lost_calls), **more
    )


def one_cent(_prompt: Prompt, _config: ModelConfig) -> float:
    return CENT


def reserved(budget: Budget) -> float:
    return budget.limit - budget.paid - budget.remaining


def test_panel_is_admitted_if_its_worst_case_fits() -> None:
    budget = Budget(1.0, paid=0.5)
    assert budget.reserve_panel("lantern", 0.5)
    assert (budget.remaining, budget.reserve_panel("sextant", CENT)) == (0.0, False)
    budget.release_panel("lantern")
    assert budget.reserve_panel("sextant", CENT)


def test_refused_panel_reserves_nothing() -> None:
    budget = Budget(1.0)
    assert not budget.reserve_panel("lantern", 1.5)
    assert budget.remaining == 1.0


def test_call_draws_on_its_panels_reserve() -> None:
    budget = Budget(1.0)
    budget.reserve_panel("lantern", 0.75)
    budget.reserve_call("lantern", 0.25)
    assert budget.remaining == 0.25


def test_call_beyond_its_panels_reserve_draws_on_the_rest() -> None:
    budget = Budget(1.0)
    budget.reserve_panel("lantern", 0.25)
    budget.reserve_call("lantern", 0.75)
    assert budget.remaining == 0.25


def test_call_never_draws_on_another_panels_reserve() -> None:
    budget = Budget(1.0)
    budget.reserve_panel("lantern", 0.75)
    with pytest.raises(OverBudget, match=r"not asked: the budget of \$1\.00 does not cover another call"):
        budget.reserve_call("sextant", 0.5)
    assert budget.remaining == 0.25
    budget.reserve_call("lantern", 0.75)


def test_unused_reserve_of_a_call_goes_back_to_its_panel() -> None:
    budget = Budget(1.0)
    budget.reserve_panel("lantern", 0.5)
    budget.reserve_call("lantern", 0.5)
    budget.settle_call("lantern", 0.5, paid=0.125)
    assert (budget.paid, budget.remaining) == (0.125, 0.5)
    budget.release_panel("lantern")
    assert budget.remaining == 0.875


def test_panel_can_be_released_twice() -> None:
    budget = Budget(1.0)
    budget.reserve_panel("lantern", 0.5)
    for _ in range(2):
        budget.release_panel("lantern")
    budget.release_panel("sextant")
    assert budget.remaining == 1.0


def test_earlier_payments_count() -> None:
    budget = Budget(1.0, paid=1.25)
    assert not budget.reserve_panel("lantern", CENT)
    with pytest.raises(OverBudget):
        budget.reserve_call("lantern", CENT)


def test_unlimited_budget_only_counts() -> None:
    budget = Budget(math.inf)
    assert budget.unlimited
    assert budget.reserve_panel("lantern", 1e9)
    budget.reserve_call("lantern", 1e12)
    budget.settle_call("lantern", 1e12, paid=0.25)
    assert (budget.paid, budget.remaining) == (0.25, math.inf)


class Spending(RuleBasedStateMachine):
    """Panels and calls come and go in any order; amounts are multiples of 1/64, so that sums are exact."""

    amounts = st.integers(0, 640).map(lambda sixtyfourths: sixtyfourths / 64)
    panels = st.sampled_from(["a", "b", "c"])

    def __init__(self) -> None:
        super().__init__()
        self.budget = Budget(10.0)
        self.calls: list[tuple[str, float]] = []
        self.admitted: set[str] = set()
        self.spent = 0.0

    @rule(panel=panels, worst=amounts)
    def admit(self, panel: str, worst: float) -> None:
        if panel not in self.admitted and self.budget.reserve_panel(panel, worst):
            self.admitted.add(panel)

    @rule(panel=panels, worst=amounts)
    def reserve(self, panel: str, worst: float) -> None:
        before = self.budget.remaining
        try:
            self.budget.reserve_call(panel, worst)
        except OverBudget:
            assert self.budget.remaining == before
        else:
            self.calls.append((panel, worst))

    @precondition(lambda self: self.calls)
    @rule(part=st.integers(0, 64), data=st.data())
    def settle(self, part: int, data: st.DataObject) -> None:
        panel, worst = self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))
        self.spent += worst * part / 64
        self.budget.settle_call(panel, worst, worst * part / 64)

    @rule(panel=panels)
    def leave(self, panel: str) -> None:
        self.admitted.discard(panel)
        self.budget.release_panel(panel)

    @invariant()
    def never_more_than_the_limit(self) -> None:
        in_flight = sum(worst for _, worst in self.calls)
        assert self.budget.paid == self.spent
        assert self.budget.remaining >= 0
        assert self.budget.paid + in_flight <= self.budget.limit
        assert reserved(self.budget) >= in_flight

    def teardown(self) -> None:
        for panel, worst in self.calls:
            self.budget.settle_call(panel, worst, 0.0)
        for panel in "abc":
            self.budget.release_panel(panel)
        assert self.budget.remaining == self.budget.limit - self.spent


TestSpending = Spending.TestCase
TestSpending.__doc__ = (
    "Paid and reserved amounts never exceed the limit together, and unused reserves come back."
)


@anyio
async def test_an_answer_is_paid_at_its_price(prompt: Prompt, config: ModelConfig) -> None:
    budget = Budget(1.0)
    await BudgetLimit(scripted(paid(0.004)), budget, one_cent).complete(prompt, config)
    budget.release_panel("lantern")
    assert (budget.paid, reserved(budget)) == (0.004, 0.0)


@anyio
async def test_answer_without_a_price_counts_as_the_worst_case(prompt: Prompt, config: ModelConfig) -> None:
    budget = Budget(1.0)
    await BudgetLimit(scripted(paid(None)), budget, one_cent).complete(prompt, config)
    assert budget.paid == CENT


@anyio
async def test_call_of_unknown_price_is_made_without_counting(prompt: Prompt, config: ModelConfig) -> None:
    budget = Budget(1.0, paid=1.0)
    inner = scripted(paid(0.5))
    await BudgetLimit(inner, budget, lambda _prompt, _config: None).complete(prompt, config)
    assert (inner.calls, budget.paid, budget.remaining) == (1, 1.0, 0.0)


@anyio
async def test_a_call_that_is_not_covered_is_not_made(prompt: Prompt, config: ModelConfig) -> None:
    inner = scripted()
    with pytest.raises(OverBudget) as caught:
        await BudgetLimit(inner, Budget(0.009), one_cent).complete(prompt, config)
    assert (inner.calls, caught.value.attempts, caught.value.lost_calls) == (0, 0, 0)


@anyio
async def test_worst_case_is_reserved_while_a_call_is_in_flight(prompt: Prompt, config: ModelConfig) -> None:
    budget, answered = Budget(0.025), asyncio.Event()
    inner = scripted(answered, answered, answered)
    provider = BudgetLimit(inner, budget, one_cent)
    calls = [asyncio.create_task(provider.complete(prompt, config)) for _ in range(3)]
    await until(lambda: sum(call.done() for call in calls) == 1)
    assert inner.calls == 2
    assert reserved(budget) == pytest.approx(2 * CENT)
    answered.set()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(OverBudget) == 1


@pytest.mark.parametrize(
    ("error", "cost"),
    [
        (ProviderTimeout("slow"), CENT),
        (ProviderTimeout("slow", lost_calls=2), 2 * CENT),
        (ProviderBusy("busy"), 0.0),
        (ProviderBusy("busy", lost_calls=1), CENT),
        (ProviderError("bad request"), 0.0),
        (CallNotMade("not asked"), 0.0),
    ],
)
@anyio
async def test_a_failed_call_costs_what_may_be_billed(
    error: ProviderError, cost: float, prompt: Prompt, config: ModelConfig
) -> None:
    budget = Budget(1.0)
    with pytest.raises(type(error)):
        await BudgetLimit(scripted(error), budget, one_cent).complete(prompt, config)
    budget.release_panel("lantern")
    assert (budget.paid, reserved(budget)) == (cost, 0.0)


@anyio
async def test_a_cancelled_call_is_paid_in_full(prompt: Prompt, config: ModelConfig) -> None:
    budget = Budget(1.0)
    inner = scripted(asyncio.Event())
    task = asyncio.create_task(BudgetLimit(inner, budget, one_cent).complete(prompt, config))
    await until(lambda: inner.in_flight == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert budget.paid == CENT


@anyio
async def test_a_bug_is_paid_in_full(prompt: Prompt, config: ModelConfig) -> None:
    budget = Budget(1.0)
    with pytest.raises(RuntimeError):
        await BudgetLimit(scripted(RuntimeError("bug")), budget, one_cent).complete(prompt, config)
    budget.release_panel("lantern")
    assert (budget.paid, reserved(budget)) == (CENT, 0.0)


@anyio
async def test_lost_calls_of_an_answer_are_paid_in_full(prompt: Prompt, config: ModelConfig) -> None:
    budget = Budget(0.02)
    await BudgetLimit(scripted(paid(0.004, lost_calls=1)), budget, one_cent).complete(prompt, config)
    assert budget.paid == pytest.approx(0.014)


@anyio
async def test_each_attempt_is_covered_by_itself(prompt: Prompt, config: ModelConfig) -> None:
    inner = scripted(*[ProviderTimeout("slow") for _ in range(4)])
    budget = Budget(0.025)
    stop = InstantStop()
    limiter = RateLimiter(CallLimits(4), stop)
    provider = wrap_hosted(inner, limiter, timeout=60, attempts=4, budget=(budget, one_cent))
    with pytest.raises(ProviderError) as caught:
        await provider.complete(prompt, config)
    assert (inner.calls, caught.value.attempts, caught.value.lost_calls) == (2, 2, 2)
    assert budget.paid == 2 * CENT


@anyio
async def test_forty_calls_at_once_stay_within_the_budget(prompt: Prompt, config: ModelConfig) -> None:
    lines = [paid(0.01), ProviderTimeout("slow"), paid(None), ProviderBusy("busy", 0.0)] * 10
    budget = Budget(0.205)
    provider = BudgetLimit(scripted(*lines), budget, one_cent)
    calls = [provider.complete(prompt, config) for _ in range(40)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert any(isinstance(outcome, OverBudget) for outcome in outcomes)
    assert 0.1 < budget.paid <= budget.limit


@pytest.mark.parametrize("label", ["lantern.builder", "lantern.builder.2", "lantern"])
@anyio
async def test_prompts_about_one_tool_share_a_reserve(
    label: str, prompt: Prompt, config: ModelConfig
) -> None:
    budget = Budget(CENT)
    assert budget.reserve_panel("lantern", CENT)
    await BudgetLimit(scripted(), budget, one_cent).complete(
        prompt.model_copy(update={"label": label}), config
    )


@pytest.mark.parametrize("model", ["some-model", "nothing-like-it"])
def test_no_worst_case_without_a_price(model: str, prompt: Prompt, config: ModelConfig) -> None:
    of_own_server = Prices("openai-compatible", "http://127.0.0.1:9/v1")
    assert of_own_server.worst_case(prompt, config.model_copy(update={"model": model})) is None


def test_a_free_model_costs_nothing_at_worst(prompt: Prompt, config: ModelConfig) -> None:
    assert Prices("local").worst_case(prompt, config) == 0.0


def test_worst_case_covers_writing_a_long_prompt_to_the_cache(config: ModelConfig) -> None:
    prices = Prices("anthropic")
    prompt = Prompt(label="lantern.builder", system="x" * 40_000, shared="", own="", answer_schema={})
    usage = Usage(input_tokens=40_000, cache_write_tokens=40_000, output_tokens=config.max_output_tokens)
    rates = prices.rates("claude-haiku-5-5")
    haiku = config.model_copy(update={"model": "claude-haiku-5-5"})
    cost, worst = prices.cost(haiku.model, usage), prices.worst_case(prompt, haiku)
    assert rates is not None
    assert cost is not None
    assert rates.cache_write is not None
    assert rates.input is not None
    assert rates.cache_write > rates.input
    assert cost <= (worst or 0.0) < 1.1 * cost


@pytest.mark.parametrize(("model", "start"), [("claude-haiku-5-5", 100_000), ("gpt-6.1-terra", 272_000)])
def test_worst_case_covers_a_price_that_rises_with_length(model: str, start: int) -> None:
    provider = "anthropic" if model.startswith("claude") else "openai"
    prices = Prices(provider)
    config = ModelConfig(model=model, max_output_tokens=4_000)
    prompt = Prompt(label="lantern.builder", system="x" * (start + 1), shared="", own="", answer_schema={})
    below, above = (
        prices.cost(model, Usage(input_tokens=read, output_tokens=4_000)) for read in (start, start + 1)
    )
    assert below is not None
    assert above is not None
    assert 1.4 * below < above <= (prices.worst_case(prompt, config) or 0.0)


def test_worst_case_covers_a_price_of_the_request() -> None:
    prices = Prices("openai-compatible", "https://api.perplexity.ai")
    prompt = Prompt(label="lantern.builder", system="", shared="", own="", answer_schema={})
    nothing = prices.cost("sonar", Usage(input_tokens=0, output_tokens=0))
    assert nothing is not None
    worst = prices.worst_case(prompt, ModelConfig(model="sonar", max_output_tokens=256))
    assert worst is not None
    assert worst > nothing >= 0.001


@pytest.mark.parametrize(("provider", "model", "url"), MODELS, ids=[model for _, model, _ in MODELS])
@given(data=st.data(), text=st.text(max_size=200))
def test_worst_case_is_never_below_the_price(
    provider: str, model: str, url: str | None, data: st.DataObject, text: str
) -> None:
    prices = Prices(provider, url)
    rules = "R" * data.draw(st.sampled_from((5, *TIERS)) | st.integers(0, 300_000), "rules")
    prompt = Prompt(label="lantern.builder", system=rules, shared=text, own="SEAT", answer_schema={})
    config = ModelConfig(model=model, max_output_tokens=4_000)
    read = data.draw(st.integers(0, len(f"{rules}{text}SEAT{{}}".encode())), "read")
    cached = data.draw(st.integers(0, read), "cached")
    written = data.draw(st.integers(0, 4_000), "written")
    usage = Usage(
        input_tokens=read,
        cached_tokens=cached,
        cache_write_tokens=data.draw(st.integers(0, read - cached), "kept"),
        output_tokens=written,
        reasoning_tokens=data.draw(st.integers(0, written), "reasoning"),
    )
    cost, worst = prices.cost(model, usage), prices.worst_case(prompt, config)
    assert cost is not None
    assert worst is not None
    assert cost <= worst
