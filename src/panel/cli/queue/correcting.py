"""How a form comes back: from the user's own editor or from a file; what cannot be used is kept for another try."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from panel.approval import StaleDraft
from panel.approval.commands import DraftCommand
from panel.cli.console import tell
from panel.cli.editor import visit
from panel.cli.queue.asking import asked, typed
from panel.cli.queue.desk import require
from panel.cli.queue.form import form_of, read_form
from panel.core.draft_state import Action
from panel.errors import InputError, PanelError, SettingsError
from panel.tool_files.files import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.approval import DraftView
    from panel.cli.queue.desk import Desk
    from panel.cli.queue.form import Filled
    from panel.core.actor import Actor

ENDINGS = (".yaml", ".yml")
STDIN: Literal["-"] = "-"


def visit_form(at: Desk, view: DraftView, actor: Actor, reason: str | None = None) -> bool:
    """Have a draft edited in the user's editor, and return whether anything was changed.

    Raises:
        PanelError: it cannot be changed like that; the form is kept, and where was told.
    """
    require(view, Action.EDIT, actor, view.current)
    form = form_of(view)
    path = _written(view.id, form)
    with _kept(path, view, form):
        filled = _visited(path, view)
        changed = _change(at, view, actor, filled, reason or _reason(filled))
    path.unlink(missing_ok=True)
    return changed


def from_file(at: Desk, view: DraftView, actor: Actor, file: Path, reason: str | None) -> bool:
    """Make the changes of a form that was filled in elsewhere, `-` for standard input; return whether there are any.

    Raises:
        PanelError: it cannot be read, or the draft cannot be changed like that; what came from standard input is kept.
    """
    if str(file) != STDIN:
        filled = read_form(read_text(file, ENDINGS), file.name, view.shown.review)
        return _change(at, view, actor, filled, reason or filled.reason)
    text = read_text(STDIN, ENDINGS)
    path = _written(view.id, text)
    with _kept(path, view):
        filled = read_form(text, STDIN, view.shown.review)
        changed = _change(at, view, actor, filled, reason or filled.reason)
    path.unlink(missing_ok=True)
    return changed


@contextmanager
def _kept(path: Path, view: DraftView, unchanged: str | None = None) -> Iterator[None]:
    """Tell where a form is kept if it cannot be used, unless nothing was written into it."""
    try:
        yield
    except (PanelError, KeyboardInterrupt) as error:
        if not path.exists() or path.read_bytes() == (unchanged or "").encode():
            path.unlink(missing_ok=True)
        else:
            tell(f"Your form is kept in {path}; {_way_on(path, view, error)}")
        raise


def _way_on(path: Path, view: DraftView, error: BaseException) -> str:
    if isinstance(error, StaleDraft):
        # Sent as it is, it would take back what the other person did.
        return f"read the draft as it is now, and bring over what still holds: panel queue edit {view.id}"
    return f"correct it, then: panel queue edit {view.id} --file {path}"


def _written(draft: int, form: str) -> Path:
    handle, name = tempfile.mkstemp(prefix=f"panel-draft-{draft}-", suffix=ENDINGS[0])
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(form)
    return Path(name)


def _visited(path: Path, view: DraftView) -> Filled:
    """Return what a form holds once the user is content with it.

    Raises:
        SettingsError: the editor cannot be used.
        PanelError: the form cannot be used, and the user leaves it at that.
    """
    while True:
        if fault := visit(path):
            raise SettingsError(fault)
        try:
            return read_form(read_text(path, ENDINGS), path.name, view.shown.review)
        except InputError as error:
            if not sys.stdin.isatty():
                raise
            tell(str(error))
            if asked("It cannot be used yet. [e]dit again, [q]uit:", "edit", "quit") != "edit":
                raise


def _reason(filled: Filled) -> str | None:
    if filled.reason or not filled.changes or not sys.stdin.isatty():
        return filled.reason
    return typed("Why, for the draft's history? Enter for no reason:")


def _change(at: Desk, view: DraftView, actor: Actor, filled: Filled, reason: str | None) -> bool:
    """Make the changes of a form, which are of what its `shown` says; return whether there are any."""
    if not filled.changes:
        return False
    deed = DraftCommand(
        action=Action.EDIT, actor=actor, seen=filled.shown, reason=reason, changes=filled.changes
    )
    at.approve_with(lambda service: service.execute(view.id, deed))
    return True
