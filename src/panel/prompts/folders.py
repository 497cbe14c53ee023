"""Folders of personas and prompt templates: named by the user, in the current folder, or shipped with panel."""

from __future__ import annotations

from pathlib import Path

from panel.tool_files.documents import FENCE

PERSONA_FILES = "*.md"
TEMPLATE_FILES = "*.md.j2"

_PACKAGE = Path(__file__).resolve().parents[1]


def personas_folder(named: Path | None) -> Path:
    """Return the folder of personas to use: the named one, `./personas` if it holds personas, or the shipped one."""
    return named or _local("personas", PERSONA_FILES, start=FENCE) or shipped("personas")


def templates_folder(named: Path | None) -> Path:
    """Return the folder of templates to use: the named one, `./prompts` if it holds templates, or the shipped one."""
    return named or _local("prompts", TEMPLATE_FILES) or shipped("prompts")


def shipped(name: str) -> Path:
    """Return a folder that came with panel: inside the wheel, or beside `src` in a checkout."""
    inside = _PACKAGE / "shipped" / name
    return inside if inside.is_dir() else _PACKAGE.parents[1] / name


def _local(name: str, pattern: str, start: str = "") -> Path | None:
    """Return a folder of the current one if a file in it has the right name and start; others may share its name."""
    folder = Path(name)
    return folder if any(_starts_with(path, start) for path in folder.glob(pattern)) else None


def _starts_with(path: Path, start: str) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(start)) == start.encode()
    except OSError:
        return False
