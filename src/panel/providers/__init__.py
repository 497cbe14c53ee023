"""Adapters to models: prompt in, completion out. `open_provider` opens one by name, and imports only that one."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from panel.errors import PanelError, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2

    from panel.providers.base import Provider

HOSTED = ("openai", "anthropic")
NAMES = ("local", *HOSTED, "openai-compatible", "replay")


@dataclass(frozen=True, slots=True)
class Connection:
    """What it takes to reach a provider.

    Attributes:
        provider: one of `NAMES`.
        base_url: where it answers; None for the vendor's own address.
        api_key: secret that identifies the payer; never printed.
        timeout: seconds that one call may take in all.
        folder: recordings to answer from, for `replay`.
        recorded: the provider whose recorded answers they are; None for answers in single files.
        http_client: transport to use in place of a new one; its owner closes it.
        concurrency: calls in flight at most, for which connections are kept.
        cache: whether the provider is told to keep what the seats of a panel share.
        logprobs: whether to ask how likely the tokens of an answer were, where that can be asked.
    """

    provider: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    timeout: float = 120.0
    folder: Path | None = None
    recorded: str | None = None
    http_client: httpx2.AsyncClient | None = None
    concurrency: int = 10
    cache: bool = False
    logprobs: bool = True


def require_means(connection: Connection) -> None:
    """Check that a provider has what it needs to be opened.

    Raises:
        SettingsError: a key, an address or a folder is missing.
    """
    match connection.provider:
        case "local":
            from panel.providers.local.weights import find_weights

            find_weights()
        case "openai" if not connection.api_key:
            raise SettingsError("OPENAI_API_KEY is not set; export it, or use --model local")
        case "anthropic" if not connection.api_key:
            raise SettingsError("ANTHROPIC_API_KEY is not set; export it, or use --model local")
        case "openai-compatible" if not connection.base_url:
            raise SettingsError(
                "--model openai-compatible:NAME needs --base-url, such as http://127.0.0.1:8080/v1"
            )
        case "replay" if connection.folder is None or not os.path.isdir(connection.folder):  # noqa: PTH112 - never raises
            raise SettingsError(
                f"--model replay:DIR: {connection.folder} is not a folder of recorded answers"
            )
        case provider if provider not in NAMES:
            raise SettingsError(f"model: unknown provider {provider!r}; known are {', '.join(NAMES)}")


def open_provider(connection: Connection) -> Provider:
    """Open an adapter.

    Raises:
        SettingsError: something that it needs is missing, or the environment keeps it from being set up.
    """
    require_means(connection)
    try:
        return _adapter(connection)
    except PanelError:
        raise
    except Exception as error:
        # An SDK reads proxies, certificates and more from the environment, and fails in ways of its own.
        raise SettingsError(f"{connection.provider} could not be set up: {error}") from error


def _adapter(connection: Connection) -> Provider:
    match connection.provider:
        case "local":
            from panel.providers.local import LocalProvider

            return LocalProvider()
        case "openai":
            from panel.providers.openai import ResponsesProvider

            return ResponsesProvider(connection)
        case "openai-compatible":
            from panel.providers.openai_compatible import ChatProvider

            return ChatProvider(connection)
        case "anthropic":
            from panel.providers.anthropic import MessagesProvider

            return MessagesProvider(connection)
        case _:
            from panel.providers.replay import RecordingProvider, ReplayProvider

            return (
                RecordingProvider(connection, connection.recorded)
                if connection.recorded
                else ReplayProvider(connection)
            )
