from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders
from panel.core.comparison import MAX_SLUG_CHARS, Comparison
from panel.core.completion import Effort, ModelConfig

LANTERN, SEXTANT = builders.tool(), builders.tool("Sextant")
DIFFERENT_MODEL, DIFFERENT_SETTINGS = "different models or settings", "different settings"


def by(model: str, provider: str = "openai", **fields: object) -> Comparison:
    """Return reviews of one tool by two models, the first of them the usual one."""
    other = builders.asked_of(provider, model)
    return builders.comparison(builders.review(), other.model_copy(update=fields))


def test_different_tools_are_named_by_their_names() -> None:
    shown = builders.comparison(
        builders.review(), builders.asked_of("anthropic", "x", builders.review(of=SEXTANT))
    )
    assert (shown.title, shown.slug) == ("Lantern vs Sextant", "lantern-vs-sextant")
    assert shown.headings == ("Lantern", "Sextant")
    assert not shown.of_one_tool


def test_reviews_of_one_tool_are_named_by_their_models() -> None:
    shown = builders.two_models()
    assert shown.of_one_tool
    assert shown.title == "SmolLM3 by gpt-6.1-terra and claude-sonnet-5-5"
    assert shown.slug == "smollm3-by-gpt-6-1-terra-vs-claude-sonnet-5-5"
    assert shown.headings == ("gpt-6.1-terra", "claude-sonnet-5-5")
    assert shown.tools == (builders.smollm3().tool,)


def test_three_models_are_listed_in_words() -> None:
    shown = builders.comparison(*(builders.asked_of("openai", name) for name in "abc"))
    assert shown.title == "Lantern by a, b and c"


def test_runs_of_one_model_are_numbered() -> None:
    shown = by(builders.MODEL)
    assert shown.headings == ("gpt-6.1-terra (run 1)", "gpt-6.1-terra (run 2)")
    assert shown.slug == "lantern-by-gpt-6-1-terra-run-1-vs-gpt-6-1-terra-run-2"


def test_models_of_the_same_name_have_their_providers_added() -> None:
    shown = by(builders.MODEL, "openai-compatible")
    assert shown.headings == ("openai:gpt-6.1-terra", "openai-compatible:gpt-6.1-terra")


def test_panel_of_several_models_is_named_by_all_of_them() -> None:
    """The default model comes first; models of seats that are not on the panel are left out."""
    shown = builders.comparison(builders.mixed_jury(), builders.smollm3())
    assert shown.headings == ("gpt-6.1-terra with claude-sonnet-5-5", "gpt-6.1-terra")


def test_two_reviews_of_a_tool_beside_another_tool_have_their_models_added() -> None:
    shown = builders.comparison(*by("m-2").reviews, builders.review(of=SEXTANT))
    assert shown.headings == ("Lantern by gpt-6.1-terra", "Lantern by m-2", "Sextant")
    assert shown.slug == "lantern-by-gpt-6-1-terra-vs-lantern-by-m-2-vs-sextant"
    assert not shown.of_one_tool


def test_decisions_of_one_tool_are_about_the_panels() -> None:
    rows = {row.label: row.cells for row in builders.two_models().decisions}
    assert list(rows) == ["Panel verdict", "Model", "Reviewed"]
    assert rows["Model"] == ("openai:gpt-6.1-terra", "anthropic:claude-sonnet-5-5")
    assert rows["Reviewed"] == ("2026-11-22 09:30 UTC",) * 2


names = st.text(min_size=1, max_size=300).filter(str.strip)


@given(st.lists(names, min_size=2, max_size=6))
def test_slugs_and_headings_are_safe_for_any_model_name(models: list[str]) -> None:
    shown = builders.comparison(*(builders.asked_of("openai", name) for name in models))
    assert len(shown.slug) <= MAX_SLUG_CHARS < 200
    assert set(shown.slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(set(shown.headings)) == len(models)


def test_long_slugs_stay_distinct() -> None:
    long = [
        builders.review(of=builders.tool(name * 20)) for name in ("alpha", "beta", "gamma", "delta", "omega")
    ]
    one, other = builders.comparison(*long), builders.comparison(*long[:-1], builders.review())
    assert len(one.slug) == MAX_SLUG_CHARS
    assert one.slug != other.slug


def test_different_models_are_warned_of_between_tools_only() -> None:
    other = builders.asked_of("anthropic", "x", builders.review(of=SEXTANT))
    assert any(
        DIFFERENT_MODEL in warning for warning in builders.comparison(builders.review(), other).warnings
    )
    assert by("x").warnings == ()


def test_different_settings_are_warned_of() -> None:
    setup = builders.setup(model="x", config=ModelConfig(model="x", effort=Effort.HIGH))
    (warning,) = by("x", setup=setup).warnings
    assert DIFFERENT_SETTINGS in warning


def test_different_prompts_are_warned_of() -> None:
    (warning,) = by("x", setup=builders.setup(model="x", prompts="d4" * 32)).warnings
    assert "different versions of the prompts" in warning


@pytest.mark.parametrize(
    ("seat_models", "others", "warned"),
    [
        ({}, {"skeptic": builders.asked()}, True),
        ({"skeptic": builders.asked()}, {"skeptic": builders.asked()}, False),
        ({"skeptic": builders.asked()}, {"founder": builders.asked()}, True),
        ({"stranger": builders.asked()}, {}, False),
    ],
)
def test_models_of_seats_count_as_models_of_the_panel(
    seat_models: object, others: object, warned: bool
) -> None:
    """The models differ if a critic on both panels was asked with another one."""
    one = builders.review(setup=builders.setup(seat_models=seat_models))
    other = builders.review(of=SEXTANT, setup=builders.setup(seat_models=others))
    warnings = builders.comparison(one, other).warnings
    assert any(DIFFERENT_MODEL in warning for warning in warnings) is warned


def test_changed_listing_is_warned_of() -> None:
    changed = LANTERN.model_copy(update={"category": "Other"})
    shown = builders.comparison(builders.review(), builders.review(of=changed))
    assert shown.of_one_tool
    assert shown.tools == (LANTERN, changed)
    assert shown.warnings == ("The listing of a tool changed between its reviews.",)
