"""What a command names: files, folders, patterns and standard input, as one list of sources."""

from __future__ import annotations

import glob
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from panel.core.text import one_line
from panel.errors import Problem
from panel.tool_files.files import source_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from panel.tool_files.files import Source

_EVERYTHING = {"*", "**"}


def expand(arguments: Iterable[str], endings: Collection[str]) -> Iterator[Source | Problem]:
    """Yield the sources that arguments name, those of a folder or pattern sorted; a problem where there is none.

    A folder stands for the files in it that have a known ending and are not hidden, without those in folders of
    its own; `folder/**` stands for those as well. A pattern whose last part says more takes all files that match.

    Args:
        arguments: paths, patterns with `*`, `?` or `[`, or `-` for standard input.
        endings: the endings that are known, in lower case and with their dots.
    """
    for argument in arguments:
        source = source_of(argument)
        mode = _mode(source) if isinstance(source, Path) else stat.S_IFREG
        if stat.S_ISDIR(mode):
            yield from _matches(f"{glob.escape(argument)}/*", argument, endings)
        elif not mode and glob.has_magic(argument):
            yield from _matches(argument, argument, endings)
        else:
            yield source


def _matches(pattern: str, argument: str, endings: Collection[str]) -> Iterator[Source | Problem]:
    names = glob.iglob(pattern, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern, and hidden files
    paths = sorted(map(Path, names))
    files = [path for path in paths if path.is_file()]
    if Path(pattern).name in _EVERYTHING:
        files = [path for path in files if path.suffix.lower() in endings]
    if not files:
        yield Problem(
            one_line(argument), f"holds no file of tools; the endings known are {', '.join(endings)}"
        )
    yield from files


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except (OSError, ValueError):  # there is none, or reading it will say why
        return 0
