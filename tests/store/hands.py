"""Many editors who want the same drafts at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

import builders
from panel.approval.commands import DraftCommand
from panel.core.actor import Actor, Role
from panel.core.draft_state import Action
from panel.errors import GateError
from panel.store import open_store
from panel.store.schema import events
from store.editing import CHECKS, PLAIN, QUIET, approval, do
from store.samples import review

if TYPE_CHECKING:
    from collections.abc import Iterable

    from panel.store import Store

EDITORS = tuple(f"Editor {n}" for n in range(1, 9))


class Told(NamedTuple):
    """What editors were told.

    Attributes:
        wins: approvals that were theirs.
        refusals: those that the rules refused.
        errors: whatever else was raised.
    """

    wins: int
    refusals: int
    errors: tuple[str, ...]


async def opened(store: Store, count: int) -> range:
    """Make drafts that can be approved, and return their numbers."""
    run = await store.runs.create("batch", {})
    kept = [
        review(builders.tool(f"Tool {n}"), builders.take(text=PLAIN), builders.take(80, text=QUIET))
        for n in range(count)
    ]
    versions = await asyncio.gather(*(store.tools.put(one.tool) for one in kept))
    made = await asyncio.gather(
        *(
            store.drafts.put(one, run, version, anew=True, checks=CHECKS)
            for one, version in zip(kept, versions, strict=True)
        )
    )
    await asyncio.gather(*(do(store, draft, Action.OPEN) for draft in made))
    return range(min(made), max(made) + 1)


async def approve_all(where: str, name: str, drafts: Iterable[int]) -> Told:
    """Read and approve drafts in order, as one editor with a store of their own."""
    actor = Actor(name=name, role=Role.EDITOR)
    wins, refusals, errors = 0, 0, []
    async with open_store(where) as store:
        for draft in drafts:
            try:
                view = await approval(store).view(draft)
                await approval(store).execute(
                    draft, DraftCommand(action=Action.APPROVE, actor=actor, seen=view.shown.hash)
                )
                wins += 1
            except GateError:
                refusals += 1
            except Exception as error:  # noqa: BLE001 - any other is what is looked for
                errors.append(repr(error))
    return Told(wins, refusals, tuple(errors))


def in_process(where: str, name: str, drafts: range) -> Told:
    """Do the same in a process of its own."""
    return asyncio.run(approve_all(where, name, drafts))


async def approvals(store: Store) -> tuple[int, int]:
    """Return how many events of approval there are, and of how many drafts."""
    query = select(func.count(), func.count(events.c.draft_id.distinct())).where(
        events.c.kind == Action.APPROVE
    )
    row = await store._db.read(lambda connection: connection.execute(query).one())
    return row[0], row[1]
