"""Persona files: Markdown with front matter, one critic each. Adding a persona is adding a file."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from panel.core.persona import Persona
from panel.core.prompt import Calibration
from panel.errors import InputError, Problem, SettingsError
from panel.tool_files.documents import dotted
from panel.tool_files.files import read_text
from panel.tool_files.json_text import parse_json
from panel.tool_files.markdown import parse_front_matter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PATTERN = "*.md"
CALIBRATION_FILE = "calibration.json"


def load_personas(folder: Path) -> dict[str, Persona]:
    """Return the personas of a folder by their ids, which are the names of their files.

    Raises:
        InputError: every problem of every file.
    """
    paths = sorted(folder.glob(PATTERN))
    if not paths:
        raise InputError(
            [Problem(str(folder), "holds no persona files (*.md); name another folder with --personas")]
        )
    figures = _calibrations(folder / CALIBRATION_FILE)
    personas: dict[str, Persona] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            personas[path.stem] = _persona(path, figures.get(path.stem))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return personas


def seat_roster(personas: Mapping[str, Persona], names: Sequence[str]) -> tuple[Persona, ...]:
    """Return the personas of a roster, in its order.

    Raises:
        SettingsError: a name is unknown.
    """
    by_name = {name.casefold(): persona for name, persona in personas.items()}
    for name in names:
        if name.casefold() not in by_name:
            close = difflib.get_close_matches(name.casefold(), by_name, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(personas)}"
            raise SettingsError(f"unknown persona {name!r}; {hint}")
    seated = {name.casefold(): by_name[name.casefold()] for name in names}
    if len(seated) < len(names):
        raise SettingsError(f"the roster {', '.join(names)} names a persona twice")
    return tuple(seated.values())


def _persona(path: Path, calibration: Calibration | None) -> Persona:
    source = str(path)
    page = parse_front_matter(read_text(path, (".md",)), source)
    problems = page.front.problems_in(source)
    fields = page.front.value | {"id": path.stem, "body": page.body.strip(), "calibration": calibration}
    try:
        persona = Persona.model_validate(fields)
    except ValidationError as error:
        problems += [
            Problem(source, _sentence(fault), page.front.line_of(fault["loc"]), dotted(fault["loc"]))
            for fault in error.errors()
        ]
    if problems:
        raise InputError(problems)
    return persona


def _sentence(fault: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    if fault["type"] == "extra_forbidden":
        close = difflib.get_close_matches(str(fault["loc"][-1]), Persona.model_fields, n=1)
        return f"unknown field; did you mean {close[0]}?" if close else "unknown field; remove it"
    if fault["type"] == "missing":
        return "is missing"
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"{message[0].lower()}{message[1:]}"


def _calibrations(path: Path) -> dict[str, Calibration]:
    """Return the figures that `bench/calibrate.py` measured, by persona; none if there is no such file."""
    if not path.is_file():
        return {}
    document = parse_json(read_text(path, (".json",)), str(path))
    try:
        model, figures = document.value["model"], document.value["personas"]
        return {name: Calibration(model=model, **own) for name, own in figures.items()}
    except (KeyError, TypeError, AttributeError, ValidationError) as error:
        raise InputError([Problem(str(path), "not made by bench/calibrate.py; run it again")]) from error
