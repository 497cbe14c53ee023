"""Editors at work on a store: small steps that the tests of approval share."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import builders
from panel.checks import check_review
from panel.core.draft_changes import TextChange
from panel.core.draft_command import DraftCommand
from panel.core.draft_rules import Action, Actor, Role
from panel.core.resolution import Resolution, ResolutionKind
from store.samples import review

if TYPE_CHECKING:
    from panel.checks import Finding
    from panel.core.draft_state import DraftState
    from panel.core.review import PanelReview
    from panel.core.tool import Tool
    from panel.store import Store

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


async def do(store: Store, draft: int, action: Action | str, actor: Actor = KIM, **parts: Any) -> DraftState:
    """Look at a draft, and do something with it."""
    view = await store.approval.view(draft, CHECKS)
    deed = DraftCommand(
        action=Action(action), actor=actor, seen=view.shown.hash, **{**needed(action), **parts}
    )
    return await store.approval.act(draft, deed, CHECKS)


def needed(action: Action | str) -> dict[str, Any]:
    """Return what an action cannot be done without."""
    known: dict[str, dict[str, Any]] = {
        "edit": {"changes": (TextChange(persona="builder", value=OTHER),)},
        "rerun_seat": {"seat": builders.seat("skeptic", builders.take(20, "skip", STERN))},
        "tick": {"tick": Resolution(finding="0" * 64, kind=ResolutionKind.OPINION)},
    }
    reasoned = Action(action).needs_reason
    return {**known.get(action, {}), **({"reason": REASON} if reasoned else {})}


def opinion(finding: Finding) -> Resolution:
    """Return somebody's word that a finding is an opinion."""
    return Resolution(finding=finding.id, kind=ResolutionKind.OPINION)


async def tick_all(store: Store, draft: int, actor: Actor = KIM) -> None:
    """Tick all that stands in the way of approval as an opinion."""
    for finding in (await store.approval.view(draft, CHECKS)).missing:
        await do(store, draft, Action.TICK, actor, tick=opinion(finding))


async def brought(store: Store, draft: int, *actions: str) -> DraftState:
    """Do several things with a draft, and return where it stands."""
    for action in actions:
        await do(store, draft, action)
    return (await store.approval.view(draft, CHECKS)).standing
