"""Edits of a draft by a YAML form, from the user's editor or from a file: its text, its changes, and the file in which it is kept.

The form holds the values that can be edited, with findings and the panel's own values as comments.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from panel.approval import StaleDraft, check_allowed
from panel.cli.console import tell
from panel.cli.editor import open_editor
from panel.cli.queue.session import ask_choice, ask_line
from panel.core.draft_edits import current_value, parse_change
from panel.core.draft_state import Action
from panel.core.take import NoTake, NoTakeReason
from panel.core.text import one_line
from panel.errors import GateError, InputError, PanelError, Problem, SettingsError
from panel.tool_files.documents import dotted, parse_yaml
from panel.tool_files.files import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from panel.approval import DraftView
    from panel.cli.queue.session import QueueSession
    from panel.core.draft_edits import Change
    from panel.core.review import PanelReview
    from panel.core.take import Seat
    from panel.core.tool import Tool
    from panel.tool_files.documents import ValuePath

    Report: TypeAlias = Callable[[ValuePath, str], None]

KEYS = ("shown", "reason", "takes", "tool")
SEAT_KEYS = ("verdict", "score", "take", "evidence", "detail")
TOOL_KEYS = ("price_class", "facts")
FACT_KEYS = ("claim", "source", "checked_on")
ENDINGS = (".yaml", ".yml")
STDIN: Literal["-"] = "-"
_HEAD = (
    "Correct the values, save, and close the editor. Values that you leave alone do not change.",
    "`reason` is kept with the edit. Facts are claims with the page that supports them and the day on which you read it.",
)
_NO_VERSION = "is missing; it names the version of the draft: print a form with `panel queue edit ID --print`"


class FilledForm(NamedTuple):
    """A form that was filled in: the `EditedReview.hash` that it was made from, and the values that differ from the ones shown now."""

    seen: str
    reason: str | None
    changes: tuple[Change, ...]


def edit_draft(
    session: QueueSession, view: DraftView, file: Path | None = None, reason: str | None = None
) -> DraftView | None:
    """Make the changes of a form in a file, in standard input (`-`) or, without a file, in the user's editor.

    Return the draft after them, or None if nothing was changed.

    Raises:
        PanelError: the edit is refused, or the form cannot be used; unless it was read from a file, it is kept in one that is named.
    """
    if file is not None and str(file) != STDIN:
        filled = parse_form(read_text(file, ENDINGS), file.name, view.shown.review)
        return _save(session, view, filled, reason)
    if file is None:
        check_allowed(view, Action.EDIT, session.actor)
    form = read_text(STDIN, ENDINGS) if file else form_text(view)
    handle, name = tempfile.mkstemp(prefix=f"panel-draft-{view.id}-", suffix=ENDINGS[0])
    path = Path(name)
    with os.fdopen(handle, "w", encoding="utf-8") as kept:
        kept.write(form)
    try:
        filled = parse_form(form, STDIN, view.shown.review) if file else _read_from_editor(path, view)
        if not file and not (reason or filled.reason) and filled.changes and sys.stdin.isatty():
            reason = ask_line("Why, for the draft's history? Enter for no reason:")
        edited = _save(session, view, filled, reason)
    except (PanelError, KeyboardInterrupt) as error:
        untouched = b"" if file else form.encode()
        if not path.exists() or path.read_bytes() == untouched:
            path.unlink(missing_ok=True)
        elif isinstance(error, StaleDraft):
            # Sent again as it is, it would revert the other person's edit.
            way = f"read the draft as it is now, and copy what still holds: panel queue edit {view.id}"
            tell(f"Your form is kept in {path}; {way}")
        else:
            tell(f"Your form is kept in {path}; correct it, then: panel queue edit {view.id} --file {path}")
        raise
    path.unlink(missing_ok=True)
    return edited


def _read_from_editor(path: Path, view: DraftView) -> FilledForm:
    """Return the form once it can be used, with as many visits to the editor as the user wants."""
    while True:
        if failure := open_editor(path):
            raise SettingsError(failure)
        try:
            return parse_form(read_text(path, ENDINGS), path.name, view.shown.review)
        except InputError as error:
            if not sys.stdin.isatty():
                raise
            tell(str(error))
            if ask_choice("It cannot be used yet. [e]dit again, [q]uit:", "edit", "quit") != "edit":
                raise


def _save(session: QueueSession, view: DraftView, filled: FilledForm, reason: str | None) -> DraftView | None:
    if not filled.changes:
        return None
    parts = {"seen": filled.seen, "reason": reason or filled.reason, "changes": filled.changes}
    return session.execute(view, Action.EDIT, **parts)


def form_text(view: DraftView) -> str:
    """Return the form of a draft."""
    review = view.shown.review
    lines = [f"# Draft {view.id}: {view.tool_name}", *(f"# {line}" for line in _HEAD)]
    lines += [f'shown: "{view.shown.hash}"', 'reason: ""', "", "takes:"]
    for seat in review.seats:
        lines += _seat_lines(view, seat)
    return "\n".join([*lines, "", "tool:", *_tool_lines(view, review.tool)]) + "\n"


def parse_form(text: str, source: str, review: PanelReview) -> FilledForm:
    """Return the changes of a form; `source` is the name that messages give it, `review` the one that is shown now.

    Raises:
        InputError: it cannot be used; each fault is listed with its line.
    """
    documents = parse_yaml(text, source)
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise InputError([Problem(source, "expected one form, as `panel queue edit ID --print` prints it")])
    document, form = documents[0], documents[0].value
    problems = document.problems_in(source)

    def report(path: ValuePath, message: str) -> None:
        problems.append(Problem(source, message, document.line_of(path), dotted(path)))

    changes: list[Change] = []
    for path, data in _values(form, review, report):
        try:
            change = parse_change(data, source)
            if change != current_value(review, change):
                changes.append(change)
        except InputError as error:
            for problem in error.problems:
                report(path, problem.message)
        except GateError as error:
            report(path, str(error))
    seen, reason = form.get("shown"), form.get("reason")
    if not isinstance(seen, str) or not seen:
        problems.append(Problem(source, _NO_VERSION, field="shown"))
    if problems:
        raise InputError(sorted(problems, key=lambda problem: problem.line or 0))
    return FilledForm(str(seen), str(reason) if reason else None, tuple(changes))


def _values(form: Any, review: PanelReview, report: Report) -> Iterator[tuple[ValuePath, dict[str, Any]]]:  # noqa: ANN401 - YAML
    """Yield the values of a form, with their places, as `parse_change` takes them."""
    _known_part(form, (), KEYS, report)
    for persona, fields in _known_part(form.get("takes"), ("takes",), review.setup.roster, report).items():
        for field, value in _known_part(fields, ("takes", persona), SEAT_KEYS, report).items():
            yield ("takes", persona, field), {"field": field, "persona": persona, "value": value}
    for field, value in _known_part(form.get("tool"), ("tool",), TOOL_KEYS, report).items():
        yield ("tool", field), {"field": field, "value": value}


def _known_part(value: Any, path: ValuePath, known: tuple[str, ...], report: Report) -> dict[str, Any]:  # noqa: ANN401 - YAML
    """Return the known keys of a part of a form, and report anything else in it."""
    if value is not None and not isinstance(value, dict):
        report(path, f"expected {', '.join(known)}")
    given = value if isinstance(value, dict) else {}
    for key in given.keys() - known:
        report((*path, key), f"is not part of the form; here it has {', '.join(known)}")
    # Lists become tuples, as the fields of a review have them.
    parts = {key: given[key] for key in given if key in known}
    return {key: tuple(part) if isinstance(part, list) else part for key, part in parts.items()}


def _seat_lines(view: DraftView, seat: Seat) -> Iterator[str]:
    yield f"  {seat.persona}:"
    for each in view.numbered_in(seat.persona):
        yield f"    # [{each.number}] {each.title}. {one_line(each.status)}"
    yield from _original_lines(view, seat.persona, "    ")
    outcome = seat.outcome
    if not isinstance(outcome, NoTake):
        yield f"    verdict: {outcome.verdict}"
        yield f"    score: {outcome.score}"
        yield from _text_lines("take", outcome.take, "    ")
        yield "    evidence:" if outcome.evidence else "    evidence: []"
        yield from (f"      - {_quoted(quote)}" for quote in outcome.evidence)
    elif outcome.reason is NoTakeReason.RECUSED:
        yield from _text_lines("detail", outcome.detail, "    ")
    else:
        yield f"    # No panel take: {outcome.reason.label}. panel queue rerun asks again."
        yield "    {}"


def _tool_lines(view: DraftView, tool: Tool) -> Iterator[str]:
    yield from _original_lines(view, None, "  ")
    yield f"  price_class: {tool.price_class.value}"
    yield "  facts:" if tool.facts else "  facts: []"
    for fact in tool.facts:
        data = fact.model_dump(mode="json")
        for place, name in enumerate(FACT_KEYS):
            yield f"    {'- ' if place == 0 else '  '}{name}: {_quoted(str(data[name]))}"


def _original_lines(view: DraftView, persona: str | None, indent: str) -> Iterator[str]:
    for mark in view.shown.marks:
        if mark.persona == persona:
            original = mark.model_dump(mode="json")["original"]["value"]
            yield f"{indent}# {mark.field}, before it was {mark.label}: {one_line(str(original))}"


def _text_lines(name: str, text: str, indent: str) -> Iterator[str]:
    """Yield a text as a YAML block, or between quotes where a block would not preserve it."""
    if not text or text[0].isspace() or text[-1].isspace() or not text.replace("\n", "").isprintable():
        yield f"{indent}{name}: {_quoted(text)}"
        return
    yield f"{indent}{name}: |-"
    yield from (f"{indent}  {line}".rstrip() for line in text.split("\n"))


def _quoted(text: str) -> str:
    # A JSON string is a YAML string.
    return json.dumps(text, ensure_ascii=not text.isprintable())
