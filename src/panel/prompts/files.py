"""Files of personas and prompt templates: the folders in use, and the personas read from them.

A persona is one Markdown file, with its fields as front matter and its instructions below.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from panel.core.persona import Persona
from panel.core.prompt import Calibration
from panel.core.text import did_you_mean
from panel.errors import InputError, Problem, SettingsError
from panel.tool_files.documents import FENCE, dotted, parse_front_matter, parse_json
from panel.tool_files.files import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PERSONA_FILES = "*.md"
TEMPLATE_FILES = "*.md.j2"
CALIBRATION_FILE = "calibration.json"

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
    for path in Path(name).glob(pattern):
        with suppress(OSError), path.open("rb") as file:
            if file.read(len(start)) == start.encode():
                return Path(name)
    return None


def load_personas(folder: Path) -> dict[str, Persona]:
    """Return the personas of a folder by id, the file name without its ending; InputError has all problems of all files."""
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
    """Return the personas of a roster, in its order; raise SettingsError if a name is unknown or repeated."""
    by_name = {name.casefold(): persona for name, persona in personas.items()}
    seated: dict[str, Persona] = {}
    for name in names:
        key = name.casefold()
        if key not in by_name:
            hint = did_you_mean(key, by_name, f"known are {', '.join(personas)}")
            raise SettingsError(f"unknown persona {name!r}; {hint}")
        seated[key] = by_name[key]
    if len(seated) < len(names):
        raise SettingsError(f"the roster {', '.join(names)} names a persona twice")
    return tuple(seated.values())


def _load_persona(path: Path, calibration: Calibration | None) -> Persona:
    source = str(path)
    front, body, _ = parse_front_matter(read_text(path, (".md",)), source)
    problems = front.problems_in(source)
    try:
        persona = Persona.model_validate(
            front.value | {"id": path.stem, "body": body.strip(), "calibration": calibration}
        )
    except ValidationError as error:
        problems += [
            Problem(source, _message(detail), front.line_of(detail["loc"]), dotted(detail["loc"]))
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
