"""Providers and middleware: their protocol, how a provider is reached and registered, and the signal that stops a run."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    import httpx2

    from panel.core.completion import Completion, ModelConfig
    from panel.core.prompt import Prompt
    from panel.errors import StorageError

    WorstCase = Callable[[Prompt, ModelConfig], float | None]
    """The highest cost of one call in US dollars; None if the price is unknown."""


@dataclass(frozen=True, slots=True)
class Connection:
    """How one provider is reached. `base_url` is None for the vendor's own address; `timeout` limits one call, in seconds.

    `folder` holds the answers for `replay`, and `recorded` names the provider that originally gave them. The owner of an `http_client`
    closes it. At most `concurrency` calls are in flight, each with a connection of its own. `cache` asks the provider to cache the part of
    the prompt that the seats of a panel share.
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


class Provider(ABC):
    """Answers prompts. Adapters and middleware are subclasses.

    A `scaffolded` model is too weak for the full instructions and needs the short prompt with a scaffold.
    """

    name: str
    scaffolded: bool = False

    @abstractmethod
    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt. A refusal or a cut-off answer is a value, not an error.

        Raises:
            ProviderTransient: the same call may succeed later; the subclass says why.
            ProviderDown: no call can succeed until somebody acts.
            CallNotMade: the run was stopped before.
            ProviderError: this call failed for good.
        """

    async def aclose(self) -> None:  # noqa: B027 - most providers hold nothing
        """Release connections and memory. Does nothing by default."""


class Middleware(Provider):
    """A provider around a provider, with one concern. `middleware/stack.py` puts them together."""

    def __init__(self, inner: Provider) -> None:
        self._inner = inner
        self.name = inner.name
        self.scaffolded = inner.scaffolded

    async def aclose(self) -> None:
        """Close the inner provider."""
        await self._inner.aclose()


class PriceSource(Enum):
    """How the price of a call is found."""

    FREE = auto()
    VENDOR = auto()
    """The provider's own price list, wherever the call goes: a gateway charges the same."""
    BY_ADDRESS = auto()
    """The price list of the vendor that the base URL belongs to, if it is known."""


class PromptCache(Enum):
    """When a provider caches the beginning of a prompt."""

    UNKNOWN = auto()
    AUTOMATIC = auto()
    ON_REQUEST = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSpec:
    """Everything that the rest of the program knows about a provider; an adapter module names its own `SPEC`.

    - `open` makes the adapter and may raise any exception; `check` raises SettingsError if something is missing, without a call.
    - `default_model` is used when `--model` names the provider alone. `models` lists all models, if they are known, and `model_hint`
      stands for the model in messages.
    - `key_variable` and `url_variable` are environment variables: of the API key, and of another base URL, as the vendor's SDK reads it.
    - `prompt_cache` decides the cost of the prefix that seats share; `not_cached` is the reason why a cache would save nothing.
    - `preference` ranks the providers that are used by default when their key is set; None for never.
    """

    name: str
    open: Callable[[Connection], Provider]
    check: Callable[[Connection], None] = lambda _connection: None
    prices: PriceSource
    default_model: str | None = None
    models: tuple[str, ...] = ()
    model_hint: str = "NAME"
    key_variable: str | None = None
    key_required: bool = False
    url_variable: str | None = None
    prompt_cache: PromptCache = PromptCache.UNKNOWN
    not_cached: str | None = None
    preference: int | None = None


class StopSignal:
    """A request to start no further calls; those in flight finish.

    `reason` is shown to the user, and None while the run goes on. `storage_error` is the cause, if the store failed.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self.storage_error: StorageError | None = None
        self._event = asyncio.Event()

    def set(self, reason: str) -> None:
        """Stop the run. Only the first reason is kept."""
        self.reason = self.reason or reason
        self._event.set()

    def fail(self, error: StorageError) -> None:
        """Stop the run because something could not be stored. Only the first error is kept."""
        self.storage_error = self.storage_error or error
        self.set(str(error))

    async def sleep(self, seconds: float) -> None:
        """Wait some seconds, or until the run is stopped."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()

    async def wait_for(self, waiting: Coroutine[Any, Any, None]) -> None:
        """Wait for a coroutine; cancel it when the run is stopped."""
        tasks = {asyncio.ensure_future(waiting), asyncio.ensure_future(self._event.wait())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
