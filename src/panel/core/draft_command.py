"""What somebody wants to do with a draft."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from panel.core.base import Frozen
from panel.core.draft_changes import Change, persona_of
from panel.core.draft_rules import Action, Actor
from panel.core.resolution import Resolution
from panel.core.take import Seat
from panel.core.text import prose


def _words(reason: str | None) -> str | None:
    return (prose(reason) if reason else None) or None


class DraftCommand(Frozen):
    """What somebody wants to do with a draft.

    Attributes:
        action: what is done; taking a draft over is no deed but a claim.
        actor: who does it.
        seen: `Shown.hash` of what they were shown.
        ticked: `DraftSnapshot.ticked` of it, by which an approval is of the ticks as well; None to do it whatever was ticked.
        reason: why; needed to request changes, to reject and to retract.
        changes: what is edited, by `edit` alone.
        tick: what is ticked, by `tick` alone.
        seat: what the seat ended with this time, by `rerun_seat` alone.
    """

    action: Action
    actor: Actor
    seen: str
    ticked: str | None = None
    reason: Annotated[str | None, AfterValidator(_words)] = None
    changes: tuple[Change, ...] = ()
    tick: Resolution | None = None
    seat: Seat | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        parts = {Action.EDIT: self.changes, Action.TICK: self.tick, Action.RERUN_SEAT: self.seat}
        wrong = any(bool(part) != (action is self.action) for action, part in parts.items())
        if wrong or self.action is Action.TAKE_OVER:
            raise ValueError(f"{self.action} is about something else")
        return self

    @property
    def written(self) -> str:
        """What somebody wrote for it, a line for each text; empty if they wrote nothing."""
        texts = [
            f"{persona_of(change) or 'tool'}, {change.field}: {_text(change)}" for change in self.changes
        ]
        return "\n".join([*texts, *([f"reason: {self.reason}"] if self.reason else [])])


def _text(change: Change) -> str:
    value = change.model_dump(mode="json")["value"]
    if not isinstance(value, list):
        return str(value)
    return "; ".join(
        each if isinstance(each, str) else f"{each['claim']} ({each['source']})" for each in value
    )
