"""What `panel doctor` looks at: small functions that yield findings, a room of its own for each subject."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from panel.errors import InputError, PanelError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from panel.diagnostics.case import Case

CREDENTIALS = re.compile(r"//\S*@")


class Level(StrEnum):
    """How good a finding is.

    Attributes:
        OK: as it should be.
        NOTE: good to know; nothing stands in the way.
        PROBLEM: the model in force cannot be asked, or its answers cannot be kept.
        FAILED: it was asked, and did not answer.
    """

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Observation:
    """What a check found.

    Attributes:
        mark: how good it is.
        found: what there is.
        advice: what to do about it, if anything needs to be done.
    """

    mark: Level
    found: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A finding under the subject that it belongs to."""

    subject: str
    finding: Observation


Check = Callable[["Case"], Iterator[Observation]]


def ok(found: str) -> Observation:
    """Return a finding that is as it should be."""
    return Observation(Level.OK, found)


def note(found: str, advice: str = "") -> Observation:
    """Return a finding that is good to know."""
    return Observation(Level.NOTE, found, advice)


def problem(found: str, advice: str = "") -> Observation:
    """Return a finding that stands in the way."""
    return Observation(Level.PROBLEM, found, advice)


def problem_if(needed: object, found: str, advice: str = "") -> Observation:
    """Return a finding that stands in the way if what it is about is needed, and else is good to know."""
    return Observation(Level.PROBLEM if needed else Level.NOTE, found, advice)


def examine(case: Case, checks: Iterable[tuple[str, Check]]) -> Iterator[Line]:
    """Carry checks out, and yield what they find.

    An error of panel's is a problem, told once however many checks meet it; any other is a check that is broken itself, which
    reports that. Keys and credentials are cut out of every word.
    """
    told: set[str] = set()
    for subject, check in checks:
        for finding in _guarded(check, case):
            if finding.mark is Level.PROBLEM and finding.found in told:
                continue
            told.add(finding.found)
            yield Line(
                subject,
                Observation(finding.mark, censored(finding.found, case), censored(finding.advice, case)),
            )


def censored(text: str, case: Case) -> str:
    """Return a text without keys, and without user names and passwords in addresses."""
    for key in case.keys:
        text = text.replace(key, "[key]")
    return CREDENTIALS.sub("//[credentials]@", text)


def _guarded(check: Check, case: Case) -> Iterator[Observation]:
    try:
        yield from check(case)
    except InputError as error:
        yield from (problem(str(one)) for one in error.problems)
    except PanelError as error:
        yield problem(str(error))
    except Exception as error:  # noqa: BLE001 - whatever is broken, the other checks go on
        said = f": {error}" if str(error) else ""
        yield problem(
            f"this check is broken: {type(error).__name__}{said}", "please report it as a bug in panel"
        )
