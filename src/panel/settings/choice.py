"""Which model is asked, and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from panel.errors import SettingsError
from panel.providers import HOSTED, NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

EMBEDDED_MODEL = "smollm2-135m-instruct"
DEFAULT_MODELS = {"local": EMBEDDED_MODEL, "openai": "gpt-6.1-terra", "anthropic": "claude-sonnet-5-5"}
KEY_VARIABLES = {
    "openai": "OPENAI_API_KEY",
    "anthropic": "ANTHROPIC_API_KEY",
    "openai-compatible": "PANEL_API_KEY",
}

MAX_KEY_CHARS = 10_000


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A provider and a model, and why it is these."""

    provider: str
    model: str
    why: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"


def choose_model(setting: str | None, source: str, environ: Mapping[str, str]) -> ModelChoice:
    """Return the model that was set, or the best default: a provider whose key is set, else the embedded model.

    Raises:
        SettingsError: the provider is unknown, or its model is not named.
    """
    if setting is None:
        return _default(environ)
    if not setting.isprintable():
        raise SettingsError(f"model: {setting!r} holds characters that no name has")
    provider, _, model = setting.strip().partition(":")
    if provider not in NAMES:
        raise SettingsError(
            f"model: unknown provider {provider!r} in {setting!r}; known are {', '.join(NAMES)}"
        )
    model = model.strip() or DEFAULT_MODELS.get(provider, "")
    if not model:
        what = "DIR" if provider == "replay" else "NAME"
        raise SettingsError(f"model: {provider} needs a name after it, as in {provider}:{what}")
    if provider == "local" and model != EMBEDDED_MODEL:
        raise SettingsError(f"model: the embedded model is local:{EMBEDDED_MODEL}; there is no local:{model}")
    return ModelChoice(provider, model, f"set by {source}")


def api_key(provider: str, environ: Mapping[str, str]) -> str | None:
    """Return a provider's key, stripped, or None: from its variable, or from the file that VARIABLE_FILE names.

    Raises:
        SettingsError: the file cannot be read, or the key holds characters that no key has.
    """
    variable = KEY_VARIABLES.get(provider)
    if variable is None:
        return None
    source, key = variable, environ.get(variable, "").strip()
    path = environ.get(f"{variable}_FILE", "")
    if not key and path:
        source, key = f"{variable}_FILE ({path})", _key_in(f"{variable}_FILE", path)
    if any(not char.isascii() or not char.isprintable() or char == " " for char in key):
        raise SettingsError(
            f"{source} holds white space or other characters that no key has; copy the key again"
        )
    return key or None


def _key_in(variable: str, path: str) -> str:
    try:
        with Path(path).open(encoding="utf-8") as file:
            key = file.read(MAX_KEY_CHARS).strip()
    except (OSError, ValueError) as error:
        raise SettingsError(f"{variable}: {path} cannot be read as a key; name a text file") from error
    if not key:
        raise SettingsError(f"{variable}: {path} holds no key")
    return key


def _default(environ: Mapping[str, str]) -> ModelChoice:
    for provider in HOSTED:
        if api_key(provider, environ):
            return ModelChoice(provider, DEFAULT_MODELS[provider], f"{KEY_VARIABLES[provider]} is set")
    named = " and ".join(KEY_VARIABLES[provider] for provider in HOSTED)
    return ModelChoice("local", EMBEDDED_MODEL, f"the embedded model, because {named} are not set")
