"""The one protocol that all providers and their wrappers follow."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from panel.core.completion import Completion, ModelConfig
    from panel.core.prompt import Prompt
    from panel.errors import StorageError


class Provider(ABC):
    """Something that answers prompts. Adapters and wrappers subclass it for its defaults.

    Attributes:
        name: who answers, such as `openai`.
        scaffolded: whether the model is too weak for the full instructions and wants the short
            prompt with its scaffold.
    """

    name: str
    scaffolded: bool = False

    @abstractmethod
    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt.

        What the model does, a refusal or a cut-off answer included, is a value. Raises:
            ProviderTransient: the same call may succeed later; its subclasses say what was wrong.
            ProviderDown: no call can succeed until somebody acts.
            CallNotMade: the run was halted before.
            ProviderError: this call failed for good.
        """

    async def aclose(self) -> None:  # noqa: B027 - most providers hold nothing
        """Give connections and memory back. Does nothing by default."""


class StopSignal:
    """A request to start no further calls; those in flight finish.

    Attributes:
        reason: why, in words for the user; None as long as work goes on.
        fault: the error of storage that is the reason, if one is.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self.fault: StorageError | None = None
        self._event = asyncio.Event()

    def set(self, reason: str) -> None:
        """Stop, for the first reason given."""
        self.reason = self.reason or reason
        self._event.set()

    def fail(self, fault: StorageError) -> None:
        """Stop because something could not be kept; the first such error is the run's."""
        self.fault = self.fault or fault
        self.set(str(fault))

    async def sleep(self, seconds: float) -> None:
        """Wait, but no longer than until the halt."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()

    async def cut_short(self, waiting: Coroutine[Any, Any, None]) -> None:
        """Wait for something, but no longer than until the halt; it is cancelled then."""
        tasks = {asyncio.ensure_future(waiting), asyncio.ensure_future(self._event.wait())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
