"""Resolve each setting and its source: flag > environment > project file > user file > default."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from panel.core.text import did_you_mean
from panel.errors import InputError, Problem, SettingsError
from panel.settings.model import Settings, masked
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


@dataclass(frozen=True, slots=True)
class _Layer:
    """The settings of one source, and the name of the source of each."""

    values: dict[str, Any]
    sources: dict[str, str]

    def faults(self) -> Iterator[tuple[str, str]]:
        """Yield name and error of each invalid value."""
        try:
            Settings.model_validate(self.values)
        except ValidationError as error:
            for fault in error.errors():
                name = str(fault["loc"][0])
                yield name, _sentence(name, fault["type"], fault["msg"], fault["input"])


def resolve(
    flags: Mapping[str, Any], config: Path | None, environ: Mapping[str, str] = os.environ
) -> Resolved:
    """Return the settings in force; `config` is a settings file that is used in place of `./panel.yaml`.

    Raises:
        SettingsError: a flag or a variable holds an invalid value.
        InputError: a file does; all of its problems are listed.
    """
    layers = [_file(path) for path in settings_files(config, environ)]
    layers += [_variables(environ), _Layer(dict(flags), {name: _flag(name) for name in flags})]
    for layer in layers[-2:]:
        for name, fault in layer.faults():
            raise SettingsError(f"{layer.sources[name]}: {fault}")
    values = {name: value for layer in layers for name, value in layer.values.items()}
    sources = {name: layer.sources[name] for layer in layers for name in layer.values}
    return Resolved(Settings.model_validate(values), dict.fromkeys(Settings.model_fields, DEFAULT) | sources)


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


def _file(path: Path) -> _Layer:
    source = str(path)
    documents = parse_yaml(read_text(path, (".yaml", ".yml")), source)
    document = documents[0] if documents else Document({})
    problems = document.problems_in(source)
    if len(documents) > 1 or not isinstance(document.value, dict):
        problems.append(
            Problem(source, "expected settings as `name: value`, one on each line", document.line_of(()))
        )
        raise InputError(problems)
    layer = _Layer(
        document.value, {name: f"{source}, line {document.line_of((name,))}" for name in document.value}
    )
    problems += [
        Problem(source, fault, document.line_of((name,)), name)
        for name, fault in layer.faults()
        if not document.has_problem((name,))
    ]
    if problems:
        raise InputError(sorted(problems, key=lambda problem: problem.line or 0))
    return layer


def _variables(environ: Mapping[str, str]) -> _Layer:
    named = {name: f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    given = {name: environ[variable] for name, variable in named.items() if environ.get(variable)}
    return _Layer(given, {name: named[name] for name in given})


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _sentence(name: str, kind: str, message: str, given: object) -> str:
    if kind == "extra_forbidden":
        return f"unknown setting; {did_you_mean(name, Settings.model_fields, '`panel config` lists all')}"
    text = message.removeprefix("Value error, ")
    return f"{text[0].lower()}{text[1:]}, got {masked(given)!r}"


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "-" if value is None else str(value)
