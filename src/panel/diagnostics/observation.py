"""One line of `panel doctor`: what a check observed, how serious it is, and the advice."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How serious an observation is."""

    OK = "ok"
    NOTE = "note"
    """Good to know; a review works all the same."""
    PROBLEM = "problem"
    """The model in force cannot be asked, or its answers cannot be kept."""
    FAILED = "failed"
    """The model in force was asked and did not answer."""


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


def problem(found: str, advice: str = "") -> Observation:
    """Return an observation of level PROBLEM."""
    return Observation(Level.PROBLEM, found, advice)


def problem_if(needed: object, found: str, advice: str = "") -> Observation:
    """Return a problem if the run needs the thing that was checked, else a note."""
    return Observation(Level.PROBLEM if needed else Level.NOTE, found, advice)
