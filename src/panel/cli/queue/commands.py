"""The commands of `panel queue`."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads the type of --file
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.cli.queue import listing
from panel.errors import SettingsError

if TYPE_CHECKING:
    from panel.approval import DraftView, NumberedFinding
    from panel.core.draft_state import Action

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.command("list", help=listing.HELP)(listing.list_drafts)

MIN_ID_CHARS = 6

DraftNumber = Annotated[
    int,
    typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="Number of a draft, from `panel queue list`."),
]
Reason = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Reason, kept in the draft's history.")
]
PublicReason = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Reason, as readers will see it.")
]
Seen = Annotated[
    str | None,
    typer.Option(
        "--seen", metavar="HASH", help="Version that you were shown: the last line of `panel queue show`."
    ),
]

NEXT_HELP = """Walk through the drafts that wait: read each, resolve its findings, and decide.

New drafts come first, then those in review, then those sent back for changes; the oldest of each first. A draft is reserved for you
while you read it, and drafts that are reserved for others are passed over. Answer questions with a letter and Enter, from a terminal or
from a pipe. Ctrl-C leaves; your work is kept.

Examples:

  panel queue next
"""
SHOW_HELP = """Show a draft: its listing, each take with its findings, its edits, and the findings that block approval.

Findings are numbered, for panel queue resolve. Edits are shown word by word against the panel's own text: [-removed-]{+added+}. An approval
is bound to the hash in the last line.

Examples:

  panel queue show 12

  panel queue show 12 --json
"""
EDIT_HELP = """Correct a draft: takes, scores, verdicts, quotes, the tool's facts and its price class.

Opens $VISUAL or $EDITOR on a form. Each change is kept with your name, the reason and the panel's own value. If somebody changed the draft
meanwhile, or the form cannot be used, nothing is changed, and the form is kept in a file that is named.

Examples:

  panel queue edit 12 --reason "The price is per seat"

  panel queue edit 12 --print > form.yaml

  panel queue edit 12 --file form.yaml
"""
RESOLVE_HELP = """Resolve a finding: a source supports it, or it is an opinion.

Otherwise cut its words from the text with panel queue edit. A persona's own experience can only be cut.

Examples:

  panel queue resolve 12 3 --supported https://lantern.example/pricing

  panel queue resolve 12 4 --opinion
"""
RERUN_HELP = """Ask one persona of a draft again.

The model that made the draft is asked. The new take replaces the old one, which the draft's history keeps; edits of the old one are
dropped. An answer that cannot be used changes nothing.

Examples:

  panel queue rerun 12 skeptic
"""
APPROVE_HELP = """Approve a draft, in your name, for publication.

An approval is bound to the version that you were shown: on a terminal the draft is shown and you are asked; elsewhere --seen names the
version that you read. It is refused (exit code 4) if the draft has changed since, or if a finding is unresolved.

Examples:

  panel queue approve 12

  panel queue approve 12 --seen 3fa94b21
"""
REQUEST_CHANGES_HELP = """Send a draft back, and say what should change.

Examples:

  panel queue request-changes 12 --reason "The Founder's take repeats the tagline"
"""
REJECT_HELP = """Decide that a draft will not be published.

Undo reverts that, and reopen brings the draft back to review.

Examples:

  panel queue reject 12 --reason "Not a tool for developers"
"""
PUBLISH_HELP = """Publish an approved draft.

Only the approved version is published: after any change the draft must be approved again.

Examples:

  panel queue publish 12
"""
RETRACT_HELP = """Retract a published review.

The next panel site build replaces its page by a notice with the reason, which enters the corrections log: write it for readers.

Examples:

  panel queue retract 12 --reason "The tool was withdrawn"
"""
UNDO_HELP = """Undo the last step of a draft: an edit, a resolution, a replaced seat, an approval or another decision.

A publication cannot be undone, because readers have seen it; retract it.

Examples:

  panel queue undo 12
"""
REOPEN_HELP = """Bring a draft back to review that was rejected, retracted or sent back for changes.

Examples:

  panel queue reopen 12
"""
TAKE_OVER_HELP = """Take a draft over from the person for whom it is reserved; its history shows that.

Examples:

  panel queue take-over 12
"""
HISTORY_HELP = """Show the history of a draft: who, when, what and why.

Examples:

  panel queue history 12

  panel queue history 12 --json
