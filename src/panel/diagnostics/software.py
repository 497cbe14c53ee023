"""Which software there is."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from panel import __version__
from panel.diagnostics import Observation, note, ok, problem
from panel.providers.local.weights import INSTALL_RUNTIME, RUNTIME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.diagnostics.case import Case

REQUIRED = ("openai", "anthropic", "httpx2", "pydantic", "typer")
INSTALL = "pip install --force-reinstall panel-review"
EXTRAS = {
    RUNTIME: ("the runtime of the embedded model", INSTALL_RUNTIME),
    "aiohttp": (
        "a transport that is quicker with 64 calls in flight or more",
        "pip install 'panel-review[fast]'",
    ),
}


def this_program(_case: Case) -> Iterator[Observation]:
    """Tell the versions of panel, Python and the system."""
    system = f"{platform.system()} {platform.machine()}"
    yield ok(
        f"panel {__version__} on {platform.python_implementation()} {platform.python_version()}, {system}"
    )


def libraries(_case: Case) -> Iterator[Observation]:
    """Tell the versions of what panel stands on."""
    found = {name: version_of(name) for name in REQUIRED}
    yield ok(", ".join(f"{name} {there}" for name, there in found.items() if there))
    for name, there in found.items():
        if there is None:
            yield problem(f"{name} is not installed", f"run: {INSTALL}")


def extras(_case: Case) -> Iterator[Observation]:
    """Tell which extras there are, and what the others would give."""
    for name, (purpose, command) in EXTRAS.items():
        there = version_of(name)
        if there is None:
            yield note(f"{name} is not installed: {purpose}", f"to have it, run: {command}")
        else:
            yield ok(f"{name} {there}: {purpose}")


def version_of(distribution: str) -> str | None:
    """Return the version of what is installed under a name, or None if nothing is."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
