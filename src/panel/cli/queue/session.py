"""What the commands of `panel queue` share: the approval service over the configured store, and the person at work."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from panel.approval import ApprovalService, DraftCommand
from panel.cli.actor import current_actor
from panel.core.draft_state import Action
from panel.errors import GateError, SettingsError
from panel.orchestrator.setup import available_personas, review_checks
from panel.orchestrator.stores import use_store
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
    """The approval service for one command; the store is open only while it is used, so that nothing waits while a person reads."""

    resolved: Resolved
    checks: Checks

    def use(self, work: Callable[[ApprovalService], Awaitable[T]]) -> T:
        """Return the result of work with the approval service."""

        def with_service(store: Store) -> Awaitable[T]:
            async def ask_seat(record: DraftRecord, persona: str) -> Seat:
                from panel.orchestrator.run import RunService

                return await RunService(store).rerun(self.resolved, record, persona)

            return work(ApprovalService(store, self.checks, ask_seat))

        return use_store(self.resolved, with_service)

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


def open_session(config: Path | None) -> QueueSession:
    """Return a session with the settings in force."""
    resolved = resolve({}, config)
    return QueueSession(resolved, review_checks(available_personas(resolved)))


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
