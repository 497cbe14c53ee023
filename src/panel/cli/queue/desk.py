"""What the commands of the queue work with: the store, the checks, and who is at work."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from panel.approval import ApprovalService, DraftCommand
from panel.approval.messages import locked_message
from panel.cli.acting import acting
from panel.core.draft_state import Action, as_opened, why_refused
from panel.errors import GateError, SettingsError
from panel.orchestrator.setup import available_personas, review_checks
from panel.orchestrator.stores import use_store
from panel.settings.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from panel.approval import DraftView
    from panel.core.actor import Actor
    from panel.core.draft_state import DraftState
    from panel.core.take import Seat
    from panel.settings.resolve import Resolved
    from panel.store import Checks, DraftRecord, QueueFilter, QueuePage, Store

T = TypeVar("T")

SHORTEST_HASH = 8


@dataclass(frozen=True, slots=True)
class Desk:
    """What the commands of the queue work with.

    Attributes:
        resolved: the settings.
        checks: what finds in a review what an editor should look at.
    """

    resolved: Resolved
    checks: Checks

    def at(self, work: Callable[[Store], Awaitable[T]]) -> T:
        """Return what work on the store returns; it is open for that work alone, so that nothing waits while somebody reads."""
        return use_store(self.resolved, work)

    def actor(self) -> Actor:
        """Return who is at work; raises as `acting` does."""
        return self.at(lambda store: acting(self.resolved, store))

    def view(self, draft: int) -> DraftView:
        """Return a draft as it is now."""
        return self.approve_with(lambda service: service.view(draft))

    def queue(self, wanted: QueueFilter, after: str | None, limit: int) -> QueuePage:
        """Return a page of the queue; see `Queue.queue`."""
        return self.at(lambda store: store.queue.page(wanted, after=after, limit=limit))

    @contextmanager
    def held(self, draft: int, actor: Actor) -> Iterator[DraftView]:
        """Hold a draft, unless somebody else does, for as long as it is worked on; yield it as it is now."""
        view = self.claimed(draft, actor)
        try:
            yield view
        finally:
            self.at(lambda store: store.locks.release(draft, actor))

    def claimed(self, draft: int, actor: Actor) -> DraftView:
        """Take a draft before oneself, unless somebody else has it, and return it as it is now."""
        return self.approve_with(lambda service: service.lock(draft, actor))

    def do(self, view: DraftView, action: Action, actor: Actor, **parts: Any) -> DraftView:  # noqa: ANN401 - parts of a Deed
        """Do something with a draft as it was shown; whoever decides about a new draft opens it.

        Args:
            view: what was shown.
            action: what is done.
            actor: by whom.
            parts: what else belongs to the `DraftCommand`.

        Raises:
            GateError: the rules refuse it, somebody else has the draft, or it has changed.
        """
        seen = {"seen": view.shown.hash, "seen_resolutions": view.current.resolutions_digest}
        command = DraftCommand(action=action, actor=actor, **seen, **parts)
        return self.approve_with(lambda service: service.execute(view.id, command))

    def approve_with(self, work: Callable[[ApprovalService], Awaitable[T]]) -> T:
        """Return the result of work with the approval service."""

        def with_service(store: Store) -> Awaitable[T]:
            async def ask_seat(record: DraftRecord, persona: str) -> Seat:
                from panel.orchestrator.run import RunService

                return await RunService(store).rerun(self.resolved, record, persona)

            return work(ApprovalService(store, self.checks, ask_seat))

        return self.at(with_service)


def desk(config: Path | None) -> Desk:
    """Return what the commands of the queue work with, by the settings in force."""
    resolved = resolve({}, config)
    return Desk(resolved, review_checks(available_personas(resolved)))


def require_seen(view: DraftView, seen: str) -> None:
    """Check that a draft is what somebody was shown.

    Raises:
        SettingsError: too little of the hash is given to tell.
        GateError: it is not.
    """
    if len(seen) < SHORTEST_HASH:
        raise SettingsError(f"--seen: give at least {SHORTEST_HASH} characters of the hash")
    if not view.hash.startswith(seen.lower()):
        raise GateError(
            f"draft {view.id} is not what you were shown; read it again: panel queue show {view.id}"
        )


def require_finished(view: DraftView, actor: Actor) -> None:
    """Check that nothing stands in the way of approval.

    Raises:
        GateError: the rules do not allow it, or findings are left, which it lists with their numbers.
    """
    from panel.cli.queue.words import numbered
    from panel.report.wording import counted

    require(view, Action.APPROVE, actor, as_opened(view.current))
    left = [note for note in numbered(view) if note.finding in [each.finding for each in view.unresolved]]
    if left:
        lines = [f"draft {view.id} has {counted(len(left), 'finding')} to deal with before approval:"]
        lines += [f"[{note.number}] {note.whose}: {note.what}" for note in left]
        ways = f"tick each (panel queue tick {view.id} NUMBER), or cut it (panel queue edit {view.id})"
        raise GateError("\n".join([*lines, ways]))


def require(
    view: DraftView, action: Action, actor: Actor, standing: DraftState, reason: str | None = None
) -> None:
    """Check that the rules allow something, before anything is written or paid for.

    Raises:
        GateError: they do not.
    """
    if view.lock is not None and not view.lock.is_of(actor.name):
        raise GateError(locked_message(view.id, view.lock))
    if why := why_refused(standing, action, actor.role, reason):
        raise GateError(f"draft {view.id} {why}")
