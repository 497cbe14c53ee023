"""Where personas and prompts are: in a folder that was named, in the current one, or in the package."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def shipped(name: str) -> Path:
    """Return the folder that came with the program: inside the wheel, or beside `src` in a checkout."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else PACKAGE.parents[1] / name


def folder_in_force(name: str, named: Path | None, pattern: str) -> Path:
    """Return the folder to read: the one named, or one of that name here that holds such files, or the shipped one."""
    if named is not None:
        return named
    here = Path.cwd() / name
    return here if any(here.glob(pattern)) else shipped(name)
