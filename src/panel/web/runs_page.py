"""The page of batches and other runs, with their progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request  # noqa: TC002 - starlette reads the signature of handlers

from panel.orchestrator.run_status import run_state
from panel.store import RunState
from panel.web.rendering import render
from panel.web.requests import parse_number, services_of

if TYPE_CHECKING:
    from starlette.responses import Response

PAGE = 20
_KINDS = ("batch", "retry", "review", "compare")
_STATES = {
    "making": "being made",
    "working": "running",
    "open": "waiting to be resumed",
    "held": "held by another machine",
}


async def show_runs(request: Request) -> Response:
    """Show the latest runs; with `part`, only their table, which the page polls while a run makes progress."""
    before = parse_number(request.query_params.get("before", ""))
    found = await services_of(request).store.run_stats.summaries(_KINDS, before=before, limit=PAGE + 1)
    runs = found[:PAGE]
    return render(
        request,
        "_runs.html.j2" if "part" in request.query_params else "runs.html.j2",
        runs=runs,
        older=runs[-1].id if len(found) > PAGE else None,
        before=before,
        live=any(run.state is not RunState.DONE and run.at_work is not False for run in runs),
        run_state=run_state,
        states=_STATES,
    )
