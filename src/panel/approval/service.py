"""The approval service: the one way in which the terminal and the browser read and change drafts.

    service = ApprovalService(store, checks, ask_seat)
    number = await service.next_draft(actor)               # the order of `panel queue next` and of the browser
    view = await service.lock(number, actor)               # reserved for ten minutes; `service.view(number)` reads alone
    command = DraftCommand(action=Action.APPROVE, actor=actor, seen=view.shown.hash, seen_resolutions=view.current.resolutions_digest)
    view = await service.execute(number, command)          # raises StaleDraft or GateError; str(error) is the message to print
    outcome_message(view, command.action)                  # "Approved Lantern (draft 12): approved."

Every action is one command, a take-over and a seat that is asked again included. `check_allowed` refuses as `execute` would, before a
person writes a reason or opens an editor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from panel.approval.commands import DraftCommand, StaleDraft
from panel.approval.view import DraftView
from panel.checks import allowed_resolutions, blocks
from panel.core.draft_edits import apply_edits, current_value, make_edit, without_seat
from panel.core.draft_state import WAITING, Action, DraftEvent, apply_event, opened_for, why_refused
from panel.core.review import PanelReview
from panel.core.text import counted, utc_time
from panel.errors import GateError
from panel.store import REPLACED, DraftRecord, QueueFilter, run_checks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from panel.core.actor import Actor
    from panel.core.draft_edits import Edit
    from panel.core.finding import Resolution
    from panel.core.take import Seat
    from panel.store import Checks, DraftTransaction, Store

    AskSeat: TypeAlias = Callable[[DraftRecord, str], Awaitable[Seat]]
    """Asks one persona of a draft again and returns its seat; the answer is kept before it returns. Raises PanelError."""

    _Plan: TypeAlias = tuple[PanelReview, tuple[Edit, ...], dict[str, Any]]

# They release the draft: the person is done with it.
_DECISIONS = frozenset(
    {Action.APPROVE, Action.REQUEST_CHANGES, Action.REJECT, Action.PUBLISH, Action.RETRACT}
)
_PAGE = 50


@dataclass(frozen=True)
class ApprovalService:
    """Reads and changes drafts; `ask_seat` is None where no persona can be asked again."""

    store: Store
    checks: Checks
    ask_seat: AskSeat | None = None

    async def next_draft(
        self, actor: Actor, passed: Collection[int] = (), listed: QueueFilter | None = None
    ) -> int | None:
        """Return the next draft that waits and that nobody else has locked; None if there is none.

        New drafts come first, then those in review, then those with changes requested; within a state the order is the list's.

        Args:
            actor: the person who wants it.
            passed: drafts that they have dealt with, or passed over.
            listed: the list that they work through, whatever state it shows; all drafts, the oldest first, unless given.
        """
        for state in WAITING:
            wanted = (listed or QueueFilter()).model_copy(update={"state": state, "states": ()})
            after, is_last = None, False
            while not is_last:
                page = await self.store.queue.page(wanted, after=after, limit=_PAGE)
                for row in page.rows:
                    if row.id not in passed and (row.holder is None or actor.is_named(row.holder)):
                        return row.id
                after, is_last = page.after, page.after is None
        return None

    async def view(self, draft: int) -> DraftView:
        """Return a draft as it is now.

        Raises:
            NotFound: there is no such draft.
            StorageError: it was altered outside of panel, or cannot be read.
        """
        return await self.store.drafts.read(
            draft, lambda record, lock: DraftView(record, self.checks(record.shown.review), lock)
        )

    async def lock(self, draft: int, actor: Actor) -> DraftView:
        """Lock a draft for a person, or renew their lock, and return the draft; `DraftView.lock` may be another person's."""
        await self.store.locks.lock(draft, actor)
        return await self.view(draft)

    async def release(self, draft: int, actor: Actor) -> None:
        """Release a draft that a person has locked; another person's lock stays."""
        await self.store.locks.release(draft, actor)

    async def execute(self, draft: int, command: DraftCommand) -> DraftView:
        """Carry out a command in one transaction, and return the draft after it. An approval of a new draft, or a request for changes, opens it first.

        A command that repeats the draft's last event, such as a form that was sent twice, changes nothing.

        Raises:
            StaleDraft: another version is shown by now; it holds what the person wrote.
            GateError: a rule refuses it, or another person has locked the draft.
            PanelError: the seat that is asked again gave no answer that can be used.
            StorageError: there is no such draft, it was altered outside of panel, or the change was not committed.
        """
        if command.action is Action.TAKE_OVER:
            await self.store.locks.take_over(draft, command.actor)
            return await self.view(draft)
        seat = None
        if command.persona:
            view = await self.view(draft)
            if view.repeat_of(command):
                return view
            seat = await self._ask_again(view, command, command.persona)
        return await self.store.drafts.change(
            draft, lambda transaction: _execute(transaction, command, self.checks, seat)
        )

    async def _ask_again(self, view: DraftView, command: DraftCommand, persona: str) -> Seat:
        """Return the new answer of a seat, unless the command would be refused whatever it is."""
        _check_seen(view.record, command)
        check_allowed(view, command.action, command.actor, command.reason)
        _check_seat(view.record, persona)
        if self.ask_seat is None:
            raise GateError(f"draft {view.id}: a seat cannot be asked again here")
        return await self.ask_seat(view.record, persona)


def check_allowed(view: DraftView, action: Action, actor: Actor, reason: str | None = "given") -> None:
    """Check that a person may take an action; a reason counts as given where none is passed.

    Raises:
        GateError: they may not; the message says why.
    """
    _check_rules(view, action, actor, reason)
    if action is Action.APPROVE:
        _check_ready(view)


