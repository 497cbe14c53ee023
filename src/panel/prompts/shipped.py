"""Where personas and prompts are: in a folder that was named, in the current one, or in the package."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def shipped(name: str) -> Path:
    """Return the folder that came with the program: inside the wheel, or beside `src` in a checkout."""
    inside = PACKAGE / "shipped" / name
    return inside if inside.is_dir() else PACKAGE.parents[1] / name


def folder_in_force(name: str, named: Path | None, pattern: str, start: str = "") -> Path:
    """Return the folder to read: the one named, or one of that name here that holds such files, or the shipped one.

    Args:
        name: of the folder.
        named: folder that somebody asked for.
        pattern: names of the files looked for.
        start: how such a file begins, so that a folder of that name with other things in it is left alone.
    """
    if named is not None:
        return named
    here = Path(name)
    return here if any(_begins(path, start) for path in here.glob(pattern)) else shipped(name)


def _begins(path: Path, start: str) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(start)) == start.encode()
    except OSError:
        return False
