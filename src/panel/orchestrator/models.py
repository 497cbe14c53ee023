"""From a model's name to everything a call of it needs: parameters, connection, prompts and prices."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from panel.core.completion import ModelConfig, ModelRef
from panel.core.review import EMBEDDED
from panel.errors import InputError, Problem, SettingsError
from panel.prompts.folders import TEMPLATE_FILES, shipped, templates_folder
from panel.prompts.templates import PromptBook
from panel.providers.base import Connection
from panel.providers.recording import Recording
from panel.providers.registry import check_connection, hosted_providers, url_variables
from panel.settings.choice import api_key
from panel.settings.model import address
from panel.settings.resolve import PROJECT_FILE
from panel.settings.secret import read_secret

if TYPE_CHECKING:
    from collections.abc import Container

    from panel.providers.prices import Prices, Rates
    from panel.settings.choice import ModelChoice
    from panel.settings.resolve import Resolved

REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model, ready to be asked.

    `provider` is the provider's name in reports; for a recording, the one that answered then.
    """

    choice: ModelChoice
    provider: str
    config: ModelConfig
    connection: Connection
    prompts: PromptBook

    @property
    def ref(self) -> ModelRef:
        """The model, its parameters and the version of its prompts, as reviews keep them."""
        return ModelRef(provider=self.provider, config=self.config, prompts=self.prompts.digest)

    @property
    def prices(self) -> Prices:
        """The prices of the provider's models; reading the list takes some tenths of a second."""
        from panel.providers.prices import Prices

        return Prices(self.connection.provider, self.connection.base_url)

    @property
    def rates(self) -> Rates | None:
        """The prices of the model, or None if they are unknown."""
        return self.prices.rates(self.config.model)


def beside_others(resolved: Resolved, provider: str) -> Resolved:
    """Return the settings for one of several models: a `base_url` set for one's own server is not a vendor's."""
    if provider not in hosted_providers():
        return resolved
    return replace(resolved, settings=resolved.settings.model_copy(update={"base_url": None}))


def resolve_model(
    resolved: Resolved, choice: ModelChoice, secret: bytes | None, *, to_ask: bool
) -> ResolvedModel:
    """Return a model, ready to be asked.

    `secret` is the one behind the fences in its prompts, None for the user's own; with `to_ask`, the model's key must be set.

    Raises:
        PanelError: a setting or a template is unusable.
    """
    connection = _connection(resolved, choice)
    if to_ask:
        check_connection(connection)
    manifest = Recording(connection.folder).manifest() if connection.folder else None
    if manifest is not None:
        return _recorded_model(resolved, choice, connection, manifest.asked, manifest.secret)
    settings = resolved.settings
    config = ModelConfig(
        model=Path(choice.model).name if choice.provider == REPLAY else choice.model,
        max_output_tokens=settings.max_output_tokens,
        effort=settings.effort,
        verbosity=settings.verbosity,
        seed=settings.seed,
    )
    prompts = prompt_book(resolved, scaffolded=choice.provider == EMBEDDED, secret=secret)
    return ResolvedModel(choice, choice.provider, config, connection, prompts)


def recorded_seat_models(
    resolved: Resolved, model: ResolvedModel, roster: Container[str]
) -> dict[str, ResolvedModel]:
    """Return, for the recording of a panel with several models, the models of those seats that had their own."""
    manifest = Recording(model.connection.folder).manifest() if model.connection.folder else None
    if manifest is None:
        return {}
    return {
        persona: _recorded_model(resolved, model.choice, model.connection, ref, manifest.secret)
        for persona, ref in manifest.seat_models.items()
        if persona in roster
    }


def _recorded_model(
    resolved: Resolved, choice: ModelChoice, connection: Connection, ref: ModelRef, secret: str
) -> ResolvedModel:
    """Return the model whose answers a recording holds.

    Raises:
        SettingsError: the recording was made with other prompts.
    """
    prompts = prompt_book(resolved, scaffolded=ref.provider == EMBEDDED, secret=bytes.fromhex(secret))
    if prompts.digest != ref.prompts:
        raise SettingsError(
            f"{connection.folder} was recorded with other prompts than those in force; give their folder as --prompts, "
            "or record anew"
        )
    return ResolvedModel(
        choice, ref.provider, ref.config, replace(connection, recorded=ref.provider), prompts
    )


def prompt_book(resolved: Resolved, *, scaffolded: bool, secret: bytes | None = None) -> PromptBook:
    """Open the prompt templates in force; the shipped ones stand in for templates that their folder lacks.

    `scaffolded` templates are those of the embedded model; `secret`, by default the user's own, is the one behind the fences.
    """
    folder = templates_folder(resolved.settings.prompts)
    if not any(folder.glob(TEMPLATE_FILES)):
        raise InputError([Problem(str(folder), f"holds no prompt templates ({TEMPLATE_FILES})")])
    own = secret or read_secret(resolved.data_dir)
    return PromptBook([folder, shipped("prompts")], own, scaffolded=scaffolded)


def _connection(resolved: Resolved, choice: ModelChoice) -> Connection:
    settings = resolved.settings
    return Connection(
        provider=choice.provider,
        base_url=_base_url(resolved, choice.provider),
        api_key=api_key(choice.provider, os.environ),
        timeout=settings.timeout,
        folder=Path(choice.model) if choice.provider == REPLAY else None,
        concurrency=settings.concurrency,
    )


def _base_url(resolved: Resolved, provider: str) -> str | None:
    """Return a provider's address, unless the settings file of a folder would send a vendor's key elsewhere."""
    url, source = resolved.settings.base_url, resolved.sources["base_url"]
    keyed = provider in hosted_providers() or (api_key(provider, os.environ) and not _is_loopback(url))
    if url is not None and keyed and source.startswith(f"{PROJECT_FILE},"):
        raise SettingsError(
            f"base_url in {source} would send your {provider} key to {url}; if that is meant, give it as --base-url"
        )
    variable = url_variables().get(provider, "")
    return url or (address(variable, os.environ[variable]) if os.environ.get(variable) else None)


def _is_loopback(url: str | None) -> bool:
    return urlsplit(url or "").hostname in {"127.0.0.1", "::1", "localhost"}
