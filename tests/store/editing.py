"""Editors at work on a store: small steps that the tests of approval share."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import builders
from panel.approval import ApprovalService, DraftCommand, NumberedFinding
from panel.checks import check_review
from panel.core.actor import Actor, Role
from panel.core.draft_edits import TextChange
from panel.core.draft_state import Action
from panel.core.finding import Resolution, ResolutionKind
from store.samples import review

if TYPE_CHECKING:
    from panel.checks import Finding
    from panel.core.draft_state import DraftState
    from panel.core.review import PanelReview
    from panel.core.take import Seat
    from panel.core.tool import Tool
    from panel.store import DraftRecord, Store

KIM = Actor(name="Kim", role=Role.PUBLISHER)
ADA = Actor(name="Ada", role=Role.EDITOR)
LEE = Actor(name="Lee", role=Role.DRAFTER)

CHECKS = partial(check_review, never_says={})
REASON = "It says more than the listing."

PLAIN = (
    "It reads log files and says where they stop; that is a job which somebody has every week of the year."
)
OTHER = "It reads log files, which is a smaller job than its name says, and it does that job without a fuss."
QUIET = (
    "Whoever keeps logs has scripts that read them; what is new here is that somebody else maintains those."
)
PRICED = "It costs $9 a month to read log files, which is a fair price for a job that comes back every week."
STERN = (
    "A script of ten lines does the same, and nobody needs to learn another name for it before the next fire."
)
TESTED = "I tested it on the log files of a week, and it read them all without a fuss, which few others do."


def priced(of: Tool | None = None) -> PanelReview:
    """Return a review in which the builder names a price that is not in the listing."""
    return review(of, builders.take(70, text=PRICED), builders.take(80, text=QUIET), builders.no_take())


async def drafted(store: Store, kept: PanelReview | None = None, run: int | None = None) -> int:
    """Keep a review as a draft of a new run, unless one is given."""
    kept = kept or review()
    run = await store.runs.create("review", {}) if run is None else run
    version = await store.tools.put(kept.tool)
    return await store.drafts.put(kept, run, version, anew=True, checks=CHECKS)


def approval(store: Store, seat: Seat | None = None) -> ApprovalService:
    """Return the approval service, where a seat that is asked again answers with the one given."""

    async def ask_seat(_record: DraftRecord, _persona: str) -> Seat:
        assert seat
        return seat

    return ApprovalService(store, CHECKS, ask_seat)


async def do(store: Store, draft: int, action: Action | str, actor: Actor = KIM, **parts: Any) -> DraftState:
    """Read a draft, take an action, and return the state after it."""
    parts = {**needed(action), **parts}
    service = approval(store, parts.pop("seat", None))
    seen = (await service.view(draft)).shown.hash
    command = DraftCommand(action=Action(action), actor=actor, seen=seen, **parts)
    return (await service.execute(draft, command)).current


def needed(action: Action | str) -> dict[str, Any]:
    """Return what an action cannot be done without."""
    known: dict[str, dict[str, Any]] = {
        "edit": {"changes": (TextChange(persona="builder", value=OTHER),)},
        "rerun_seat": {
            "persona": "skeptic",
            "seat": builders.seat("skeptic", builders.take(20, "skip", STERN)),
        },
        "tick": {"resolution": Resolution(finding="0" * 64, kind=ResolutionKind.OPINION)},
    }
    reasoned = Action(action).needs_reason
    return {**known.get(action, {}), **({"reason": REASON} if reasoned else {})}


def opinion(found: Finding | NumberedFinding) -> Resolution:
    """Return the resolution of a finding as an opinion."""
    finding = found.finding if isinstance(found, NumberedFinding) else found
    return Resolution(finding=finding.id, kind=ResolutionKind.OPINION)


async def resolve_all(store: Store, draft: int, actor: Actor = KIM) -> None:
    """Tick all that stands in the way of approval as an opinion."""
    for each in (await approval(store).view(draft)).unresolved:
        await do(store, draft, Action.RESOLVE, actor, resolution=opinion(each))


async def brought(store: Store, draft: int, *actions: str) -> DraftState:
    """Do several things with a draft, and return where it stands."""
    for action in actions:
        await do(store, draft, action)
    return (await approval(store).view(draft)).current
