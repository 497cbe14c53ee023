"""What a run will take: least and most, in calls, tokens and dollars; and whether to warm the cache."""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.core.completion import ModelConfig
from panel.core.prompt import Prompt
from panel.orchestrator.cache_plan import CachePlan, plan_cache, shared_tokens
from panel.orchestrator.estimate import ANSWER_TOKENS, REASK_TOKENS, Amounts, Question, Span, forecast
from panel.providers.prices import Prices, Rates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.core.persona import Persona
    from panel.core.tool import Tool
    from panel.prompts.templates import PromptBook


RATES = Rates(input=1e-6, cache_read=0.1e-6, cache_write=1.25e-6, output=5e-6)
SHARED, OWN, ROOM = 2_000, 500, 1_000


def prompt(shared: int = SHARED, own: int = OWN) -> Prompt:
    """Return a prompt of so many tokens, its schema included."""
    return Prompt(
        label="p",
        system="s" * 400,
        shared="l" * 4 * (shared - 100),
        own="o" * 4 * (own - 1),
        answer_schema={},
    )


def question(provider: str = "openai", rates: Rates | None = RATES, **more: Any) -> Question:
    """Return a seat's question."""
    config = ModelConfig(model=more.pop("model", "m"), max_output_tokens=more.pop("room", ROOM))
    return Question(provider, more.pop("prompt", None) or prompt(**more), config, rates)


def panel(provider: str = "anthropic", **more: Any) -> list[Question]:
    """Return the questions of a panel's five seats."""
    return [question(provider, **more) for _ in range(5)]


def plan(
    setting: Literal["auto", "warm", "off"] = "auto", provider: str = "openai", **more: Any
) -> CachePlan:
    """Return the plan for one tool with five seats, unless told otherwise."""
    known = {"shared_tokens": 2_310, "seats": 5, "tools": 1, "concurrency": 10}
    rates = more.pop("rates", RATES)
    return plan_cache(setting, provider, rates, **(known | more))


def test_prompts_of_these_tests_have_the_tokens_they_name() -> None:
    """The estimate of a prompt is its shared and its own tokens."""
    assert (prompt().estimated_tokens, shared_tokens(prompt())) == (SHARED + OWN, SHARED)


def test_least_is_one_typical_answer_and_most_two_full_ones() -> None:
    """At least every seat answers once in a typical length; at most each is asked twice and fills the room, then twice the room."""
    taken = forecast([panel(), panel()])
    assert (taken.tools, taken.total.calls) == (2, Span(10, 20))
    assert taken.total.input_tokens == Span(10 * 2_500, 10 * (5_000 + REASK_TOKENS))
    assert taken.total.output_tokens == Span(10 * ANSWER_TOKENS, 10 * 3 * ROOM)
    cost = taken.total.cost_usd
    assert cost is not None
    assert cost.least == pytest.approx(10 * (2_500 * 1e-6 + ANSWER_TOKENS * 5e-6))
    assert cost.most == pytest.approx(10 * ((5_000 + REASK_TOKENS) * 1e-6 + 3 * ROOM * 5e-6))


def test_answers_that_are_there_take_nothing() -> None:
    """A seat whose answer is kept is counted as such and takes nothing; its model is told all the same."""
    there = replace(question("anthropic", model="other"), kept=True)
    taken = forecast([[question(), there]])
    assert (taken.kept, taken.tools) == (1, 1)
    assert taken.models == {**forecast([[question()]]).models, "anthropic:other": Amounts()}


def test_who_is_asked_first_fills_the_cache() -> None:
    """Warm, the first of the seats that are asked pays for what they share, not one whose answer is there."""
    there, *rest = panel()
    taken = forecast([[replace(there, kept=True), *rest]], warm=True)
    assert taken.models == forecast([rest], warm=True).models


def test_forecasts_add_up() -> None:
    """The forecasts of two lists make that of both."""
    one, other = [panel()], [[question(model="new")], [replace(question(), kept=True)]]
    assert forecast(one) + forecast(other) == forecast(one + other)


def test_room_for_a_second_answer_has_an_end() -> None:
    """The room is doubled up to the limit that the orchestrator keeps, and a typical answer never exceeds it."""
    assert forecast([[question(room=40_000)]]).total.output_tokens.most == 40_000 + 64_000
    assert forecast([[question(room=256)]]).total.output_tokens == Span(256, 256 + 512)


