"""`panel queue approve`: somebody's word that exactly what they were shown may be published."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from panel.cli import options
from panel.cli.queue.arguments import DraftNumber, Seen

if TYPE_CHECKING:
    from panel.approval import DraftView

HELP = """Approve a draft, in your name, for publication.

An approval is of what was shown: on a terminal the draft is shown and asked about first; elsewhere --seen says what you read. It is
refused (exit code 4) if the draft has changed since, or if a finding is neither ticked nor cut.

Examples:

  panel queue approve 12

  panel queue approve 12 --seen 3fa94b21
"""


def approve(
    draft: DraftNumber,
    seen: Seen = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Approve a draft.

    JSON: `{draft, state, missing, hash}`.
    """
    from panel.cli.queue.desk import desk, require_finished
    from panel.cli.queue.told import tell_outcome
    from panel.core.draft_state import Action

    at = desk(config)
    actor = at.actor()
    view = at.view(draft)
    _require_read(view, seen)
    require_finished(view, actor)
    if seen is None and not _confirmed(view):
        return
    at.do(view, Action.APPROVE, actor)
    tell_outcome(at, draft, "Approved", as_json=as_json)


def _require_read(view: DraftView, seen: str | None) -> None:
    from panel.cli.queue.desk import require_seen
    from panel.errors import SettingsError

    if seen is None:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise SettingsError(
                f"--seen: an approval is of what was shown; read it with `panel queue show {view.id}`, and give the hash at its end"
            )
        return
    require_seen(view, seen)


def _confirmed(view: DraftView) -> bool:
    from panel.cli.console import tell
    from panel.cli.queue.asking import asked
    from panel.cli.queue.words import print_draft

    print_draft(view)
    if asked("Approve this in your name? [y]es, [n]o:", "yes", "no") == "yes":
        return True
    tell("Left as it was.")
    return False
