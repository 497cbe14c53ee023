"""Real panels over real adapters, for tests whose world is a fault server or a played transport."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from acting import Memory
from panel.core.completion import ModelConfig
from panel.core.tool import Tool
from panel.orchestrator.panel import PanelSession
from panel.orchestrator.seat import SeatModel
from panel.providers import open_provider
from panel.providers.middleware.rate_limit import CallLimits, RateLimiter
from panel.providers.middleware.stack import wrap_hosted
from parts import InstantStop
from vendor_forms import MODEL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from panel.core.persona import Persona
    from panel.prompts.templates import PromptBook
    from panel.providers.base import Connection

ATTEMPTS = 4
NOW = datetime(2026, 11, 1, tzinfo=UTC)


class FakeClockStop(InstantStop):
    """A stop signal whose waits end at once and advance its clock, which stands in for the module `time`."""

    def __init__(self) -> None:
        super().__init__()
        self._skipped = 0.0

    def monotonic(self) -> float:
        """Return the time with all waits added."""
        return time.monotonic() + self._skipped

    async def sleep(self, seconds: float) -> None:
        end = self.monotonic() + seconds
        await super().sleep(seconds)
        self._skipped += max(0.0, end - self.monotonic())


@asynccontextmanager
async def panel_session(
    connection: Connection,
    personas: tuple[Persona, ...],
    book: PromptBook,
    stop: FakeClockStop,
    *,
    timeout: float,  # noqa: ASYNC109 - a setting of the policy
) -> AsyncIterator[PanelSession]:
    """Open a panel with the same middleware around its adapter as in the program; `timeout` of a call is in seconds."""
    provider = wrap_hosted(
        open_provider(connection),
        RateLimiter(CallLimits(connection.concurrency), stop),
        timeout=timeout,
        attempts=ATTEMPTS,
        base_url=connection.base_url,
    )
    try:
        yield PanelSession(
            model=SeatModel(provider, book, ModelConfig(model=MODEL)),
            personas=personas,
            concurrency=connection.concurrency,
            observer=Memory(),
            clock=lambda: NOW,
            stop=stop,
        )
    finally:
        await provider.aclose()


def tools(count: int) -> list[Tool]:
    """Return tools, each with a listing of its own."""
    return [Tool(name=f"Tool {n}", description=f"It shows run history {n} times.") for n in range(count)]