def test_warm_panel_reads_what_it_shares_from_the_cache() -> None:
    """Warm, the first seat pays for keeping what all share and the others read it cheaply; at most nobody finds it there."""
    cost = forecast([panel()], warm=True).total.cost_usd
    cold = forecast([panel()]).total.cost_usd
    assert cost is not None
    assert cold is not None
    saved = SHARED * (5 * 1e-6 - 1.25e-6 - 4 * 0.1e-6)
    assert cold.least - cost.least == pytest.approx(saved)
    assert cost.most - cold.most == pytest.approx(5 * (5_000 + REASK_TOKENS) * 0.25e-6)


def test_warmth_helps_only_those_who_ask_the_same_model_the_same() -> None:
    """A seat on another model, or about another listing, reads nothing from the cache that the first one filled."""
    first = question("anthropic")
    other_model = question("anthropic", model="other")
    other_listing = question("anthropic", prompt=prompt().model_copy(update={"shared": "x" * 7_600}))
    warm = forecast([[first, other_model, other_listing]], warm=True)
    assert warm.models["anthropic:other"] == forecast([[other_model]]).total
    cost = warm.models["anthropic:m"].cost_usd
    assert cost is not None
    each = 2_500 * 1e-6 + SHARED * 0.25e-6 + ANSWER_TOKENS * 5e-6
    assert cost.least == pytest.approx(2 * each)


def test_openai_may_charge_for_keeping_what_nobody_asked_it_to() -> None:
    """OpenAI keeps the beginnings of long prompts unasked, so the most is at its price for that; short ones it does not keep."""
    most = 2 * 2_500 + REASK_TOKENS
    for provider, shared, rate in (
        ("openai", SHARED, 1.25e-6),
        ("openai", 900, 1e-6),
        ("anthropic", SHARED, 1e-6),
    ):
        cost = forecast([[question(provider, shared=shared)]]).total.cost_usd
        assert cost is not None
        read = most - 2 * (SHARED - shared)
        assert cost.most == pytest.approx(read * rate + 3 * ROOM * 5e-6)


@pytest.mark.parametrize("rates", [None, replace(RATES, input=None), replace(RATES, output=None)])
def test_unknown_price_makes_the_sum_unknown(rates: Rates | None) -> None:
    """Where one model's price is unknown, so is the sum, and the other model's share is still told."""
    taken = forecast([[question(), question(model="new", rates=rates)]])
    assert taken.total.cost_usd is None
    assert taken.models["openai:new"].cost_usd is None
    assert taken.models["openai:m"].cost_usd is not None
    assert taken.total.calls == Span(2, 4)


@pytest.mark.parametrize("provider", ["local", "replay"])
def test_answers_of_this_machine_cost_nothing(provider: str) -> None:
    """The embedded model, and answers from files, cost nothing, whatever a price list says."""
    free = Prices(provider).rates("any")
    assert forecast([[question(provider, free), question(provider, free)]]).total.cost_usd == Span(0.0, 0.0)


def test_price_without_figures_for_caches_is_that_of_reading() -> None:
    """Where a price list says nothing of caches, what is kept and read from there costs as much as anything read."""
    plain = replace(RATES, cache_read=None, cache_write=None)
    panels = [panel("openai", rates=plain)]
    assert forecast(panels, warm=True) == forecast(panels)


def test_no_tools_take_nothing() -> None:
    """Without a tool nothing is asked, and that costs nothing."""
    nothing = forecast([])
    assert (nothing.tools, nothing.models) == (0, {})
    assert (nothing.total.calls, nothing.total.cost_usd) == (Span(0, 0), Span(0.0, 0.0))


def test_panels_are_taken_one_at_a_time_and_not_kept() -> None:
    """Memory does not grow with the number of tools: a panel's prompts are gone before the one after the next is made."""
    alive: list[weakref.ref[Prompt]] = []
    most = []

    def panels() -> Iterator[list[Question]]:
        for _ in range(10):
            most.append(sum(one() is not None for one in alive))
            asked = prompt()
            alive.append(weakref.ref(asked))
            yield [question(prompt=asked)]
            del asked

    assert forecast(panels(), warm=True).tools == 10
    assert max(most) <= 1