def _execute(
    transaction: DraftTransaction, command: DraftCommand, checks: Checks, seat: Seat | None
) -> DraftView:
    # Everything that may refuse comes before the first write.
    record, action, actor = transaction.record, command.action, command.actor
    view = DraftView(record, (), transaction.lock)
    if view.repeat_of(command):
        return replace(view, findings=checks(record.shown.review))
    # First of all: whatever else is refused, the person gets back what they wrote.
    _check_seen(record, command)
    _check_rules(view, action, actor, command.reason)
    made, edits, payload = _plan(record, command, seat)
    unchanged = made is record.made and edits == record.current.edits
    after = record.shown if unchanged else apply_edits(made, edits)
    if action is Action.EDIT and after.hash == record.shown.hash:
        raise GateError(f"draft {record.id} says that already; nothing was changed")
    event = DraftEvent(
        draft=record.id,
        actor=actor.name,
        kind=action,
        reason=command.reason,
        hash_before=record.shown.hash,
        hash_after=after.hash,
        payload={"role": actor.role, **payload},
    )
    before = opened_for(record.current, action)
    now = apply_event(before, event, len(record.history))
    found = run_checks(after.review, checks, now.resolutions)
    view = replace(view, findings=found.findings or ())
    if command.resolution:
        _check_resolution(view, command.resolution)
    if action is Action.APPROVE:
        _check_ready(view)
    if before is not record.current:
        transaction.append(event.model_copy(update={"kind": Action.OPEN, "reason": None}), after, found)
    transaction.append(event, after, found)
    if action in _DECISIONS:
        transaction.release(actor)
    return replace(view, record=transaction.record, lock=transaction.lock)


def _plan(record: DraftRecord, command: DraftCommand, seat: Seat | None) -> _Plan:
    """Return the panel's review and the edits that are in force after a command, and the payload of its event."""
    payload: dict[str, Any]
    current = record.current
    if seat:
        _check_seat(record, seat.persona)
        seats = tuple(seat if old.persona == seat.persona else old for old in record.made.seats)
        made = record.made.model_copy(update={"seats": seats})
        payload = {"persona": seat.persona, REPLACED: record.made.model_dump(mode="json")}
        return made, without_seat(current.edits, seat.persona), payload
    step = current.next_undo if command.action is Action.UNDO else None
    if step:
        if command.undoes not in {None, step.place}:
            raise GateError(
                f"draft {record.id}: another step was taken since; read the draft again, then undo"
            )
        undone = record.history[step.place]
        payload = {"undone": undone.id}
        if REPLACED not in undone.payload:
            return record.made, step.before.edits, payload
        payload[REPLACED] = record.made.model_dump(mode="json")
        return PanelReview.model_validate(undone.payload[REPLACED]), step.before.edits, payload
    shown = record.shown.review
    changes = [change for change in command.changes if change != current_value(shown, change)]
    edits = [make_edit(record.made, change, command.actor.name, command.reason) for change in changes]
    payload = {"edits": [edit.model_dump(mode="json") for edit in edits]} if edits else {}
    if command.resolution:
        payload["tick"] = command.resolution.model_dump(mode="json")
    return record.made, (*current.edits, *edits), payload


def _check_seen(record: DraftRecord, command: DraftCommand) -> None:
    now, latest_first = record.current, reversed(record.history)
    if command.seen != now.shown:
        change = next(each for each in latest_first if each.hash_before != each.hash_after)
    elif command.action is Action.APPROVE and command.seen_resolutions not in {None, now.resolutions_digest}:
        change = next(each for each in latest_first if each.kind in {Action.RESOLVE, Action.UNDO})
    else:
        return
    raise StaleDraft(
        f"draft {record.id} was changed by {change.actor} at {utc_time(change.at)}, after it was shown to you; "
        f"read it again, then {command.action.label}",
        now.shown,
        command.written,
    )


def _check_rules(view: DraftView, action: Action, actor: Actor, reason: str | None) -> None:
    if view.lock and not view.is_free_for(actor):
        minutes = counted(view.lock.minutes, "more minute")
        raise GateError(
            f"draft {view.id} is reserved for {view.lock.holder} for {minutes}; wait, or take it over"
        )
    if why := why_refused(opened_for(view.current, action), action, actor.role, reason):
        raise GateError(f"draft {view.id} {why}")


def _check_ready(view: DraftView) -> None:
    if not any(seat.take for seat in view.shown.review.seats):
        raise GateError(
            f"draft {view.id} has no take, so that there is nothing to approve; ask its seats again"
        )
    if view.unresolved:
        lines = [
            f"draft {view.id} has {counted(len(view.unresolved), 'finding')} to resolve before approval:"
        ]
        lines += [f"[{each.number}] {each.place_name}: {each.title}" for each in view.unresolved]
        raise GateError("\n".join([*lines, "Resolve each of them, or cut it with an edit."]))


def _check_resolution(view: DraftView, resolution: Resolution) -> None:
    finding = next((each for each in view.findings if each.id == resolution.finding), None)
    if finding is None:
        raise GateError(f"draft {view.id} no longer has this finding; read it again")
    if not blocks(finding):
        raise GateError(f"draft {view.id}: “{finding.text}” needs no resolution")
    if resolution.kind not in allowed_resolutions(finding):
        allowed = " or ".join(allowed_resolutions(finding))
        ways = f"can only be resolved as {allowed}" if allowed else "can only be cut; edit the text"
        raise GateError(f"draft {view.id}: “{finding.text}” {ways}")


def _check_seat(record: DraftRecord, persona: str) -> None:
    if record.made.seat_of(persona) is None:
        raise GateError(f"{persona} has no seat in draft {record.id}")
