"""What a review is made of and where it goes: personas, prompts, and the folders for data and reports."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from panel.core.review import EMBEDDED
from panel.core.tool import Tool
from panel.diagnostics import Observation, ok, problem
from panel.orchestrator.models import data_dir, prompt_book
from panel.prompts.persona_files import PATTERN as PERSONA_FILES
from panel.prompts.persona_files import seat_roster
from panel.prompts.shipped import folder_in_force
from panel.prompts.templates import PATTERN as PROMPT_FILES
from panel.settings.secret import read_secret
from panel.tool_files.front_matter import FENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from panel.diagnostics.case import Case

SAMPLE = Tool(name="Sample", description="Sample shows how a listing is put into a prompt. It is no tool.")


def personas(case: Case) -> Iterator[Observation]:
    """Tell which personas there are and which are seated."""
    settings = case.resolved.settings
    folder = folder_in_force("personas", settings.personas, PERSONA_FILES, start=FENCE)
    seated = seat_roster(case.personas, [entry.partition("=")[0].strip() for entry in settings.roster])
    yield ok(f"{len(case.personas)} in {folder}; seated: {', '.join(persona.id for persona in seated)}")


def prompts(case: Case) -> Iterator[Observation]:
    """Make each kind of question once for each persona."""
    settings = case.resolved.settings
    folder = folder_in_force("prompts", settings.prompts, PROMPT_FILES)
    book = prompt_book(case.resolved, scaffolded=case.choice.provider == EMBEDDED)
    for persona in case.personas.values():
        book.take(SAMPLE, persona)
        book.reask(SAMPLE, persona, reply="{}", problems=["reply: a sample"])
    yield ok(f"{len(list(folder.glob(PROMPT_FILES)))} templates in {folder}, version {book.digest[:12]}")


def data(case: Case) -> Iterator[Observation]:
    """Read the secret, which is made if there is none, and try whether the user's data can be written."""
    folder = data_dir(case.resolved)
    read_secret(folder)
    yield _written(folder, "holds your secret, and can be written", "set PANEL_DATA_DIR to another folder")


def reports(case: Case) -> Iterator[Observation]:
    """Try whether reports, and a recording if one is wanted, can be written."""
    settings = case.resolved.settings
    yield _written(settings.out, "reports can be written", "choose another folder with --out or PANEL_OUT")
    if settings.record is not None:
        advice = "choose another folder with --record or PANEL_RECORD"
        yield _written(settings.record, "a recording can be written", advice)


def _written(folder: Path, said: str, advice: str) -> Observation:
    """Try a folder, or the one in which it would be made, and leave nothing behind."""
    try:
        there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        return problem(f"{folder} cannot be written: {error.strerror or error}", advice)
    return ok(f"{folder}: {said}")
