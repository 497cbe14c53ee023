"""Whether the embedded model can run here. Where another model is asked, that it cannot is only good to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.core.review import EMBEDDED
from panel.diagnostics import Observation, ok, problem_if
from panel.errors import PanelError
from panel.providers.local.weights import check_weights, find_weights, load_runtime, require_avx2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from panel.diagnostics.case import Case

MEGABYTE = 1_000_000


def weights(case: Case) -> Iterator[Observation]:
    """Read the weights and compare their digest."""
    yield _tried(case, _weights)


def runtime(case: Case) -> Iterator[Observation]:
    """Load the runtime, unless this processor cannot run it."""
    yield _tried(case, _runtime)


def _weights() -> str:
    path = find_weights()
    check_weights(path)
    return f"{path.name}: {path.stat().st_size / MEGABYTE:.0f} MB, whole by its sha256"


def _runtime() -> str:
    find_weights()
    require_avx2()
    load_runtime()
    return "its runtime loads, and the processor and libgomp are as it needs them"


def _tried(case: Case, attempt: Callable[[], str]) -> Observation:
    try:
        return ok(attempt())
    except PanelError as error:
        return problem_if(EMBEDDED in case.asked, str(error))
