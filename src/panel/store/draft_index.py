"""Copies by which drafts are listed, filtered and counted, derived from the review that is shown and from the panel's own.

A transaction that changes a draft writes them anew; `check` compares them with their sources.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import delete, insert

from panel.checks import Finding, unresolved
from panel.core.review import PanelReview
from panel.core.take import NoTake, Seat
from panel.store.schema import open_kinds, takes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from panel.core.finding import Resolution

UNCHECKED = -1
"""`open_findings` of a draft that was not checked; the two databases order NULL differently in an index."""

Checks: TypeAlias = Callable[[PanelReview], tuple[Finding, ...]]
"""Finds in a review, as it is shown, what an editor should look at; must be pure and quick, because other writes wait for it."""


@dataclass(frozen=True)
class CheckResult:
    """Findings in a review, None if it was not checked, and those of them that are unresolved."""

    findings: tuple[Finding, ...] | None
    unresolved: tuple[Finding, ...]


def run_checks(
    review: PanelReview, checks: Checks | None, resolutions: Iterable[Resolution] = ()
) -> CheckResult:
    """Return the findings in a review, and those that the resolutions leave unresolved."""
    if checks is None:
        return CheckResult(None, ())
    findings = checks(review)
    return CheckResult(findings, unresolved(findings, resolutions))


def review_columns(review: PanelReview) -> dict[str, Any]:
    """Return the columns of a draft that are derived from the review that is shown."""
    tally = review.tally
    return {
        "category": review.tool.category,
        "ships": tally.ships,
        "skips": tally.skips,
        "margin": abs(tally.ships - tally.skips),
        "cost_usd": review.usage.cost_usd,
    }


def index_columns(review: PanelReview, result: CheckResult) -> dict[str, Any]:
    """Return all derived columns of a draft."""
    count = UNCHECKED if result.findings is None else len(result.unresolved)
    return {**review_columns(review), "open_findings": count}


def write_open_kinds(connection: Connection, draft: int, result: CheckResult) -> None:
    """Write the kinds of a draft's unresolved findings."""
    connection.execute(delete(open_kinds).where(open_kinds.c.draft_id == draft))
    if kinds := {finding.kind for finding in result.unresolved}:
        connection.execute(insert(open_kinds), [{"draft_id": draft, "kind": kind} for kind in sorted(kinds)])


def write_takes(connection: Connection, draft: int, review: PanelReview) -> None:
    """Write a row for each seat of the panel's own review."""
    connection.execute(delete(takes).where(takes.c.draft_id == draft))
    connection.execute(insert(takes), [_take_row(draft, n, seat) for n, seat in enumerate(review.seats)])


def _take_row(draft: int, position: int, seat: Seat) -> dict[str, Any]:
    outcome = seat.outcome
    return {
        "draft_id": draft,
        "persona": seat.persona,
        "position": position,
        "verdict": seat.take.verdict if seat.take else None,
        "reason": outcome.reason if isinstance(outcome, NoTake) else None,
        "model": seat.provenance and seat.provenance.config.model,
        "prompt_digest": seat.provenance and seat.provenance.prompt_digest,
    }
