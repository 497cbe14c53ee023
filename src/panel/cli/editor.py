"""The text editor that the user has chosen in VISUAL or EDITOR."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DEFAULT = "vi"


def open_editor(path: Path) -> str | None:
    """Open a file in the user's editor and wait until it is closed; return an error message, or None."""
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        command = shlex.split(chosen) or [_DEFAULT]
        with _interrupts_left_to_editor():
            # What panel prints may go to a file; the editor needs the terminal.
            code = subprocess.run([*command, path], stdout=sys.stderr, check=False).returncode  # noqa: S603 - the user's own editor
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        return f"The editor {chosen or _DEFAULT} cannot be started ({reason}); set VISUAL or EDITOR to one that can."
    return f"The editor ended with {code}; the text is as it was." if code else None


@contextmanager
def _interrupts_left_to_editor() -> Iterator[None]:
    # A handler, and not SIG_IGN, which the editor would inherit.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
