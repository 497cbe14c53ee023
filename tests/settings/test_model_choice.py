from __future__ import annotations

import pytest

from panel.errors import SettingsError
from panel.settings.model_choice import api_key, choose_model

OPENAI, ANTHROPIC = {"OPENAI_API_KEY": "sk-EXAMPLE"}, {"ANTHROPIC_API_KEY": "sk-ant-EXAMPLE"}


@pytest.mark.parametrize(
    ("environ", "chosen", "why"),
    [
        ({}, "local:smollm2-135m-instruct", "are not set"),
        ({"OPENAI_API_KEY": "  "}, "local:smollm2-135m-instruct", "are not set"),
        (OPENAI, "openai:gpt-6.1-terra", "OPENAI_API_KEY is set"),
        (ANTHROPIC, "anthropic:claude-sonnet-5-5", "ANTHROPIC_API_KEY is set"),
        (OPENAI | ANTHROPIC, "openai:gpt-6.1-terra", "OPENAI_API_KEY is set"),
    ],
)
def test_default_model_is_the_first_with_a_key(environ: dict[str, str], chosen: str, why: str) -> None:
    """Without a setting, the first provider whose key is set is asked, else the embedded model, and it says why."""
    choice = choose_model(None, "default", environ)
    assert str(choice) == chosen
    assert why in choice.why


@pytest.mark.parametrize(
    ("setting", "chosen"),
    [
        ("openai", "openai:gpt-6.1-terra"),
        ("openai:gpt-6-luna", "openai:gpt-6-luna"),
        ("openai-compatible:qwen3:8b", "openai-compatible:qwen3:8b"),
        ("local", "local:smollm2-135m-instruct"),
        ("replay:fixtures/replies", "replay:fixtures/replies"),
        ("mock", "mock:mixed"),
    ],
)
def test_model_may_be_named_in_full_or_by_its_provider(setting: str, chosen: str) -> None:
    """A setting names a provider, and a model after a colon unless the provider has a default."""
    choice = choose_model(setting, "--model", OPENAI)
    assert str(choice) == chosen
    assert choice.why == "set by --model"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("gpt-6", "unknown provider 'gpt-6'"),
        ("openai-compatible", "needs a name after it"),
        ("replay:", "replay:DIR"),
        ("local:llama", "there is no local:llama"),
        ("mock:llama", "there is no mock:llama; known are mock:mixed, mock:ship"),
    ],
)
def test_unusable_model_says_what_would_do(setting: str, message: str) -> None:
    """A model that cannot be asked is refused with what would do in its place."""
    with pytest.raises(SettingsError, match=message):
        choose_model(setting, "--model", {})


def test_key_is_stripped_and_checked() -> None:
    assert api_key("openai", {"OPENAI_API_KEY": " sk-EXAMPLE\n"}) == "sk-EXAMPLE"
    assert api_key("local", OPENAI) is None
    with pytest.raises(SettingsError) as caught:
        api_key("openai", {"OPENAI_API_KEY": "sk-EXA MPLE"})
    assert "EXA" not in str(caught.value)
