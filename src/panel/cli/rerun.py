"""One seat of a draft asked again: by the same model, in the same way, and paid for once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.cli.ledger import StoredRun, leased
from panel.cli.progress import Silence
from panel.core.draft_rules import Action
from panel.errors import GateError, RunStopped
from panel.orchestrator.run_settings import settings_of
from panel.orchestrator.seating import Terms, seated
from panel.orchestrator.setup import available_personas, build_setup
from panel.providers.base import StopSignal
from panel.settings.model import Settings
from panel.settings.resolve import Resolved

if TYPE_CHECKING:
    from panel.core.persona import Persona
    from panel.core.take import Seat
    from panel.core.tool import Tool
    from panel.orchestrator.setup import PanelSetup
    from panel.store import DraftView, Store

KIND = "rerun"


async def rerun(resolved: Resolved, store: Store, view: DraftView, persona: str) -> Seat:
    """Ask one persona of a draft again, and return its seat; nothing of the draft is changed.

    The answer is kept before this returns. If it was not put into the draft, because the process ended or the draft had changed, the
    next call for the same draft as it was then returns that answer and pays for nothing.

    Args:
        resolved: the settings in force; what the draft was asked with is its run's.
        store: where the answer is kept.
        view: the draft.
        persona: whose seat.

    Raises:
        GateError: the draft has no such seat.
        RunStopped: it was not answered, or in a way that cannot be used; the message says why.
        PanelError: a model, a persona or a template cannot be used any more.
    """
    from panel.store import RunState

    if view.shown.review.seat_of(persona) is None:
        raise GateError(f"{persona} has no seat in draft {view.id}")
    asked = await _as_asked(resolved, store, view.id)
    seated_cast = build_setup(asked, available_personas(asked))
    run = await _run(store, view, persona, settings_of(asked, seated_cast))
    halt = StopSignal()
    async with leased(store, run, halt):
        seat = await _ask(asked, seated_cast, StoredRun(store, run, fresh=True), halt, view, persona)
    await store.runs.set_state(run, RunState.STOPPED if halt.reason else RunState.DONE)
    if halt.storage_error is not None:
        raise halt.storage_error
    if seat.failure is not None:
        raise RunStopped(
            f"{seat.name}: {seat.failure.reason.label}: {seat.failure.detail} The draft stays as it is; ask again later."
        )
    return seat


async def _as_asked(resolved: Resolved, store: Store, draft: int) -> Resolved:
    """Return the settings that a draft's panel was asked with, with what is the user's own as it is now."""
    run = await store.runs.get((await store.drafts.get(draft)).run)
    then = {**run.settings.get("settings", {}), "record": None, "budget": None}
    settings = Settings.model_validate({**resolved.settings.model_dump(mode="json"), **then})
    return Resolved(settings, {**resolved.sources, **dict.fromkeys(then, f"run {run.id}")})


async def _run(store: Store, view: DraftView, persona: str, settings: dict[str, object]) -> int:
    """Return the run of this asking, which an earlier attempt may have begun."""
    replaced = sum(event.kind in {Action.RERUN_SEAT, Action.UNDO} for event in view.history)
    of = {"draft": view.id, "persona": persona, "shown": view.shown.hash, "replaced": replaced}
    begun = await store.runs.find(KIND, {**settings, **of})
    return begun if begun is not None else await store.runs.create(KIND, {**settings, **of})


async def _ask(
    resolved: Resolved, cast_: PanelSetup, journal: StoredRun, halt: StopSignal, view: DraftView, persona: str
) -> Seat:
    def settled(_tool: Tool, critic: Persona) -> Seat | None:
        return None if critic.id == persona else view.shown.original.seat_of(critic.id)

    terms = Terms(halt, journal)
    async with seated(resolved, cast_, Silence(), terms, settled) as panel:
        review = await panel.review(view.shown.review.tool)
    seat = review.seat_of(persona)
    if seat is None:
        raise GateError(f"{persona} is not among the personas that the draft's run was begun with")
    return seat
