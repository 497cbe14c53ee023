"""The composition root: from settings to a panel that can sit."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from panel import __version__
from panel.domain.completion import ModelConfig
from panel.errors import InputError, Problem, SettingsError
from panel.loaders.front_matter import FENCE
from panel.loaders.personas import PATTERN as PERSONA_FILES
from panel.loaders.personas import load_personas, seat_roster
from panel.loaders.prompts import PATTERN as PROMPT_FILES
from panel.loaders.prompts import PromptBook
from panel.loaders.shipped import folder_in_force, shipped
from panel.orchestrator.review import Panel
from panel.providers import HOSTED, Connection, open_provider, require_means
from panel.providers.middleware import Retrying, Timed
from panel.report import ReportContext
from panel.settings.choice import ModelChoice, api_key, choose_model
from panel.settings.model import address
from panel.settings.resolve import PROJECT_FILE
from panel.settings.secret import read_secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from panel.domain.persona import Persona
    from panel.orchestrator.ports import Observer
    from panel.orchestrator.take import Halt
    from panel.providers.base import Provider
    from panel.settings.resolve import Resolved

EPOCH_VARIABLE = "SOURCE_DATE_EPOCH"
VENDOR_URL_VARIABLES = {"openai": "OPENAI_BASE_URL", "anthropic": "ANTHROPIC_BASE_URL"}


@dataclass(frozen=True, slots=True)
class Cast:
    """What a run needs before any model is asked: checked, and nothing paid for.

    Attributes:
        choice: the model, and why it is this one.
        personas: the roster, in order.
        prompts: makes the questions.
        config: the model and its parameters.
        connection: how the provider is reached.
        clock: tells the time of a review.
    """

    choice: ModelChoice
    personas: tuple[Persona, ...]
    prompts: PromptBook
    config: ModelConfig
    connection: Connection
    clock: Callable[[], datetime]


def critics(resolved: Resolved) -> dict[str, Persona]:
    """Return all personas of the folder in force by their ids."""
    return load_personas(folder_in_force("personas", resolved.settings.personas, PERSONA_FILES, start=FENCE))


def cast(resolved: Resolved, known: Mapping[str, Persona], *, to_ask: bool = True) -> Cast:
    """Put together all that a run needs but the provider.

    Args:
        resolved: the settings.
        known: the personas to choose the roster from.
        to_ask: whether the provider will be asked, and so must have its key.

    Raises:
        PanelError: a setting, a persona or a template cannot be used.
    """
    settings = resolved.settings
    choice = choose_model(settings.model, resolved.sources["model"], os.environ)
    connection = _connection(resolved, choice)
    if to_ask:
        require_means(connection)
    clock = _clock()
    personas = seat_roster(known, settings.roster)
    model = Path(choice.model).name if choice.provider == "replay" else choice.model
    config = ModelConfig(
        model=model, max_output_tokens=settings.max_output_tokens, effort=settings.effort, seed=settings.seed
    )
    prompts = prompt_book(resolved, scaffolded=choice.provider == "local")
    return Cast(choice, personas, prompts, config, connection, clock)


def prompt_book(resolved: Resolved, *, scaffolded: bool) -> PromptBook:
    """Open the prompt templates in force; a template that their folder lacks is the shipped one."""
    folder = folder_in_force("prompts", resolved.settings.prompts, PROMPT_FILES)
    if not any(folder.glob(PROMPT_FILES)):
        raise InputError([Problem(str(folder), f"holds no prompt templates ({PROMPT_FILES})")])
    secret = read_secret(data_dir(resolved))
    return PromptBook([folder, shipped("prompts")], secret, scaffolded=scaffolded)


def report_context(known: Iterable[Persona]) -> ReportContext:
    """Return what reports say beside the reviews themselves."""
    return ReportContext(
        generator=f"panel {__version__}", mottos={persona.id: persona.motto for persona in known}
    )


def data_dir(resolved: Resolved) -> Path:
    """Return the folder of the user's data, by the XDG base directory specification unless it is set."""
    if resolved.settings.data_dir is not None:
        return resolved.settings.data_dir
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "panel"


@asynccontextmanager
async def seated(resolved: Resolved, cast_: Cast, observer: Observer, halt: Halt) -> AsyncIterator[Panel]:
    """Open the provider, with its wrappers, for as long as the panel sits."""
    provider = _provider(resolved, cast_.connection)
    try:
        yield Panel(
            provider=provider,
            prompts=cast_.prompts,
            config=cast_.config,
            personas=cast_.personas,
            concurrency=resolved.settings.concurrency,
            observer=observer,
            clock=cast_.clock,
            halt=halt,
        )
    finally:
        await provider.aclose()


def _connection(resolved: Resolved, choice: ModelChoice) -> Connection:
    settings = resolved.settings
    return Connection(
        provider=choice.provider,
        base_url=_base_url(resolved, choice.provider),
        api_key=api_key(choice.provider, os.environ),
        timeout=settings.timeout,
        folder=Path(choice.model) if choice.provider == "replay" else None,
    )


def _base_url(resolved: Resolved, provider: str) -> str | None:
    """Return where a provider answers, unless a folder's settings file would have a vendor's key sent elsewhere."""
    url, source = resolved.settings.base_url, resolved.sources["base_url"]
    if url is not None and provider in HOSTED and source.startswith(f"{PROJECT_FILE},"):
        raise SettingsError(
            f"base_url in {source} would send your {provider} key to {url}; if that is meant, give it as --base-url"
        )
    variable = VENDOR_URL_VARIABLES.get(provider, "")
    return url or (address(variable, os.environ[variable]) if os.environ.get(variable) else None)


def _provider(resolved: Resolved, connection: Connection) -> Provider:
    adapter = open_provider(connection)
    if adapter.scaffolded:
        return adapter
    return Retrying(Timed(adapter, connection.timeout), attempts=1 + resolved.settings.retries)


def _clock() -> Callable[[], datetime]:
    """Tell the time, or the one that SOURCE_DATE_EPOCH fixes so that equal runs give equal reports."""
    fixed = os.environ.get(EPOCH_VARIABLE)
    if not fixed:
        return lambda: datetime.now(UTC).replace(microsecond=0)
    try:
        then = datetime.fromtimestamp(int(fixed), UTC)
    except (ValueError, OverflowError, OSError):
        raise SettingsError(f"{EPOCH_VARIABLE}: expected seconds since 1970, got {fixed!r}") from None
    return lambda: then
