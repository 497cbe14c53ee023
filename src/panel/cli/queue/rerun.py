"""`panel queue rerun`: one seat of a draft asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.cli.queue.arguments import DraftNumber, Reason

if TYPE_CHECKING:
    from panel.approval import DraftView
    from panel.cli.queue.desk import Desk
    from panel.core.actor import Actor

HELP = """Ask one persona of a draft again.

The model is the one that the draft was made with. The new take replaces the old one, which the draft's history keeps; edits of the old
one go with it. An answer that cannot be used changes nothing.

Examples:

  panel queue rerun 12 skeptic
"""


def rerun(
    draft: DraftNumber,
    persona: Annotated[str, typer.Argument(metavar="PERSONA", help="Whose seat, such as skeptic.")],
    reason: Reason = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Ask one persona of a draft again.

    JSON: `{draft, state, missing, hash}`.
    """
    from panel.cli.queue.desk import desk
    from panel.cli.queue.told import tell_outcome

    at = desk(config)
    replace(at, at.view(draft), at.actor(), persona, reason)
    tell_outcome(at, draft, f"Asked {persona} again about", as_json=as_json)


def replace(at: Desk, view: DraftView, actor: Actor, persona: str, reason: str | None = None) -> None:
    """Ask a persona again and put its answer into the draft, unless it can be told before that nothing would come of it.

    Raises:
        PanelError: the rules refuse it, or there is no answer that can be used.
    """
    from panel.cli.queue.desk import require
    from panel.core.draft_state import Action

    require(view, Action.RERUN_SEAT, actor, view.current)
    at.do(view, Action.RERUN_SEAT, actor, persona=persona.lower(), reason=reason)
