"""Run every check of an installation, and mask secrets in what they observe."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from panel.diagnostics import machine, model_checks
from panel.diagnostics.installation import Installation, Level, Observation, problem
from panel.errors import InputError, PanelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import Any

    Check = Callable[[Installation], Iterator[Observation]]

CREDENTIALS = re.compile(r"//\S*@")

CHECKS: tuple[tuple[str, Check], ...] = (
    ("Software", machine.software),
    ("Settings", machine.files),
    ("Settings", machine.variables),
    ("Settings", machine.limits),
    ("Folders", machine.data),
    ("Folders", machine.reports),
    ("Personas", machine.personas),
    ("Keys", model_checks.keys),
    ("Model", model_checks.model),
    ("Model", model_checks.other_models),
    ("Model", model_checks.addresses),
    ("Model", model_checks.prices),
    ("Prompts", machine.prompts),
    ("Embedded model", model_checks.embedded_model),
    ("Network", machine.certificates),
    ("Network", machine.proxies),
    ("Database", machine.database),
)
"""Subject and function of each check, in the order of the output."""


def diagnose(
    flags: Mapping[str, Any], config: Path | None, *, ask: bool
) -> Iterator[tuple[str, Observation]]:
    """Yield subject and observation of each check; with `ask`, end with one call to the model unless a problem prevents it.

    The call may cost a fraction of a cent. `config` is a settings file that is used in place of `./panel.yaml`.
    """
    installation = Installation(flags, config)
    blocked = False
    for subject, observation in _examine(installation, CHECKS):
        blocked = blocked or observation.level is Level.PROBLEM
        yield subject, observation
    if ask and not blocked:
        yield from _examine(installation, [("Call", model_checks.ask)])


def _examine(
    installation: Installation, checks: Iterable[tuple[str, Check]]
) -> Iterator[tuple[str, Observation]]:
    """Yield the observations of checks; a problem that several of them meet is reported once."""
    reported: set[str] = set()
    for subject, check in checks:
        for observation in _guarded(check, installation):
            if observation.level is Level.PROBLEM and observation.found in reported:
                continue
            reported.add(observation.found)
            found, advice = (_masked(text, installation) for text in (observation.found, observation.advice))
            yield subject, replace(observation, found=found, advice=advice)


def _masked(text: str, installation: Installation) -> str:
    for key in installation.keys:
        text = text.replace(key, "[key]")
    return CREDENTIALS.sub("//[credentials]@", text)


def _guarded(check: Check, installation: Installation) -> Iterator[Observation]:
    """Yield a check's observations; an error of panel becomes a problem, any other error a broken check."""
    try:
        yield from check(installation)
    except InputError as error:
        yield from (problem(str(one)) for one in error.problems)
    except PanelError as error:
        yield problem(str(error))
    except Exception as error:  # noqa: BLE001 - the other checks must still run
        reason = f": {error}" if str(error) else ""
        yield problem(
            f"this check is broken: {type(error).__name__}{reason}", "please report it as a bug in panel"
        )