"""


@app.command("next", help=NEXT_HELP)
def next_(config: options.Config = None, as_json: options.Events = False) -> None:
    """Walk through the drafts that wait.

    JSON: a line for each draft after it was read, `{draft, state, missing, hash}`; the text then goes to stderr.
    """
    from panel.cli.queue.session import open_session
    from panel.cli.queue.walk import walk_queue

    with open_session(config) as session:
        walk_queue(session, as_json=as_json)


@app.command("show", help=SHOW_HELP)
def show(draft: DraftNumber, config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Show a draft.

    JSON: `{draft, hash, state, holder, live, review, marks, findings, missing}`; each finding has `number` (null if it blocks nothing), `id`,
    `tick` (its resolution, or null) and the finding itself; `missing` holds the numbers of unresolved findings.
    """
    from panel.cli.console import plain_result, result_json
    from panel.cli.queue.rendering import draft_data, draft_text
    from panel.cli.queue.session import open_session

    with open_session(config) as session:
        view = session.view(draft)
    if as_json:
        result_json(draft_data(view))
    else:
        plain_result(draft_text(view))


@app.command("edit", help=EDIT_HELP)
def edit(
    draft: DraftNumber,
    reason: Reason = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FORM", help="Read the form from a file, or from - (stdin)."),
    ] = None,
    print_: Annotated[bool, typer.Option("--print", help="Print the form, and change nothing.")] = False,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Correct a draft.

    JSON: `{draft, state, missing, hash}`.
    """
    from panel.approval import state_message
    from panel.cli.console import plain_result, result_json
    from panel.cli.queue.editing import edit_from_file, edit_in_editor
    from panel.cli.queue.form import form_text
    from panel.cli.queue.rendering import outcome_data, print_outcome
    from panel.cli.queue.session import open_session
    from panel.core.draft_state import Action

    with open_session(config) as session:
        if print_:
            plain_result(form_text(session.view(draft)))
            return
        actor = session.actor()
        with session.locked(draft, actor) as view:
            edited = (
                edit_from_file(session, view, actor, file, reason)
                if file
                else edit_in_editor(session, view, actor, reason)
            )
        if edited:
            print_outcome(edited, Action.EDIT, as_json=as_json)
        elif as_json:
            result_json(outcome_data(view))
        else:
            plain_result(f"Nothing was changed in {state_message(view)}")


@app.command("resolve", help=RESOLVE_HELP)
def resolve(
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
    """Resolve a finding.

    JSON: `{draft, state, missing, hash}`.
    """
    from panel.approval import parse_resolution
    from panel.cli.queue.rendering import print_outcome
    from panel.cli.queue.session import check_hash, open_session
    from panel.core.draft_state import Action

    if (supported is None) != opinion:
        raise SettingsError("give either --supported URL or --opinion; otherwise cut the words with an edit")
    with open_session(config) as session:
        actor = session.actor()
        view = session.view(draft)
        if seen is not None:
            check_hash(view, seen)
        found = _find(view, finding)
        resolution = parse_resolution(found.finding.id, "opinion" if opinion else "supported", supported)
        after = session.execute(view, Action.RESOLVE, actor, resolution=resolution, reason=reason)
        print_outcome(after, Action.RESOLVE, as_json=as_json)


def _find(view: DraftView, text: str) -> NumberedFinding:
    wanted = text.strip().lower()
    found = [each for each in view.numbered if wanted == str(each.number)]
    if not found and len(wanted) >= MIN_ID_CHARS:
        found = [each for each in view.numbered if each.finding.id.startswith(wanted)]
    if len(found) != 1:
        count = "more than one finding" if found else "no finding"
        raise SettingsError(f"draft {view.id} has {count} {text}; see panel queue show {view.id}")
    return found[0]


@app.command("rerun", help=RERUN_HELP)
def rerun(
    draft: DraftNumber,
    persona: Annotated[str, typer.Argument(metavar="PERSONA", help="Persona of the seat, such as skeptic.")],
    reason: Reason = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Ask one persona of a draft again.

    JSON: `{draft, state, missing, hash}`.
    """
    _execute(draft, "rerun_seat", reason, config, as_json=as_json, persona=persona.lower())


