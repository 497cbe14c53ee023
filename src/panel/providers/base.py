"""The provider protocol, how a provider is reached, and the signal that stops a run."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from pathlib import Path

    import httpx2

    from panel.core.completion import Completion, ModelConfig
    from panel.core.prompt import Prompt
    from panel.errors import StorageError


@dataclass(frozen=True, slots=True)
class Connection:
    """How one provider is reached.

    Attributes:
        provider: a name that `panel.providers.registry` knows.
        base_url: None for the vendor's own address.
        api_key: never printed.
        timeout: limit of one call, in seconds.
        folder: recorded answers, for `replay`.
        recorded: provider that gave the answers of a recording; None for answers in single files.
        http_client: used instead of a new one; its owner closes it.
        concurrency: calls in flight at most; as many connections are kept open.
        cache: ask the provider to cache the part of the prompt that the seats of a panel share.
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

    Attributes:
        name: such as `openai`.
        scaffolded: whether the model is too weak for the full instructions and needs the short prompt with a scaffold.
    """

    name: str
    scaffolded: bool = False

    @abstractmethod
    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt. A refusal or a cut-off answer is a value, not an error.

        Raises:
            ProviderTransient: the same call may succeed later; the subclass says what was wrong.
            ProviderDown: no call can succeed until somebody acts.
            CallNotMade: the run was stopped before.
            ProviderError: this call failed for good.
        """

    async def aclose(self) -> None:  # noqa: B027 - most providers hold nothing
        """Release connections and memory. Does nothing by default."""


class StopSignal:
    """A request to start no further calls; those in flight finish.

    Attributes:
        reason: shown to the user; None while the run goes on.
        storage_error: the error that is the reason, if the store failed.
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
