"""What is decided of a draft in one step: changes requested, rejected, published, retracted, undone, taken over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.cli import options
from panel.cli.queue.arguments import DraftNumber, PublicReason, Reason
from panel.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

REQUEST_CHANGES = """Send a draft back, with what should change.

Examples:

  panel queue request-changes 12 --reason "The Founder's take repeats the tagline"
"""
REJECT = """Decide that a draft will not be published.

Undo takes that back, and reopen has it looked at again.

Examples:

  panel queue reject 12 --reason "Not a tool for developers"
"""
PUBLISH = """Publish an approved draft.

Only what was approved is published: after any change it needs another approval first.

Examples:

  panel queue publish 12
"""
RETRACT = """Take a published review back.

At the next panel site build its page becomes a notice with the reason, which enters the corrections log: write it for readers.

Examples:

  panel queue retract 12 --reason "The tool was withdrawn"
"""
UNDO = """Take back what was done last with a draft: an edit, a tick, a replaced seat, an approval or another decision.

What was published has been read; take it back with retract.

Examples:

  panel queue undo 12
"""
REOPEN = """Look again at a draft that was rejected, retracted or sent back for changes.

Examples:

  panel queue reopen 12
"""
TAKE_OVER = """Take a draft from whoever has it before them; its history shows that.

Examples:

  panel queue take-over 12
"""


def request_changes(
    draft: DraftNumber, reason: Reason = None, config: options.Config = None, as_json: options.AsJson = False
) -> None:
    """Send a draft back, with what should change.

    JSON: `{draft, state, missing, hash}`.
    """
    _decide(draft, "request_changes", "Requested changes to", reason, config, as_json=as_json)


def reject(
    draft: DraftNumber, reason: Reason = None, config: options.Config = None, as_json: options.AsJson = False
) -> None:
    """Decide that a draft will not be published; JSON as `request_changes`."""
    _decide(draft, "reject", "Rejected", reason, config, as_json=as_json)


def publish(draft: DraftNumber, config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Publish an approved draft; JSON as `request_changes`."""
    _decide(draft, "publish", "Published", None, config, as_json=as_json)


def retract(
    draft: DraftNumber,
    reason: PublicReason = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Take a published review back; JSON as `request_changes`."""
    _decide(draft, "retract", "Retracted", reason, config, as_json=as_json)


def reopen(
    draft: DraftNumber, reason: Reason = None, config: options.Config = None, as_json: options.AsJson = False
) -> None:
    """Look again at a draft that was closed or sent back; JSON as `request_changes`."""
    _decide(draft, "open", "Reopened", reason, config, as_json=as_json)


def undo(
    draft: DraftNumber, reason: Reason = None, config: options.Config = None, as_json: options.AsJson = False
) -> None:
    """Take back what was done last with a draft; JSON as `request_changes`."""
    _decide(draft, "undo", "Undid the last step of", reason, config, as_json=as_json)


def take_over(draft: DraftNumber, config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Take a draft from whoever has it; JSON as `request_changes`."""
    from panel.cli.queue.desk import desk
    from panel.cli.queue.told import tell_outcome
    from panel.core.draft_state import Action

    at = desk(config)
    actor = at.actor()
    at.do(at.view(draft), Action.TAKE_OVER, actor)
    tell_outcome(at, draft, "Took over", as_json=as_json)


def _decide(
    draft: int, action: str, done: str, reason: str | None, config: Path | None, *, as_json: bool
) -> None:
    from panel.cli.queue.desk import desk
    from panel.cli.queue.told import tell_outcome
    from panel.core.draft_state import Action

    if Action(action).needs_reason and not (reason or "").strip():
        raise SettingsError(f"to {Action(action).label}, say why: --reason TEXT")
    at = desk(config)
    actor = at.actor()
    at.do(at.view(draft), Action(action), actor, reason=reason)
    tell_outcome(at, draft, done, as_json=as_json)
