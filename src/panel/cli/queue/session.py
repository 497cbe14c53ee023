"""The session of a `panel queue` command: approval service, open store and the person at work."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from panel.approval import ApprovalService, DraftCommand
from panel.cli.actor import current_actor
from panel.core.draft_state import Action
from panel.errors import GateError, SettingsError
from panel.orchestrator.setup import available_personas, review_checks
from panel.orchestrator.stores import configured_store, require_store
from panel.settings.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from panel.approval import DraftView
    from panel.core.actor import Actor
    from panel.core.take import Seat
    from panel.settings.resolve import Resolved
    from panel.store import Checks, DraftRecord, Store

T = TypeVar("T")

MIN_HASH_CHARS = 8


@dataclass(frozen=True)
class QueueSession:
    """The approval service for one command, over a store that is opened once; no transaction is open while a person reads."""

    resolved: Resolved
    checks: Checks
    store: Store
    runner: asyncio.Runner

    def use(self, work: Callable[[ApprovalService], Awaitable[T]]) -> T:
        """Return the result of work with the approval service."""

        async def ask_seat(record: DraftRecord, persona: str) -> Seat:
            from panel.orchestrator.run import RunService

            return await RunService(self.store).rerun(self.resolved, record, persona)

        async def run() -> T:
            return await work(ApprovalService(self.store, self.checks, ask_seat))

        return self.runner.run(run())

    def actor(self) -> Actor:
        """Return the person at work; raises as `current_actor` does."""
        return self.use(lambda service: current_actor(self.resolved, service.store))

    def view(self, draft: int) -> DraftView:
        """Return a draft as it is now."""
        return self.use(lambda service: service.view(draft))

    def lock(self, draft: int, actor: Actor) -> DraftView:
        """Lock a draft for a person, unless another has it, and return the draft."""
        return self.use(lambda service: service.lock(draft, actor))

    @contextmanager
    def locked(self, draft: int, actor: Actor) -> Iterator[DraftView]:
        """Lock a draft for a person while they work on it; another person's lock stays."""
        view = self.lock(draft, actor)
        try:
            yield view
        finally:
            self.use(lambda service: service.release(draft, actor))

    def execute(self, view: DraftView, action: Action, actor: Actor, **parts: Any) -> DraftView:  # noqa: ANN401 - fields of DraftCommand
        """Take an action with a draft as it was shown, and return the draft after it; raises as `ApprovalService.execute` does."""
        parts = {"seen": view.shown.hash, "seen_resolutions": view.current.resolutions_digest, **parts}
        if action is Action.UNDO and (step := view.current.next_undo):
            parts["undoes"] = step.place
        command = DraftCommand(action=action, actor=actor, **parts)
        return self.use(lambda service: service.execute(view.id, command))


@contextmanager
def open_session(config: Path | None) -> Iterator[QueueSession]:
    """Open the configured store, which must exist, and yield a session; raises as `require_store` does."""
    resolved = resolve({}, config)
    checks = review_checks(available_personas(resolved))
    require_store(resolved)
    stack = AsyncExitStack()
    with asyncio.Runner() as runner:
        store = runner.run(stack.enter_async_context(configured_store(resolved)))
        try:
            yield QueueSession(resolved, checks, store, runner)
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
