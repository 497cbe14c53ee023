"""The commands of `panel queue`. With --json, one that changes a draft prints `{draft, state, missing, hash}`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path  # noqa: TC003 - typer reads the type of --file
from typing import TYPE_CHECKING, Annotated, Any

import typer

from panel.cli.options import AsJson, Config, Events, add_command, help_text, option
from panel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from enum import StrEnum

    from panel.approval import DraftView, NumberedFinding

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

MIN_ID_CHARS = 6
MAX_ROWS = 1_000
KEPT_REASON = "Reason, kept in the draft's history."


DraftNumber = Annotated[
    int,
    typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="Number of a draft, from `panel queue list`."),
]
Reason = Annotated[str | None, option("--reason", "TEXT", KEPT_REASON)]
Seen = Annotated[
    str | None, option("--seen", "HASH", "Version that you were shown: the last line of `panel queue show`.")
]


@add_command(
    app,
    "list",
    "panel queue list",
    "panel queue list --state approved --order newest",
    "panel queue list --flag price --split close --older-than 2",
)
def list_drafts(
    state: Annotated[str | None, option("--state", "STATE", "Drafts in this state.")] = None,
    search: Annotated[str | None, option("--search", "TEXT", "Tools whose name contains this.")] = None,
    category: Annotated[str | None, option("--category", "NAME", "Tools of this category.")] = None,
    flag: Annotated[
        str | None, option("--flag", "KIND", "Drafts with an unresolved finding of this kind, such as price.")
    ] = None,
    split: Annotated[
        str | None,
        option("--split", "HOW", "Drafts by vote: unanimous, divided, or close (one vote decides)."),
    ] = None,
    persona: Annotated[
        str | None, option("--persona", "NAME", "Drafts with a take of this persona; see --verdict.")
    ] = None,
    verdict: Annotated[
        str | None, option("--verdict", "WHICH", "Verdict of --persona, or of any persona: ship or skip.")
    ] = None,
    cost_over: Annotated[
        float | None, option("--cost-over", "USD", "Drafts that cost at least this.", min=0)
    ] = None,
    older_than: Annotated[
        float | None, option("--older-than", "DAYS", "Drafts that are older than this.", min=0, max=36_500)
    ] = None,
    order: Annotated[str | None, option("--order", "BY", "Order: oldest, newest, findings or split.")] = None,
    limit: Annotated[int, option("--limit", "N", "Number of drafts.", min=1, max=MAX_ROWS)] = 25,
    after: Annotated[
        str | None, option("--after", "MARK", "Continue where a page ended, with the same filters.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """List the drafts that wait, or those in one state.

    Drafts wait while they are new, in review, or sent back for changes. A state is drafted, in_review, changes_requested, approved, published,
    rejected or retracted.

    JSON: `{drafts, after, counts}`; each draft is `{id, run, name, slug, category, state, open_findings, ships, skips, cost_usd, drafted_at,
    updated_at, holder}`, `after` is for `--after` or null, `counts` is by state.
    """
    from panel.checks import all_checks
    from panel.cli.console import plain_result, result_json
    from panel.cli.queue.rendering import queue_table
    from panel.cli.queue.session import open_session
    from panel.core.draft_state import WAITING, State
    from panel.core.take import Verdict
    from panel.store import Order, QueueFilter, Split

    chosen = _member("--state", state, State)
    wanted = QueueFilter(
        states=(chosen,) if chosen else WAITING,
        category=category,
        search=search,
        flag=None if flag is None else _choice("--flag", flag, all_checks()),
        split=_member("--split", split, Split),
        persona=persona and persona.lower(),
        verdict=_member("--verdict", verdict, Verdict),
        cost=cost_over,
        before=None if older_than is None else datetime.now(UTC) - timedelta(days=older_than),
        order=_member("--order", order, Order) or Order.OLDEST,
    )
    with open_session(config) as session:
        queue = session.service.store.queue
        page, counts = session.run(queue.page(wanted, after=after, limit=limit)), session.run(queue.counts())
    if as_json:
        by_state = {state.value: count for state, count in counts.items()}
        drafts = [row.model_dump(mode="json") for row in page.rows]
        result_json({"drafts": drafts, "after": page.after, "counts": by_state})
        return
    totals = ", ".join(f"{count:,} {state.label}" for state, count in counts.items() if count)
    last = [totals or "no drafts yet; panel review and panel batch run make them"]
    if page.after:
        last.append(f"more: the same with --after {page.after}")
    rows = queue_table(page.rows) if page.rows else ["no such drafts"]
    plain_result("\n".join([*rows, "", *last]))


def _member(option: str, given: str | None, kind: type[StrEnum]) -> Any:  # noqa: ANN401 - a member of `kind`
    return None if given is None else kind(_choice(option, given, list(kind)))


def _choice(option: str, given: str, choices: Collection[str]) -> str:
    name = given.strip().lower().replace("-", "_").replace(" ", "_")
    if name not in choices:
        raise SettingsError(f"{option}: '{given}' is not a choice; choose one of {', '.join(choices)}")
    return name


@add_command(app, "next", "panel queue next")
def next_(config: Config = None, as_json: Events = False) -> None:
    """Walk through the drafts that wait: read each, resolve its findings, and decide.

    New drafts come first, then those in review, then those sent back for changes; the oldest of each first. A draft is reserved for you
    while you read it, and drafts that are reserved for others are passed over. Answer questions with a letter and Enter, from a terminal or
    from a pipe. Ctrl-C leaves; your work is kept.

    JSON: a line for each draft after it was read, `{draft, state, missing, hash}`; the text then goes to stderr.
    """
    from panel.cli.queue.session import open_session
    from panel.cli.queue.walk import walk_queue

    with open_session(config) as session:
        walk_queue(session, as_json=as_json)


@add_command(app, "show", "panel queue show 12", "panel queue show 12 --json")
def show(draft: DraftNumber, config: Config = None, as_json: AsJson = False) -> None:
    """Show a draft: its listing, each take with its findings, its edits, and the findings that block approval.

    Findings are numbered, for panel queue resolve. Edits are shown word by word against the panel's own text: [-removed-]{+added+}. An approval
    is bound to the hash in the last line.

    JSON: `{draft, hash, state, holder, live, review, marks, findings, missing}`; each finding has `number` (null if it blocks nothing), `id`,
    `tick` (its resolution, or null) and the finding itself; `missing` holds the numbers of unresolved findings.
    """
    from panel.cli.queue.rendering import print_draft
    from panel.cli.queue.session import open_session

    with open_session(config) as session:
        print_draft(session.view(draft), as_json=as_json)


@add_command(
    app,
    "edit",
    'panel queue edit 12 --reason "The price is per seat"',
    "panel queue edit 12 --print > form.yaml",
    "panel queue edit 12 --file form.yaml",
)
def edit(
    draft: DraftNumber,
    reason: Reason = None,
    file: Annotated[
        Path | None, option("--file", "FORM", "Read the form from a file, or from - (stdin).")
    ] = None,
    print_: Annotated[bool, typer.Option("--print", help="Print the form, and change nothing.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Correct a draft: takes, scores, verdicts, quotes, the tool's facts and its price class.

    Opens $VISUAL or $EDITOR on a form. Each change is kept with your name, the reason and the panel's own value. If somebody changed the draft
    meanwhile, or the form cannot be used, nothing is changed, and the form is kept in a file that is named.
    """
    from panel.cli.console import plain_result
    from panel.cli.queue.form import edit_draft, form_text
    from panel.cli.queue.rendering import print_outcome
    from panel.cli.queue.session import open_session
    from panel.core.draft_state import Action

    with open_session(config) as session:
        if print_:
            plain_result(form_text(session.view(draft)))
            return
        with session.locked(draft) as view:
            edited = edit_draft(session, view, file, reason)
        print_outcome(edited or view, Action.EDIT if edited else None, as_json=as_json)


