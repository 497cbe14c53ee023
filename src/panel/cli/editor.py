"""The user's own editor."""

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

_EDITOR = "vi"


def visit(path: Path) -> str | None:
    """Open a file in the user's editor and wait; return why its outcome does not count, or None."""
    wanted = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        command = shlex.split(wanted) or [_EDITOR]
        with _interrupts_left_to_editor():
            # What panel prints may go to a file; the editor needs the terminal.
            code = subprocess.run([*command, path], stdout=sys.stderr, check=False).returncode  # noqa: S603 - the user's own editor
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        return f"The editor {wanted or _EDITOR} cannot be started ({reason}); set VISUAL or EDITOR to one that can."
    return f"The editor ended with {code}; the text is as it was." if code else None


@contextmanager
def _interrupts_left_to_editor() -> Iterator[None]:
    # A handler, and not SIG_IGN, which the editor would inherit.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
