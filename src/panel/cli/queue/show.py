"""`panel queue show`: a draft with all that was found in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panel.cli import options
from panel.cli.queue.arguments import DraftNumber

if TYPE_CHECKING:
    from panel.approval import DraftView

HELP = """Show a draft: its listing, each take with its findings, what was edited, and what stands in the way of approval.

Findings are numbered, for panel queue tick. Edits are shown word by word against what the model said: [-removed-]{+added+}. The hash at the end is what an approval
is bound to.

Examples:

  panel queue show 12

  panel queue show 12 --json
"""


def show(draft: DraftNumber, config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Show a draft.

    JSON: `{draft, hash, state, holder, live, review, marks, findings, missing}`; each finding has `number` (null if nobody need deal
    with it), `id`, `tick` and what checks say of it.
    """
    from panel.cli.console import result_json
    from panel.cli.queue.desk import desk
    from panel.cli.queue.words import print_draft

    view = desk(config).view(draft)
    if as_json:
        result_json(_data(view))
    else:
        print_draft(view)


def _data(view: DraftView) -> dict[str, Any]:
    from panel.cli.queue.words import numbered

    numbers = {note.finding.id: note for note in numbered(view)}
    return {
        "draft": view.id,
        "hash": view.hash,
        "state": view.current.state.value,
        "holder": view.lock.holder if view.lock else None,
        "live": view.current.live is not None,
        "review": view.shown.review.model_dump(mode="json"),
        "marks": [mark.model_dump(mode="json") for mark in view.shown.marks],
        "findings": [
            {
                "number": note.number if (note := numbers.get(finding.id)) else None,
                "id": finding.id,
                "tick": note.tick.model_dump(mode="json") if note and note.tick else None,
                **finding.model_dump(mode="json"),
            }
            for finding in view.findings
        ],
        "missing": [each.number for each in view.unresolved],
    }
