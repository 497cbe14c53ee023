"""Which model a setting names, the default model, and the API keys."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from panel.errors import SettingsError
from panel.providers import hosted_providers, key_variables, providers

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_KEY_CHARS = 10_000
FALLBACK = "local"
"""The provider that is used without a key: the embedded model."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A provider and a model, and the reason for the choice."""

    provider: str
    model: str
    why: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.model}"


def choose_model(setting: str | None, source: str, environ: Mapping[str, str] = os.environ) -> ModelChoice:
    """Return the model that was set, else the default of the first provider whose key is set, else the embedded model.

    An unknown provider, or one whose model is not named, is a SettingsError.
    """
    if setting is None:
        return _default(environ)
    if not setting.isprintable():
        raise SettingsError(f"model: {setting!r} holds characters that no name has")
    provider, _, model = setting.strip().partition(":")
    spec = providers().get(provider)
    if spec is None:
        raise SettingsError(
            f"model: unknown provider {provider!r} in {setting!r}; known are {', '.join(providers())}"
        )
    model = model.strip() or spec.default_model or ""
    if not model:
        raise SettingsError(f"model: {provider} needs a name after it, as in {provider}:{spec.model_hint}")
    if spec.models and model not in spec.models:
        known = ", ".join(f"{provider}:{name}" for name in spec.models)
        raise SettingsError(f"model: there is no {provider}:{model}; known are {known}")
    return ModelChoice(provider, model, f"set by {source}")


def api_key(provider: str, environ: Mapping[str, str]) -> str | None:
    """Return a provider's key from its variable, or from the file that VARIABLE_FILE names; None if there is none.

    A file that cannot be read, or characters that no key has, are a SettingsError.
    """
    variable = key_variables().get(provider)
    if variable is None:
        return None
    source, key = variable, environ.get(variable, "").strip()
    path = environ.get(f"{variable}_FILE", "")
    if not key and path:
        source = f"{variable}_FILE ({path})"
        try:
            with Path(path).open(encoding="utf-8") as file:
                key = file.read(MAX_KEY_CHARS).strip()
        except (OSError, ValueError) as error:
            message = f"{variable}_FILE: {path} cannot be read as a key; name a text file"
            raise SettingsError(message) from error
        if not key:
            raise SettingsError(f"{variable}_FILE: {path} holds no key")
    if any(not char.isascii() or not char.isprintable() or char == " " for char in key):
        raise SettingsError(
            f"{source} holds white space or other characters that no key has; copy the key again"
        )
    return key or None


def _default(environ: Mapping[str, str]) -> ModelChoice:
    specs = [providers()[name] for name in hosted_providers()]
    for spec in specs:
        if api_key(spec.name, environ):
            return ModelChoice(spec.name, spec.default_model or "", f"{spec.key_variable} is set")
    variables = " and ".join(spec.key_variable or "" for spec in specs)
    why = f"the embedded model, because {variables} are not set"
    return ModelChoice(FALLBACK, providers()[FALLBACK].default_model or "", why)
