"""Edits of a draft by a form, from the user's editor or from a file; a form that cannot be used is kept for another try."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from panel.approval import StaleDraft, check_allowed
from panel.cli.console import tell
from panel.cli.editor import open_editor
from panel.cli.queue.form import form_text, parse_form
from panel.cli.queue.questions import ask_choice, ask_line
from panel.core.draft_state import Action
from panel.errors import InputError, PanelError, SettingsError
from panel.tool_files.files import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.approval import DraftView
    from panel.cli.queue.form import FilledForm
    from panel.cli.queue.session import QueueSession
    from panel.core.actor import Actor

ENDINGS = (".yaml", ".yml")
STDIN: Literal["-"] = "-"


def edit_in_editor(
    session: QueueSession, view: DraftView, actor: Actor, reason: str | None = None
) -> DraftView | None:
    """Open the form of a draft in the user's editor, and return the draft after the edit; None if nothing was changed.

    Raises:
        PanelError: the edit is refused, or the form cannot be used; its file is kept and named.
    """
    check_allowed(view, Action.EDIT, actor)
    form = form_text(view)
    path = _write_form(view.id, form)
    with _kept_on_error(path, view, unchanged=form):
        filled = _read_from_editor(path, view)
        edited = _save(session, view, actor, filled, reason or _ask_reason(filled))
    path.unlink(missing_ok=True)
    return edited


def edit_from_file(
    session: QueueSession, view: DraftView, actor: Actor, file: Path, reason: str | None
) -> DraftView | None:
    """Make the changes of a form in a file, `-` for standard input; return the draft after them, or None if there are none.

    Raises:
        PanelError: the edit is refused, or the form cannot be used; a form from standard input is kept.
    """
    if str(file) != STDIN:
        filled = parse_form(read_text(file, ENDINGS), file.name, view.shown.review)
        return _save(session, view, actor, filled, reason or filled.reason)
    text = read_text(STDIN, ENDINGS)
    path = _write_form(view.id, text)
    with _kept_on_error(path, view):
        filled = parse_form(text, STDIN, view.shown.review)
        edited = _save(session, view, actor, filled, reason or filled.reason)
    path.unlink(missing_ok=True)
    return edited


@contextmanager
def _kept_on_error(path: Path, view: DraftView, *, unchanged: str = "") -> Iterator[None]:
    """Keep the file of a form on an error, and say where it is; delete it if nothing was written into it."""
    try:
        yield
    except (PanelError, KeyboardInterrupt) as error:
        if not path.exists() or path.read_bytes() == unchanged.encode():
            path.unlink(missing_ok=True)
        elif isinstance(error, StaleDraft):
            # Sent again as it is, it would revert the other person's edit.
            way = f"read the draft as it is now, and copy what still holds: panel queue edit {view.id}"
            tell(f"Your form is kept in {path}; {way}")
        else:
            tell(f"Your form is kept in {path}; correct it, then: panel queue edit {view.id} --file {path}")
        raise


def _write_form(draft: int, form: str) -> Path:
    handle, name = tempfile.mkstemp(prefix=f"panel-draft-{draft}-", suffix=ENDINGS[0])
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(form)
    return Path(name)


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


def _ask_reason(filled: FilledForm) -> str | None:
    if filled.reason or not filled.changes or not sys.stdin.isatty():
        return filled.reason
    return ask_line("Why, for the draft's history? Enter for no reason:")


def _save(
    session: QueueSession, view: DraftView, actor: Actor, filled: FilledForm, reason: str | None
) -> DraftView | None:
    if not filled.changes:
        return None
    return session.execute(view, Action.EDIT, actor, seen=filled.seen, reason=reason, changes=filled.changes)
