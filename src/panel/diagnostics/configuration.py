"""Which settings are in force, and whether all that looks like one is one."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING

from panel.diagnostics import Observation, note, ok
from panel.settings.model import Settings
from panel.settings.resolve import DEFAULT, PREFIX, settings_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.diagnostics.case import Case


def files(case: Case) -> Iterator[Observation]:
    """Tell which settings files are read; one that cannot be used is an error of panel's."""
    there = list(settings_files(case.config, os.environ))
    sources = case.resolved.sources.values()
    for path in there:
        in_force = sum(source.startswith(f"{path}, ") for source in sources)
        yield ok(f"{path}: read; settings in force from it: {in_force}")
    if not there:
        given = sum(source != DEFAULT for source in sources)
        yield ok(f"no settings file; settings from flags and variables: {given}")


def variables(_case: Case) -> Iterator[Observation]:
    """Name the variables that look like settings and are none."""
    known = {name.upper() for name in Settings.model_fields} | {
        "API_KEY",
        "API_KEY_FILE",
        "SMTP_PASSWORD",
        "SMTP_PASSWORD_FILE",
    }
    for variable in sorted(os.environ):
        name = variable.removeprefix(PREFIX)
        if variable == name or name in known:
            continue
        close = difflib.get_close_matches(name, sorted(known), n=1)
        hint = f"did you mean {PREFIX}{close[0]}?" if close else "`panel config` lists all settings"
        yield note(f"{variable} is set, and is no setting", hint)


def limits(case: Case) -> Iterator[Observation]:
    """Tell how many calls are made, how fast, and how long each may take."""
    settings = case.resolved.settings
    requests, tokens = (
        "as many as the provider allows" if figure is None else f"{figure:,}"
        for figure in (settings.requests_per_minute, settings.tokens_per_minute)
    )
    yield ok(f"{settings.concurrency} calls in flight; a minute: calls {requests}, tokens {tokens}")
    yield ok(
        f"{settings.timeout:g} s for each call; further attempts when a provider is busy: {settings.retries}"
    )
