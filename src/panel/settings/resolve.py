"""Resolve each setting and its source: flag > environment > project file > user file > default."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from panel.core.text import did_you_mean
from panel.errors import InputError, Problem, SettingsError
from panel.settings.fields import REMOVED_SETTINGS, Settings, masked
from panel.tool_files.documents import Document, parse_yaml
from panel.tool_files.files import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROJECT_FILE = Path("panel.yaml")
PREFIX = "PANEL_"
DEFAULT = "default"
DATABASE_FILE = "panel.db"


@dataclass(frozen=True, slots=True)
class Resolved:
    """The settings in force; `sources` maps each name to `--flag`, `PANEL_NAME`, `file, line N` or `default`."""

    settings: Settings
    sources: dict[str, str]

    @property
    def data_dir(self) -> Path:
        """The folder of the user's data: the setting, or the place that the XDG base directory specification names."""
        if self.settings.data_dir is not None:
            return self.settings.data_dir
        base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
        return Path(base) / "panel"

    @property
    def database(self) -> str | Path:
        """The configured database address, or the path of `panel.db` in the data folder."""
        return self.settings.database_url or self.data_dir / DATABASE_FILE

    def rows(self) -> list[dict[str, Any]]:
        """Return name, value, printed value, source and meaning of each setting."""
        values = self.settings.model_dump(mode="json")
        return [
            {
                "name": name,
                "value": values[name],
                "shown": _shown(values[name]),
                "source": self.sources[name],
                "meaning": field.description,
            }
            for name, field in Settings.model_fields.items()
        ]


def resolve(
    flags: Mapping[str, Any], config: Path | None, environ: Mapping[str, str] = os.environ
) -> Resolved:
    """Return the settings in force; `config` is a settings file that is used in place of `./panel.yaml`.

    Raises:
        SettingsError: a flag or a variable holds an invalid value.
        InputError: a file does; all of its problems are listed.
    """
    files = [_read_file(path) for path in settings_files(config, environ)]
    variables = {name: f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    environment = {name: (environ[key], key) for name, key in variables.items() if environ.get(key)}
    command = {name: (value, f"--{name.replace('_', '-')}") for name, value in flags.items()}
    for layer in (environment, command):
        for name, message in _errors({name: value for name, (value, _) in layer.items()}):
            raise SettingsError(f"{layer[name][1]}: {message}")
    given = {name: pair for layer in (*files, environment, command) for name, pair in layer.items()}
    settings = Settings.model_validate({name: value for name, (value, _) in given.items()})
    sources = {name: source for name, (_, source) in given.items()}
    return Resolved(settings, dict.fromkeys(Settings.model_fields, DEFAULT) | sources)


def _errors(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield name and error of each invalid setting."""
    try:
        Settings.model_validate(values)
    except ValidationError as error:
        for detail in error.errors():
            name = str(detail["loc"][0])
            if name in REMOVED_SETTINGS:
                yield name, "this setting was removed from panel; delete the line"
            elif detail["type"] == "extra_forbidden":
                advice = did_you_mean(name, Settings.model_fields, "`panel config` lists all")
                yield name, f"unknown setting; {advice}"
            else:
                text = detail["msg"].removeprefix("Value error, ")
                yield name, f"{text[0].lower()}{text[1:]}, got {masked(detail['input'])!r}"


def settings_files(config: Path | None, environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the existing settings files, lowest precedence first."""
    base = environ.get("XDG_CONFIG_HOME") or str(Path(environ.get("HOME", "~")).expanduser() / ".config")
    user = Path(base) / "panel" / "config.yaml"
    if user.is_file():
        yield user
    if config is not None:
        yield config
    elif PROJECT_FILE.is_file():
        yield PROJECT_FILE


def _read_file(path: Path) -> dict[str, tuple[Any, str]]:
    """Return value and source of each setting in a file."""
    source = str(path)
    documents = parse_yaml(read_text(path, (".yaml", ".yml")), source)
    document = documents[0] if documents else Document({})
    problems = document.problems_in(source)
    if len(documents) > 1 or not isinstance(document.value, dict):
        message = "expected settings as `name: value`, one on each line"
        raise InputError([*problems, Problem(source, message, document.line_of(()))])
    lines = {name: document.line_of((name,)) for name in document.value}
    problems += [
        Problem(source, message, lines.get(name), name)
        for name, message in _errors(document.value)
        if not document.has_problem((name,))
    ]
    if problems:
        raise InputError(sorted(problems, key=lambda problem: problem.line or 0))
    return {name: (value, f"{source}, line {lines[name]}") for name, value in document.value.items()}


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "-" if value is None else str(value)
