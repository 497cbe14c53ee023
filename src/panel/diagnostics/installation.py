"""The installation under test, its settings and models resolved when a check first needs them, and what checks observe."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panel.errors import PanelError
from panel.orchestrator.setup import PanelSetup, ResolvedModel, available_personas, build_setup, resolve_model
from panel.providers import key_variables, providers
from panel.settings.model_choice import MAX_KEY_CHARS, ModelChoice, choose_model
from panel.settings.resolve import Resolved, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from panel.core.persona import Persona

SHORTEST_KEY = 8
"""Shorter texts are no keys, and masking them would damage ordinary words."""


class Level(StrEnum):
    """How serious an observation is: notes keep no review from its work, problems do, and a call that failed is `FAILED`."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Observation:
    """The result of one check; `advice` is empty where nothing needs to be done."""

    level: Level
    found: str
    advice: str = ""


def ok(found: str) -> Observation:
    """Return an observation of level OK."""
    return Observation(Level.OK, found)


def note(found: str, advice: str = "") -> Observation:
    """Return an observation of level NOTE."""
    return Observation(Level.NOTE, found, advice)


def problem(found: str, advice: str = "", *, needed: object = True) -> Observation:
    """Return a problem, or a note if the run does not need the thing that was checked."""
    return Observation(Level.PROBLEM if needed else Level.NOTE, found, advice)


@dataclass(frozen=True)
class Installation:
    """The settings in force and the models they name. Properties may raise a PanelError."""

    flags: Mapping[str, Any]
    config: Path | None

    @cached_property
    def resolved(self) -> Resolved:
        """The settings in force."""
        return resolve(self.flags, self.config)

    @cached_property
    def choice(self) -> ModelChoice:
        """The model in force."""
        return choose_model(self.resolved.settings.model, self.resolved.sources["model"], os.environ)

    @cached_property
    def model(self) -> ResolvedModel:
        """The model in force, ready to be called."""
        return resolve_model(self.resolved, self.choice, None, to_ask=True)

    @cached_property
    def personas(self) -> dict[str, Persona]:
        """All personas of the folder in force."""
        return available_personas(self.resolved)

    @cached_property
    def setup(self) -> PanelSetup:
        """The panel as a run would set it up."""
        return build_setup(self.resolved)

    @property
    def models(self) -> tuple[ResolvedModel, ...]:
        """Every model that a run would call."""
        return (self.model, *self.setup.seat_models.values())

    @cached_property
    def asked(self) -> set[str]:
        """The providers that a run would call; all of them if the settings cannot be read. Never raises."""
        try:
            seats = [entry.partition("=")[2] for entry in self.resolved.settings.roster]
            return {self.choice.provider, *(seat.strip().partition(":")[0] for seat in seats if seat)}
        except PanelError:
            return set(providers())

    @cached_property
    def keys(self) -> list[str]:
        """Every text given as a key, longest first; none of them may be shown. Never raises."""
        given = []
        for variable in key_variables().values():
            given += [os.environ.get(variable, ""), _content(os.environ.get(f"{variable}_FILE"))]
        parts = {part for key in given for part in (key, key.strip(), *key.split())}
        return sorted((part for part in parts if len(part) >= SHORTEST_KEY), key=len, reverse=True)


def _content(path: str | None) -> str:
    try:
        with Path(path or os.devnull).open(encoding="utf-8", errors="replace") as file:
            return file.read(MAX_KEY_CHARS)
    except (OSError, ValueError):
        return ""
