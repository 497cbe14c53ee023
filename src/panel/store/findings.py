"""What checks found in a draft: kept with it, and counted for the queue as long as nobody has dealt with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import delete, insert

from panel.checks import Finding, unresolved
from panel.core.review import PanelReview
from panel.store.schema import open_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from panel.core.resolution import Resolution

UNCOUNTED = -1
"""What the column of open findings holds where nothing was checked; an index orders no NULL alike on both databases."""

Checks: TypeAlias = Callable[[PanelReview], tuple[Finding, ...]]
"""What finds in a review, as it is shown, what an editor should look at; pure, and quick, since others wait for it."""


@dataclass(frozen=True)
class Checked:
    """What checks found in a review.

    Attributes:
        findings: all of it; None if nothing was checked.
        missing: those that are neither ticked nor cut.
    """

    findings: tuple[Finding, ...] | None
    missing: tuple[Finding, ...]

    @property
    def columns(self) -> dict[str, Any]:
        """What a draft keeps of it."""
        return {"open_findings": UNCOUNTED if self.findings is None else len(self.missing)}


def checked(review: PanelReview, checks: Checks | None, ticks: Iterable[Resolution] = ()) -> Checked:
    """Return what checks find in a review, and what of it its ticks leave to be dealt with."""
    if checks is None:
        return Checked(None, ())
    findings = checks(review)
    return Checked(findings, unresolved(findings, ticks))


def put_kinds(connection: Connection, draft: int, found: Checked) -> None:
    """Keep of which kinds a draft has findings that are neither ticked nor cut, so that the queue can be filtered by them."""
    connection.execute(delete(open_kinds).where(open_kinds.c.draft_id == draft))
    if kinds := {finding.kind for finding in found.missing}:
        connection.execute(insert(open_kinds), [{"draft_id": draft, "kind": kind} for kind in sorted(kinds)])
