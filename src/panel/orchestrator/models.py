"""What it takes to ask one model: its name, its parameters, how it is reached, and the questions that suit it."""

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
    """What it takes to ask one model.

    Attributes:
        choice: the model, and why it is this one.
        provider: who answers, in the words of reports; for a recording, who answered then.
        config: the model and its parameters.
        connection: how the provider is reached.
        prompts: makes the questions.
    """

    choice: ModelChoice
    provider: str
    config: ModelConfig
    connection: Connection
    prompts: PromptBook

    @property
    def asked(self) -> ModelRef:
        """What reports say about it."""
        return ModelRef(provider=self.provider, config=self.config, prompts=self.prompts.digest)


def prices_of(means: ResolvedModel) -> Prices:
    """Return the prices of a provider's models; reading the list takes some tenths of a second."""
    from panel.providers.prices import Prices

    return Prices(means.connection.provider, means.connection.base_url)


def rates_of(means: ResolvedModel) -> Rates | None:
    """Return the prices of a model, or None if they are unknown."""
    return prices_of(means).rates(means.config.model)


def elsewhere(resolved: Resolved, provider: str) -> Resolved:
    """Return the settings for a model beside others: an address that was set for a server of one's own is not a vendor's."""
    if provider not in hosted_providers():
        return resolved
    return replace(resolved, settings=resolved.settings.model_copy(update={"base_url": None}))


def resolve_model(
    resolved: Resolved, choice: ModelChoice, secret: bytes | None, *, to_ask: bool
) -> ResolvedModel:
    """Return what it takes to ask a model.

    Args:
        resolved: the settings.
        choice: the model.
        secret: what the fences in its questions are derived from; None for the user's own.
        to_ask: whether it will be asked, and so must have its key.

    Raises:
        PanelError: a setting or a template cannot be used.
    """
    connection = _connection(resolved, choice)
    if to_ask:
        check_connection(connection)
    manifest = Recording(connection.folder).manifest() if connection.folder else None
    if manifest is not None:
        return _recorded_means(resolved, choice, connection, manifest.asked, manifest.secret)
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
    resolved: Resolved, means: ResolvedModel, seated: Container[str]
) -> dict[str, ResolvedModel]:
    """Return, for a recording of a mixed jury, what it takes to ask the models of those seat_models that are seated."""
    manifest = Recording(means.connection.folder).manifest() if means.connection.folder else None
    if manifest is None:
        return {}
    return {
        persona: _recorded_means(resolved, means.choice, means.connection, asked, manifest.secret)
        for persona, asked in manifest.seat_models.items()
        if persona in seated
    }


def _recorded_means(
    resolved: Resolved, choice: ModelChoice, connection: Connection, asked: ModelRef, secret: str
) -> ResolvedModel:
    """Return what it takes to have a recording answer as it was answered then.

    Raises:
        SettingsError: it was made with other prompts.
    """
    prompts = prompt_book(resolved, scaffolded=asked.provider == EMBEDDED, secret=bytes.fromhex(secret))
    if prompts.digest != asked.prompts:
        raise SettingsError(
            f"{connection.folder} was recorded with other prompts than those in force; give their folder as --prompts, "
            "or record anew"
        )
    return ResolvedModel(
        choice, asked.provider, asked.config, replace(connection, recorded=asked.provider), prompts
    )


def prompt_book(resolved: Resolved, *, scaffolded: bool, secret: bytes | None = None) -> PromptBook:
    """Open the prompt templates in force; a template that their folder lacks is the shipped one.

    Args:
        resolved: the settings.
        scaffolded: whether the questions are for a weak model.
        secret: what the fences are derived from; by default the user's own.
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
    """Return where a provider answers, unless a folder's settings file would have a vendor's key sent elsewhere."""
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
