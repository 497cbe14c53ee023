"""Batches and other runs, with how far they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request  # noqa: TC002 - starlette looks at what handlers take

from panel.core.money import dollars
from panel.store import RunState
from panel.web import wording
from panel.web.numbers import number
from panel.web.render import render
from panel.web.services import services_of

if TYPE_CHECKING:
    from starlette.responses import Response

    from panel.store import RunSummary

KINDS = ("batch", "retry", "review", "compare")
PAGE = 20
_MOVING = frozenset({RunState.MAKING, RunState.OPEN, RunState.STOPPED})


async def runs(request: Request) -> Response:
    """Answer with the latest runs; with `part`, only with their table, which a page asks for while one of them moves."""
    last = number(request.query_params.get("before", ""))
    lines = await services_of(request).store.run_stats.summaries(KINDS, before=last, limit=PAGE + 1)
    return render(
        request,
        "_runs.html.j2" if "part" in request.query_params else "runs.html.j2",
        lines=lines[:PAGE],
        older=lines[PAGE - 1].id if len(lines) > PAGE else None,
        before=last,
        live=any(map(_moves, lines[:PAGE])),
        cost=_cost,
        wording=wording,
    )


def _moves(line: RunSummary) -> bool:
    """Whether its figures may change any moment."""
    return line.state in _MOVING and line.at_work is not False


def _cost(line: RunSummary) -> str:
    """Return what a run has cost, as far as prices are known."""
    if 0 < line.answers == line.unpriced:
        return "not known"
    return f"{dollars(line.cost_usd)}{' or more' if line.unpriced else ''}"
