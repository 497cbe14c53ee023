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
from panel.orchestrator.estimate import (
    ANSWER_TOKENS,
    REASK_TOKENS,
    Amounts,
    Bounds,
    CachePlan,
    FirstCall,
    estimate_panels,
    plan_cache,
    shared_tokens,
)
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


def question(provider: str = "openai", rates: Rates | None = RATES, **more: Any) -> FirstCall:
    """Return a seat's question."""
    config = ModelConfig(model=more.pop("model", "m"), max_output_tokens=more.pop("room", ROOM))
    return FirstCall(provider, more.pop("prompt", None) or prompt(**more), config, rates)


def panel(provider: str = "anthropic", **more: Any) -> list[FirstCall]:
    """Return the questions of a panel's five seats."""
    return [question(provider, **more) for _ in range(5)]


def plan(
    setting: Literal["auto", "warm", "off"] = "auto", provider: str = "openai", **more: Any
) -> CachePlan:
    """Return the plan for panels of five seats among many others, unless told otherwise."""
    known = {"shared": 2_310, "seats": 5, "busy": True}
    rates = more.pop("rates", RATES)
    return plan_cache(setting, provider, rates, **(known | more))


def test_prompts_of_these_tests_have_the_tokens_they_name() -> None:
    assert (prompt().estimated_tokens, shared_tokens(prompt())) == (SHARED + OWN, SHARED)


def test_least_is_one_typical_answer_and_most_two_full_ones() -> None:
    """At least every seat answers once in a typical length; at most each is asked twice and fills the room, then twice the room."""
    taken = estimate_panels([panel(), panel()])
    assert (taken.tools, taken.total.calls) == (2, Bounds(10, 20))
    assert taken.total.input_tokens == Bounds(10 * 2_500, 10 * (5_000 + REASK_TOKENS))
    assert taken.total.output_tokens == Bounds(10 * ANSWER_TOKENS, 10 * 3 * ROOM)
    cost = taken.total.cost_usd
    assert cost is not None
    assert cost.least == pytest.approx(10 * (2_500 * 1e-6 + ANSWER_TOKENS * 5e-6))
    assert cost.most == pytest.approx(10 * ((5_000 + REASK_TOKENS) * 1e-6 + 3 * ROOM * 5e-6))


def test_answers_that_are_there_take_nothing() -> None:
    """A seat whose answer is kept is counted as such and takes nothing; its model is told all the same."""
    there = replace(question("anthropic", model="other"), reused=True)
    taken = estimate_panels([[question(), there]])
    assert (taken.reused, taken.tools) == (1, 1)
    assert taken.models == {**estimate_panels([[question()]]).models, "anthropic:other": Amounts()}


def test_who_is_asked_first_fills_the_cache() -> None:
    """Warm, the first of the seats that are asked pays for what they share, not one whose answer is there."""
    there, *rest = panel()
    taken = estimate_panels([[replace(there, reused=True), *rest]], warm=True)
    assert taken.models == estimate_panels([rest], warm=True).models


def test_estimates_add_up() -> None:
    one, other = [panel()], [[question(model="new")], [replace(question(), reused=True)]]
    assert estimate_panels(one) + estimate_panels(other) == estimate_panels(one + other)


def test_room_for_a_second_answer_has_an_end() -> None:
    """The room is doubled up to the limit that the orchestrator keeps, and a typical answer never exceeds it."""
    assert estimate_panels([[question(room=40_000)]]).total.output_tokens.most == 40_000 + 64_000
    assert estimate_panels([[question(room=256)]]).total.output_tokens == Bounds(256, 256 + 512)


def test_warm_panel_reads_what_it_shares_from_the_cache() -> None:
    """Warm, the first seat pays for keeping what all share and the others read it cheaply; at most nobody finds it there."""
    cost = estimate_panels([panel()], warm=True).total.cost_usd
    cold = estimate_panels([panel()]).total.cost_usd
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
    warm = estimate_panels([[first, other_model, other_listing]], warm=True)
    assert warm.models["anthropic:other"] == estimate_panels([[other_model]]).total
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
        cost = estimate_panels([[question(provider, shared=shared)]]).total.cost_usd
        assert cost is not None
        read = most - 2 * (SHARED - shared)
        assert cost.most == pytest.approx(read * rate + 3 * ROOM * 5e-6)


@pytest.mark.parametrize("rates", [None, replace(RATES, input=None), replace(RATES, output=None)])
def test_unknown_price_makes_the_sum_unknown(rates: Rates | None) -> None:
    """Where one model's price is unknown, so is the sum, and the other model's share is still told."""
    taken = estimate_panels([[question(), question(model="new", rates=rates)]])
    assert taken.total.cost_usd is None
    assert taken.models["openai:new"].cost_usd is None
    assert taken.models["openai:m"].cost_usd is not None
    assert taken.total.calls == Bounds(2, 4)


