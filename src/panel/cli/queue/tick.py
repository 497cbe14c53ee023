"""`panel queue tick`: somebody's word that a finding may stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.cli.queue.arguments import DraftNumber, Reason, Seen
from panel.errors import SettingsError

if TYPE_CHECKING:
    from panel.approval import DraftView
    from panel.cli.queue.words import Numbered
    from panel.core.resolution import Resolution

HELP = """Say why a finding may stay: a source supports it, or it is an opinion.

What is neither must be cut from the text: panel queue edit. A persona's own experience can only be cut.

Examples:

  panel queue tick 12 3 --supported https://lantern.example/pricing

  panel queue tick 12 4 --opinion
"""
SHORTEST_ID = 6


def tick(
    draft: DraftNumber,
    finding: Annotated[
        str,
        typer.Argument(
            metavar="FINDING", help="Number of a finding, from `panel queue show`, or the start of its id."
        ),
    ],
    supported: Annotated[
        str | None, typer.Option("--supported", metavar="URL", help="A public page that supports it.")
    ] = None,
    opinion: Annotated[bool, typer.Option("--opinion", help="It is an opinion.")] = False,
    reason: Reason = None,
    seen: Seen = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Say why a finding may stay.

    JSON: `{draft, state, missing, hash}`.
    """
    from panel.cli.queue.desk import desk, require_seen
    from panel.cli.queue.told import tell_outcome
    from panel.core.draft_state import Action
    from panel.core.text import one_line

    if (supported is None) != opinion:
        raise SettingsError("give one of --supported URL and --opinion; what is neither is cut with an edit")
    at = desk(config)
    actor = at.actor()
    view = at.view(draft)
    if seen is not None:
        require_seen(view, seen)
    note = _found(view, finding)
    at.do(view, Action.RESOLVE, actor, resolution=tick_of(note, supported), reason=reason)
    tell_outcome(at, draft, f"Ticked “{one_line(note.finding.text)}” in", as_json=as_json)


def tick_of(note: Numbered, source: str | None) -> Resolution:
    """Return a tick: supported by a source, or an opinion for None.

    Raises:
        GateError: this finding can only be cut.
        InputError: the source is no address of a public page.
    """
    from pydantic import ValidationError

    from panel.checks import allowed_resolutions
    from panel.core.resolution import Resolution, ResolutionKind
    from panel.errors import GateError, InputError, Problem

    if not allowed_resolutions(note.finding):
        raise GateError(f"“{note.finding.text}” cannot be ticked; edit the text to cut it")
    kind = ResolutionKind.OPINION if source is None else ResolutionKind.SUPPORTED
    try:
        return Resolution(finding=note.finding.id, kind=kind, source=source)
    except ValidationError as error:
        raise InputError(
            Problem("--supported", each["msg"].removeprefix("Value error, ")) for each in error.errors()
        ) from None


def _found(view: DraftView, finding: str) -> Numbered:
    from panel.cli.queue.words import numbered

    wanted, notes = finding.strip().lower(), numbered(view)
    named = [note for note in notes if wanted == str(note.number)]
    if len(wanted) >= SHORTEST_ID:
        named = named or [note for note in notes if note.finding.id.startswith(wanted)]
    if len(named) != 1:
        what = "more than one finding" if named else "no finding"
        raise SettingsError(f"draft {view.id} has {what} {finding}; see panel queue show {view.id}")
    return named[0]