@add_command(
    app,
    "resolve",
    "panel queue resolve 12 3 --supported https://lantern.example/pricing",
    "panel queue resolve 12 4 --opinion",
)
def resolve(
    draft: DraftNumber,
    finding: Annotated[
        str,
        typer.Argument(
            metavar="FINDING", help="Number of a finding, from `panel queue show`, or the start of its id."
        ),
    ],
    supported: Annotated[str | None, option("--supported", "URL", "A public page that supports it.")] = None,
    opinion: Annotated[bool, typer.Option("--opinion", help="It is an opinion.")] = False,
    reason: Reason = None,
    seen: Seen = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Resolve a finding: a source supports it, or it is an opinion.

    Otherwise cut its words from the text with panel queue edit. A claim of personal experience can only be cut.
    """
    from panel.approval import parse_resolution
    from panel.cli.queue.rendering import print_outcome
    from panel.cli.queue.session import check_hash, open_session
    from panel.core.draft_state import Action

    if (supported is None) != opinion:
        raise SettingsError("give either --supported URL or --opinion; otherwise cut the words with an edit")
    with open_session(config) as session:
        view = session.view(draft)
        if seen is not None:
            check_hash(view, seen)
        found = _find(view, finding)
        kind = "opinion" if opinion else "supported"
        resolution = parse_resolution(found.finding.id, kind, supported, "--supported")
        after = session.execute(view, Action.RESOLVE, resolution=resolution, reason=reason)
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


@add_command(app, "rerun", "panel queue rerun 12 skeptic")
def rerun(
    draft: DraftNumber,
    persona: Annotated[str, typer.Argument(metavar="PERSONA", help="Persona of the seat, such as skeptic.")],
    reason: Reason = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Ask one persona of a draft again.

    The model that made the draft is asked. The new take replaces the old one, which the draft's history keeps; edits of the old one are
    dropped. An answer that cannot be used changes nothing.
    """
    _execute("rerun_seat", draft, config, as_json=as_json, reason=reason, persona=persona.lower())


@add_command(app, "approve", "panel queue approve 12", "panel queue approve 12 --seen 3fa94b21")
def approve(draft: DraftNumber, seen: Seen = None, config: Config = None, as_json: AsJson = False) -> None:
    """Approve a draft, in your name, for publication.

    An approval is bound to the version that you were shown: on a terminal the draft is shown and you are asked; elsewhere --seen names the
    version that you read. It is refused (exit code 4) if the draft has changed since, or if a finding is unresolved.
    """
    from panel.approval import check_allowed
    from panel.cli.console import plain_result, tell
    from panel.cli.queue.rendering import draft_text, print_outcome
    from panel.cli.queue.session import ask_choice, check_hash, open_session
    from panel.core.draft_state import Action

    with open_session(config) as session:
        view = session.view(draft)
        if seen is not None:
            check_hash(view, seen)
        elif not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise SettingsError(
                "--seen: an approval is bound to the version that you were shown; "
                f"read it with `panel queue show {draft}`, and give the hash in its last line"
            )
        else:
            check_allowed(view, Action.APPROVE, session.actor)
            plain_result(draft_text(view))
            if ask_choice("Approve this in your name? [y]es, [n]o:", "yes", "no") != "yes":
                tell("It was not approved.")
                return
        print_outcome(session.execute(view, Action.APPROVE), Action.APPROVE, as_json=as_json)


def _execute(action: str, draft: int, config: Path | None, *, as_json: bool, **parts: str | None) -> None:
    """Take an action with a draft as it is now, and print the outcome."""
    from panel.cli.queue.rendering import print_outcome
    from panel.cli.queue.session import open_session
    from panel.core.draft_state import Action

    chosen: Action = Action(action)
    if chosen.needs_reason and not (parts["reason"] or "").strip():
        raise SettingsError(f"to {chosen.label}, give a reason: --reason TEXT")
    with open_session(config) as session:
        after = session.execute(session.view(draft), chosen, **parts)
        print_outcome(after, chosen, as_json=as_json)


def _with_reason(action: str, reason_help: str) -> Callable[..., None]:
    reason_option: Any = typer.Option(None, "--reason", metavar="TEXT", help=reason_help)

    def command(
        draft: DraftNumber, reason: str | None = reason_option, config: Config = None, as_json: AsJson = False
    ) -> None:
        _execute(action, draft, config, as_json=as_json, reason=reason)

    return command


def _without_reason(action: str) -> Callable[..., None]:
    def command(draft: DraftNumber, config: Config = None, as_json: AsJson = False) -> None:
        _execute(action, draft, config, as_json=as_json)

    return command


for name, run, text, example in (
    (
        "request-changes",
        _with_reason("request_changes", KEPT_REASON),
        "Send a draft back, and say what should change.",
        ' --reason "The Founder\'s take repeats the tagline"',
    ),
    (
        "reject",
        _with_reason("reject", KEPT_REASON),
        "Decide that a draft will not be published.\n\nUndo reverts that, and reopen brings the draft back to review.",
        ' --reason "Not a tool for developers"',
    ),
    (
        "publish",
        _without_reason("publish"),
        (
            "Publish an approved draft.\n\n"
            "Only the approved version is published: after any change the draft must be approved again."
        ),
        "",
    ),
    (
        "retract",
        _with_reason("retract", "Reason, as readers will see it."),
        (
            "Retract a published review.\n\nThe next panel site build replaces its page by a notice with the reason, which enters the "
            "corrections log: write it for readers."
        ),
        ' --reason "The tool was withdrawn"',
    ),
    (
        "reopen",
        _with_reason("open", KEPT_REASON),
        "Bring a draft back to review that was rejected, retracted or sent back for changes.",
        "",
    ),
    (
        "undo",
        _with_reason("undo", KEPT_REASON),
        (
            "Undo the last step of a draft: an edit, a resolution, a replaced seat, an approval or another decision.\n\n"
            "A publication cannot be undone, because readers have seen it; retract it."
        ),
        "",
    ),
    (
        "take-over",
        _without_reason("take_over"),
        "Take a draft over from the person for whom it is reserved; its history shows that.",
        "",
    ),
):
    app.command(name, help=help_text(text, f"panel queue {name} 12{example}"))(run)


@app.command(
    "history",
    help=help_text(
        "Show the history of a draft: who, when, what and why.",
        "panel queue history 12",
        "panel queue history 12 --json",
    ),
)
def history(draft: DraftNumber, config: Config = None, as_json: AsJson = False) -> None:
    """Show the history of a draft.

    JSON: an array of `{id, at, actor, kind, reason, hash_before, hash_after, payload}`.
    """
    from panel.cli.queue.rendering import print_history
    from panel.cli.queue.session import open_session

    with open_session(config) as session:
        print_history(session.view(draft), as_json=as_json)
