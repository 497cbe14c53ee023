"""How far a build of the site is, on stderr."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from panel.cli.console import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ON_TERMINAL, IN_LOGS = 100, 10_000
"""Files after which it is said how many are ready."""


@contextmanager
def counter(*, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Yield what is told how many files are ready; on a terminal it keeps one line up to date."""
    live = sys.stderr.isatty()
    every = ON_TERMINAL if live else IN_LOGS

    def count(ready: int) -> None:
        if quiet or ready % every:
            return
        if live:
            sys.stderr.write(f"\r{ready:,} files ready")
            sys.stderr.flush()
        else:
            tell(f"{ready:,} files ready")

    try:
        yield count
    finally:
        if live and not quiet:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
