"""Persona files: one critic per Markdown file, its fields as front matter and its instructions below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from panel.core.persona import Persona
from panel.core.prompt import Calibration
from panel.core.text import did_you_mean
from panel.errors import InputError, Problem, SettingsError
from panel.prompts.folders import PERSONA_FILES
from panel.tool_files.documents import dotted, parse_front_matter, parse_json
from panel.tool_files.files import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CALIBRATION_FILE = "calibration.json"


def load_personas(folder: Path) -> dict[str, Persona]:
    """Return the personas of a folder by id, which is the file name without its ending.

    Raises:
        InputError: every problem of every file.
    """
    paths = sorted(folder.glob(PERSONA_FILES))
    if not paths:
        message = "holds no persona files (*.md); name another folder with --personas"
        raise InputError.at(str(folder), message)
    calibrations = _calibrations(folder / CALIBRATION_FILE)
    personas: dict[str, Persona] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            personas[path.stem] = _load_persona(path, calibrations.get(path.stem))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return personas


def seat_roster(personas: Mapping[str, Persona], names: Sequence[str]) -> tuple[Persona, ...]:
    """Return the personas of a roster, in its order.

    Raises:
        SettingsError: a name is unknown or repeated.
    """
    by_name = {name.casefold(): persona for name, persona in personas.items()}
    for name in names:
        if name.casefold() not in by_name:
            hint = did_you_mean(name.casefold(), by_name, f"known are {', '.join(personas)}")
            raise SettingsError(f"unknown persona {name!r}; {hint}")
    seated = {name.casefold(): by_name[name.casefold()] for name in names}
    if len(seated) < len(names):
        raise SettingsError(f"the roster {', '.join(names)} names a persona twice")
    return tuple(seated.values())


def _load_persona(path: Path, calibration: Calibration | None) -> Persona:
    source = str(path)
    file = parse_front_matter(read_text(path, (".md",)), source)
    problems = file.front.problems_in(source)
    fields = file.front.value | {"id": path.stem, "body": file.body.strip(), "calibration": calibration}
    try:
        persona = Persona.model_validate(fields)
    except ValidationError as error:
        problems += [
            Problem(source, _message(detail), file.front.line_of(detail["loc"]), dotted(detail["loc"]))
            for detail in error.errors()
        ]
    if problems:
        raise InputError(problems)
    return persona


def _message(detail: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    if detail["type"] == "extra_forbidden":
        advice = did_you_mean(str(detail["loc"][-1]), Persona.model_fields, "remove it")
        return f"unknown field; {advice}"
    if detail["type"] == "missing":
        return "is missing"
    message = str(detail["msg"]).removeprefix("Value error, ")
    return f"{message[0].lower()}{message[1:]}"


def _calibrations(path: Path) -> dict[str, Calibration]:
    """Return the calibrations made by `bench/calibrate.py`, by persona; none without its file."""
    if not path.is_file():
        return {}
    document = parse_json(read_text(path, (".json",)), str(path))
    try:
        model, figures = document.value["model"], document.value["personas"]
        return {name: Calibration(model=model, **own) for name, own in figures.items()}
    except (KeyError, TypeError, AttributeError, ValidationError) as error:
        raise InputError.at(str(path), "not made by bench/calibrate.py; run it again") from error
