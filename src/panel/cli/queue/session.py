"""The session of a `panel queue` command: approval service, open store, the person at work, and questions to them."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from panel.approval import ApprovalService, DraftCommand
from panel.cli.console import tell
from panel.cli.users import current_actor
from panel.core.draft_state import Action
from panel.errors import GateError, SettingsError
from panel.orchestrator.setup import available_personas, review_checks
from panel.orchestrator.store_access import configured_store, require_store
from panel.settings.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

    from panel.approval import DraftView
    from panel.core.actor import Actor
    from panel.core.take import Seat
    from panel.settings.resolve import Resolved
    from panel.store import DraftRecord

    T = TypeVar("T")

MIN_HASH_CHARS = 8


@dataclass(frozen=True)
class QueueSession:
    """The approval service for one command, over a store that is opened once; no transaction is open while a person reads."""

    resolved: Resolved
    service: ApprovalService
    runner: asyncio.Runner

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of work with the service or its store."""
        return self.runner.run(work)

    @cached_property
    def actor(self) -> Actor:
        """The person at work; raises as `current_actor` does."""
        return self.run(current_actor(self.resolved, self.service.store))

    def view(self, draft: int) -> DraftView:
        """Return a draft as it is now."""
        return self.run(self.service.view(draft))

    @contextmanager
    def locked(self, draft: int) -> Iterator[DraftView]:
        """Lock a draft while the person works on it; another person's lock stays."""
        view = self.run(self.service.lock(draft, self.actor))
        try:
            yield view
        finally:
            self.run(self.service.release(draft, self.actor))

    def execute(self, view: DraftView, action: Action, **parts: Any) -> DraftView:  # noqa: ANN401 - fields of DraftCommand
        """Take an action with a draft as it was shown, and return the draft after it; raises as `ApprovalService.execute` does."""
        parts = {"seen": view.shown.hash, "seen_resolutions": view.current.resolutions_digest, **parts}
        if action is Action.UNDO and (step := view.current.next_undo):
            parts["undoes"] = step.place
        command = DraftCommand(action=action, actor=self.actor, **parts)
        return self.run(self.service.execute(view.id, command))


@contextmanager
def open_session(config: Path | None) -> Iterator[QueueSession]:
    """Open the configured store, which must exist, and yield a session; raises as `require_store` does."""
    resolved = resolve({}, config)
    checks = review_checks(available_personas(resolved))
    require_store(resolved)
    stack = AsyncExitStack()
    with asyncio.Runner() as runner:
        store = runner.run(stack.enter_async_context(configured_store(resolved)))

        async def ask_seat(record: DraftRecord, persona: str) -> Seat:
            from panel.orchestrator.run import RunService

            return await RunService(store).rerun(resolved, record, persona)

        try:
            yield QueueSession(resolved, ApprovalService(store, checks, ask_seat), runner)
        finally:
            runner.run(stack.aclose())


def check_hash(view: DraftView, seen: str) -> None:
    """Check that a draft is the version that a person was shown.

    Raises:
        SettingsError: the hash is too short to tell.
        GateError: it is another version.
    """
    if len(seen) < MIN_HASH_CHARS:
        raise SettingsError(f"--seen: give at least {MIN_HASH_CHARS} characters of the hash")
    if not view.hash.startswith(seen.lower()):
        raise GateError(
            f"draft {view.id} is not the version that you were shown; read it again: panel queue show {view.id}"
        )


def ask_line(question: str) -> str | None:
    """Return the line that is typed, or that a pipe holds; None at the end of the input."""
    sys.stderr.write(f"{question} ")
    sys.stderr.flush()
    line = sys.stdin.buffer.readline()
    if not line or not sys.stdin.isatty():
        tell("")
    return line.decode("utf-8", "replace").strip() if line else None


def ask_choice(question: str, *choices: str) -> str | None:
    """Return the choice that is typed, by its word or its first letter; None at the end of the input."""
    while (word := ask_line(question)) is not None:
        chosen = next((choice for choice in choices if word.lower() in {choice, choice[0]}), None)
        if chosen is not None:
            return chosen
    return None