def test_forecast_of_the_shipped_panel(tool: Tool, critics: dict[str, Persona], book: PromptBook) -> None:
    """The shipped prompts share more than a cache needs, for the smallest of listings."""
    questions = [book.take(tool, critic) for critic in critics.values()]
    assert {shared_tokens(one) for one in questions} == {shared_tokens(questions[0])}
    assert shared_tokens(questions[0]) >= 1_024


@pytest.mark.parametrize(
    ("more", "warm", "wait", "said"),
    [
        (
            {"setting": "warm"},
            True,
            8.0,
            (
                "warm: one seat is asked first; the other 4 then read 2,310 tokens from the cache, "
                "which saves $0.0077 a panel (67 % of what they cost anew) for about 8 s more wait"
            ),
        ),
        (
            {"tools": 4},
            True,
            0.0,
            "which saves $0.0077 a panel (67 % of what they cost anew) and takes no longer, since other tools fill the wait",
        ),
        (
            {"tools": 3},
            False,
            0.0,
            "off: to ask one seat first would save $0.0077 a panel for about 8 s more wait, which is worth it from $0.0800 on",
        ),
        (
            {"rates": Rates(*(rate * 20 for rate in (1e-6, 0.1e-6, 1.25e-6, 5e-6)))},
            True,
            8.0,
            "saves $0.1548 a panel",
        ),
        ({"wait_seconds": 0.5}, True, 0.5, "for about 0.5 s more wait"),
        ({"setting": "off", "tools": 100}, False, 0.0, "off, as it was set"),
        ({"provider": "anthropic", "tools": 4}, True, 0.0, "warm: one seat is asked first"),
        ({"seats": 2, "tools": 10}, True, 0.0, "the other then reads 2,310 tokens"),
        ({"shared_tokens": 1_023, "setting": "warm"}, False, 0.0, "off: the seats share 1,023 tokens"),
        ({"shared_tokens": 1_024, "setting": "warm"}, True, 8.0, "warm: one seat is asked first"),
        ({"seats": 1, "setting": "warm"}, False, 0.0, "off: no other seat would read"),
        (
            {"provider": "local", "setting": "warm"},
            False,
            0.0,
            "off: the embedded model reads what the seats share",
        ),
        ({"provider": "replay", "setting": "warm"}, False, 0.0, "off: answers come from files"),
        (
            {"provider": "openai-compatible", "rates": None, "tools": 9},
            False,
            0.0,
            "unknown, because a price is",
        ),
        (
            {"provider": "openai-compatible", "rates": None, "setting": "warm"},
            True,
            8.0,
            "saves an unknown amount,",
        ),
        ({"rates": replace(RATES, cache_read=1e-6), "tools": 9}, False, 0.0, "would cost more than it saves"),
        (
            {"rates": replace(RATES, cache_read=1e-6), "setting": "warm"},
            True,
            8.0,
            "a panel more than it saves",
        ),
        ({"rates": replace(RATES, cache_read=None), "tools": 9}, False, 0.0, "unknown, because a price is"),
    ],
)
def test_cache_plan_follows_setting_and_figures(
    more: dict[str, Any], warm: bool, wait: float, said: str
) -> None:
    """A cache is warmed if that is set, or if it saves more than the wait is worth; the plan says why, with the figures."""
    chosen = plan(**more)
    assert (chosen.warm, chosen.wait_seconds) == (warm, wait)
    assert said in chosen.why


@given(
    st.sampled_from(["auto", "warm", "off"]),
    st.sampled_from(["openai", "anthropic", "openai-compatible", "local", "replay"]),
    st.none() | st.builds(Rates, *[st.none() | st.floats(0, 1e-4)] * 4),
    st.integers(0, 10_000),
    st.integers(0, 20),
    st.integers(1, 5_000),
    st.integers(1, 256),
)
def test_cache_plan_keeps_its_rules(
    setting: Any, provider: str, rates: Rates | None, shared: int, seats: int, tools: int, concurrency: int
) -> None:
    """Off stays off, a short beginning is never warmed, and figures alone warm nothing that does not save."""
    chosen = plan_cache(
        setting, provider, rates, shared_tokens=shared, seats=seats, tools=tools, concurrency=concurrency
    )
    assert chosen.why.startswith("warm: " if chosen.warm else "off")
    assert not (chosen.warm and (setting == "off" or shared < 1_024 or seats < 2))
    if chosen.warm and setting == "auto":
        assert chosen.saving_usd is not None
        assert chosen.saving_usd > chosen.wait_seconds * 0.01
