"""`panel queue edit`: a draft corrected in the user's own editor, or by a form that was filled in elsewhere."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the type of --file
from typing import Annotated

import typer

from panel.cli import options
from panel.cli.queue.arguments import DraftNumber, Reason

HELP = """Correct a draft: takes, scores, verdicts, quotes, the tool's facts and its price class.

Opens $VISUAL or $EDITOR on a form. What you change is kept with your name, the reason and what the model had said. If somebody changed
the draft meanwhile, or the form cannot be used, nothing is changed, and your form is kept in a file that is named.

Examples:

  panel queue edit 12 --reason "The price is per seat"

  panel queue edit 12 --print > form.yaml

  panel queue edit 12 --file form.yaml
"""


def edit(
    draft: DraftNumber,
    reason: Reason = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FORM", help="Take the form from a file, or from - (stdin)."),
    ] = None,
    print_: Annotated[bool, typer.Option("--print", help="Print the form, and change nothing.")] = False,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Correct a draft.

    JSON: `{draft, state, missing, hash}`.
    """
    from panel.cli.console import plain_result
    from panel.cli.queue.correcting import from_file, visit_form
    from panel.cli.queue.desk import desk
    from panel.cli.queue.form import form_of
    from panel.cli.queue.told import tell_outcome

    at = desk(config)
    if print_:
        plain_result(form_of(at.view(draft)))
        return
    actor = at.actor()
    with at.held(draft, actor) as view:
        done = from_file(at, view, actor, file, reason) if file else visit_form(at, view, actor, reason)
    tell_outcome(at, draft, "Edited" if done else "Nothing was changed in", as_json=as_json)
