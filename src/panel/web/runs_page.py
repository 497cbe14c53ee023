"""The page of batches and other runs, with their progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers

from panel.core.text import dollars
from panel.store import RunState
from panel.web import wording
from panel.web.forms import parse_number
from panel.web.rendering import render
from panel.web.services import services_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from panel.store import RunSummary

PAGE = 20
_KINDS = ("batch", "retry", "review", "compare")
_ACTIVE = frozenset({RunState.MAKING, RunState.OPEN, RunState.STOPPED})


async def show_runs(request: Request) -> Response:
    """Show the latest runs; with `part`, only their table, which the page polls while a run makes progress."""
    before = parse_number(request.query_params.get("before", ""))
    lines = await services_of(request).store.run_stats.summaries(_KINDS, before=before, limit=PAGE + 1)
    shown = lines[:PAGE]
    return render(
        request,
        "_runs.html.j2" if "part" in request.query_params else "runs.html.j2",
        lines=shown,
        older=shown[-1].id if len(lines) > PAGE else None,
        before=before,
        live=any(line.state in _ACTIVE and line.at_work is not False for line in shown),
        cost=_cost,
        wording=wording,
    )


def _cost(line: RunSummary) -> str:
    if 0 < line.answers == line.unpriced:
        return "not known"
    return f"{dollars(line.cost_usd)}{' or more' if line.unpriced else ''}"