@pytest.mark.parametrize("provider", ["local", "replay"])
def test_answers_of_this_machine_cost_nothing(provider: str) -> None:
    """The embedded model, and answers from files, cost nothing, whatever a price list says."""
    free = Prices(provider).rates("any")
    assert estimate_panels([[question(provider, free), question(provider, free)]]).total.cost_usd == Bounds(
        0.0, 0.0
    )


def test_price_without_figures_for_caches_is_that_of_reading() -> None:
    """Where a price list says nothing of caches, what is kept and read from there costs as much as anything read."""
    plain = replace(RATES, cache_read=None, cache_write=None)
    panels = [panel("openai", rates=plain)]
    assert estimate_panels(panels, warm=True) == estimate_panels(panels)


def test_no_tools_take_nothing() -> None:
    nothing = estimate_panels([])
    assert (nothing.tools, nothing.models) == (0, {})
    assert (nothing.total.calls, nothing.total.cost_usd) == (Bounds(0, 0), Bounds(0.0, 0.0))


def test_panels_are_taken_one_at_a_time_and_not_kept() -> None:
    """Memory does not grow with the number of tools: a panel's prompts are gone before the one after the next is made."""
    alive: list[weakref.ref[Prompt]] = []
    most = []

    def panels() -> Iterator[list[FirstCall]]:
        for _ in range(10):
            most.append(sum(one() is not None for one in alive))
            asked = prompt()
            alive.append(weakref.ref(asked))
            yield [question(prompt=asked)]
            del asked

    assert estimate_panels(panels(), warm=True).tools == 10
    assert max(most) <= 1


def test_estimate_of_the_shipped_panel(tool: Tool, critics: dict[str, Persona], book: PromptBook) -> None:
    """The shipped prompts share more than a cache needs, for the smallest of listings."""
    questions = [book.take(tool, critic) for critic in critics.values()]
    assert {shared_tokens(one) for one in questions} == {shared_tokens(questions[0])}
    assert shared_tokens(questions[0]) >= 1_024


SAVES = "saves $0.0077 a panel (67 % of what they cost anew)"
DEAR = replace(RATES, cache_read=1e-6)


@pytest.mark.parametrize(
    ("more", "warm", "why"),
    [
        (
            {},
            True,
            f"warm: one seat is asked first; the other 4 then read 2,310 tokens from the cache, which {SAVES}",
        ),
        ({"setting": "warm", "busy": False}, True, SAVES),
        ({"busy": False}, False, "off: it would save $0.0077 a panel, but one seat would be asked alone"),
        ({"setting": "off"}, False, "off, as it was set"),
        ({"provider": "anthropic"}, True, "warm: one seat is asked first"),
        ({"seats": 2}, True, "the other then reads 2,310 tokens"),
        ({"shared": 1_023, "setting": "warm"}, False, "off: the seats share 1,023 tokens"),
        ({"shared": 1_024, "setting": "warm"}, True, "warm: one seat is asked first"),
        ({"seats": 1, "setting": "warm"}, False, "off: no other seat would read"),
        (
            {"provider": "local", "setting": "warm"},
            False,
            "off: the embedded model reads what the seats share",
        ),
        ({"provider": "replay", "setting": "warm"}, False, "off: answers come from files"),
        ({"provider": "openai-compatible", "rates": None}, False, "unknown, because a price is"),
        (
            {"provider": "openai-compatible", "rates": None, "setting": "warm"},
            True,
            "saves an unknown amount",
        ),
        ({"rates": DEAR}, False, "would cost more than it saves"),
        ({"rates": DEAR, "setting": "warm"}, True, "a panel more than it saves"),
        ({"rates": replace(RATES, cache_read=None)}, False, "unknown, because a price is"),
    ],
)
def test_cache_plan_follows_setting_and_figures(more: dict[str, Any], warm: bool, why: str) -> None:
    """A cache is warmed if that is set, or if it saves money and costs no time; the plan says why, with the figures."""
    chosen = plan(**more)
    assert chosen.warm is warm
    assert why in chosen.why


@given(
    st.sampled_from(["auto", "warm", "off"]),
    st.sampled_from(["openai", "anthropic", "openai-compatible", "local", "replay"]),
    st.none() | st.builds(Rates, *[st.none() | st.floats(0, 1e-4)] * 4),
    st.integers(0, 10_000),
    st.integers(0, 20),
    st.booleans(),
)
def test_cache_plan_keeps_its_rules(
    setting: Any, provider: str, rates: Rates | None, shared: int, seats: int, busy: bool
) -> None:
    """Off stays off, a short prefix is never warmed, and by default nothing is that does not save or that takes longer."""
    chosen = plan_cache(setting, provider, rates, shared=shared, seats=seats, busy=busy)
    assert chosen.why.startswith("warm: " if chosen.warm else "off")
    assert not (chosen.warm and (setting == "off" or shared < 1_024 or seats < 2))
    if chosen.warm and setting == "auto":
        assert busy
        assert chosen.saving_usd is not None
        assert chosen.saving_usd > 0
