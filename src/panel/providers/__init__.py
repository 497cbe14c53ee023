"""Adapters to models: prompt in, completion out. `open_provider` opens one by name, and imports only that one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from panel.errors import SettingsError

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
        http_client: transport to use in place of a new one; its owner closes it.
    """

    provider: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    timeout: float = 120.0
    folder: Path | None = None
    http_client: httpx2.AsyncClient | None = None


def open_provider(connection: Connection) -> Provider:
    """Open an adapter.

    Raises:
        SettingsError: the name is unknown, or a key or an address is missing.
    """
    match connection.provider:
        case "local":
            from panel.providers.local import LocalProvider

            return LocalProvider()
        case "openai":
            from panel.providers.openai import ResponsesProvider

            return ResponsesProvider(connection)
        case "openai-compatible":
            from panel.providers.openai import ChatProvider

            return ChatProvider(connection)
        case "anthropic":
            from panel.providers.anthropic import MessagesProvider

            return MessagesProvider(connection)
        case "replay":
            from panel.providers.replay import ReplayProvider

            return ReplayProvider(connection)
        case unknown:
            raise SettingsError(f"model: unknown provider {unknown!r}; known are {', '.join(NAMES)}")