@app.command("approve", help=APPROVE_HELP)
def approve(
    draft: DraftNumber,
    seen: Seen = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Approve a draft.

    JSON: `{draft, state, missing, hash}`.
    """
    from panel.approval import check_allowed
    from panel.cli.queue.rendering import print_outcome
    from panel.cli.queue.session import check_hash, open_session
    from panel.core.draft_state import Action

    with open_session(config) as session:
        actor = session.actor()
        view = session.view(draft)
        if seen is not None:
            check_hash(view, seen)
        elif not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise SettingsError(
                "--seen: an approval is bound to the version that you were shown; "
                f"read it with `panel queue show {draft}`, and give the hash in its last line"
            )
        check_allowed(view, Action.APPROVE, actor)
        if seen is not None or _confirms(view):
            print_outcome(session.execute(view, Action.APPROVE, actor), Action.APPROVE, as_json=as_json)


def _confirms(view: DraftView) -> bool:
    from panel.cli.console import plain_result, tell
    from panel.cli.queue.questions import ask_choice
    from panel.cli.queue.rendering import draft_text

    plain_result(draft_text(view))
    if ask_choice("Approve this in your name? [y]es, [n]o:", "yes", "no") == "yes":
        return True
    tell("It was not approved.")
    return False


@app.command("request-changes", help=REQUEST_CHANGES_HELP)
def request_changes(
    draft: DraftNumber, reason: Reason = None, config: options.Config = None, as_json: options.AsJson = False
) -> None:
    """Send a draft back; JSON: `{draft, state, missing, hash}`."""
    _execute(draft, "request_changes", reason, config, as_json=as_json)


@app.command("reject", help=REJECT_HELP)
def reject(
    draft: DraftNumber, reason: Reason = None, config: options.Config = None, as_json: options.AsJson = False
) -> None:
    """Reject a draft; JSON: `{draft, state, missing, hash}`."""
    _execute(draft, "reject", reason, config, as_json=as_json)


@app.command("publish", help=PUBLISH_HELP)
def publish(draft: DraftNumber, config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Publish an approved draft; JSON: `{draft, state, missing, hash}`."""
    _execute(draft, "publish", None, config, as_json=as_json)


@app.command("retract", help=RETRACT_HELP)
def retract(
    draft: DraftNumber,
    reason: PublicReason = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Retract a published review; JSON: `{draft, state, missing, hash}`."""
    _execute(draft, "retract", reason, config, as_json=as_json)


@app.command("reopen", help=REOPEN_HELP)
def reopen(
    draft: DraftNumber, reason: Reason = None, config: options.Config = None, as_json: options.AsJson = False
) -> None:
    """Reopen a draft that was closed or sent back; JSON: `{draft, state, missing, hash}`."""
    _execute(draft, "open", reason, config, as_json=as_json)


@app.command("undo", help=UNDO_HELP)
def undo(
    draft: DraftNumber, reason: Reason = None, config: options.Config = None, as_json: options.AsJson = False
) -> None:
    """Undo the last step of a draft; JSON: `{draft, state, missing, hash}`."""
    _execute(draft, "undo", reason, config, as_json=as_json)


@app.command("take-over", help=TAKE_OVER_HELP)
def take_over(draft: DraftNumber, config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Take a draft over from another person; JSON: `{draft, state, missing, hash}`."""
    _execute(draft, "take_over", None, config, as_json=as_json)


@app.command("history", help=HISTORY_HELP)
def history(draft: DraftNumber, config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Show the history of a draft.

    JSON: an array of `{id, at, actor, kind, reason, hash_before, hash_after, payload}`.
    """
    from panel.cli.console import plain_result, result_json
    from panel.cli.queue.rendering import history_text
    from panel.cli.queue.session import open_session

    with open_session(config) as session:
        view = session.view(draft)
    if as_json:
        result_json([event.model_dump(mode="json", exclude={"draft"}) for event in view.history])
    else:
        plain_result(history_text(view))


def _execute(
    draft: int, action: str, reason: str | None, config: Path | None, *, as_json: bool, **parts: str
) -> None:
    """Take an action with a draft as it is now, and print the outcome."""
    from panel.cli.queue.rendering import print_outcome
    from panel.cli.queue.session import open_session
    from panel.core.draft_state import Action

    chosen: Action = Action(action)
    if chosen.needs_reason and not (reason or "").strip():
        raise SettingsError(f"to {chosen.label}, give a reason: --reason TEXT")
    with open_session(config) as session:
        actor = session.actor()
        after = session.execute(session.view(draft), chosen, actor, reason=reason, **parts)
        print_outcome(after, chosen, as_json=as_json)
