"""Arguments that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from panel.errors import SettingsError

if TYPE_CHECKING:
    from panel.core.take import NoTakeReason

RunNumber = Annotated[
    int, typer.Argument(metavar="RUN", min=1, help="Number of a run, from `panel batch list`.")
]
Reasons = Annotated[
    str | None,
    typer.Option(
        "--reason", metavar="REASONS", help="Only seats that failed for these, separated by commas."
    ),
]


def failure_reasons(given: str | None) -> tuple[NoTakeReason, ...]:
    """Return the reasons in a comma-separated list, or all without one; raise `SettingsError` if one is unknown."""
    from panel.core.take import NoTakeReason
    from panel.store import FAILURES

    known = {reason.value: reason for reason in NoTakeReason if reason in FAILURES}
    named = [name.strip().lower().replace("-", "_") for name in given.split(",")] if given else list(known)
    unknown = next((name for name in named if name not in known), None)
    if unknown is not None:
        raise SettingsError(f"--reason: '{unknown}' is no reason; choose from {', '.join(known)}")
    return tuple(known[name] for name in named)
