from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from panel.errors import SettingsError
from panel.providers import (
    hosted_providers,
    key_variables,
    open_provider,
    providers,
    url_variables,
)
from panel.providers.base import Connection, PriceSource

NAMES = ("openai", "anthropic", "local", "mock", "openai-compatible", "replay")


def test_every_adapter_module_registers_its_provider() -> None:
    assert tuple(providers()) == NAMES
    assert hosted_providers() == ("openai", "anthropic")
    assert key_variables() == {
        "openai": "OPENAI_API_KEY",
        "anthropic": "ANTHROPIC_API_KEY",
        "openai-compatible": "PANEL_API_KEY",
    }
    assert url_variables() == {"openai": "OPENAI_BASE_URL", "anthropic": "ANTHROPIC_BASE_URL"}
    assert {name for name, spec in providers().items() if spec.prices is PriceSource.FREE} == {
        "local",
        "mock",
        "replay",
    }


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        (Connection("openai"), "OPENAI_API_KEY is not set"),
        (Connection("anthropic", api_key=""), "ANTHROPIC_API_KEY is not set"),
        (Connection("openai-compatible"), "needs --base-url"),
        (Connection("replay", folder=Path("no-such-folder")), "is not a folder of recorded answers"),
        (Connection("llama"), "unknown provider 'llama'; known are openai, anthropic, local"),
    ],
)
def test_missing_requirements_are_settings_errors(connection: Connection, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        open_provider(connection)


def test_registry_imports_no_sdk_and_no_runtime() -> None:
    code = "import sys; from panel.providers import providers; providers(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"openai", "anthropic", "httpx2", "xllamacpp", "genai_prices", "tenacity", "aiolimiter", "jinja2"}
    assert heavy.isdisjoint(done.stdout.split())
