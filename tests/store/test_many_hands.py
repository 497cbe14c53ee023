"""Many editors who want the same drafts at once; `bench/concurrent_approvals.py` does the same with 400 drafts."""

from __future__ import annotations

import asyncio
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pytest

from panel.approval import DraftView, StaleDraft
from panel.approval.commands import DraftCommand
from panel.core.actor import Actor, Role
from panel.core.draft_edits import TextChange
from panel.core.draft_state import Action, State
from panel.store import open_store
from store.editing import approval, drafted
from store.hands import EDITORS, approvals, approve_all, in_process, opened
from store.samples import events_of

if TYPE_CHECKING:
    from panel.store import Store
    from store.hands import Told

pytestmark = pytest.mark.anyio

DRAFTS = 20
PROCESSES = 3


async def _every_draft_was_approved_once(store: Store, told: list[Told]) -> None:
    assert [error for one in told for error in one.errors] == []
    assert sum(one.wins for one in told) == DRAFTS
    assert sum(one.refusals for one in told) == DRAFTS * (len(told) - 1)
    assert await approvals(store) == (DRAFTS, DRAFTS)
    counts = await store.queue.counts()
    assert (counts[State.APPROVED], sum(counts.values())) == (DRAFTS, DRAFTS)
    assert await store.check() == []


async def test_each_draft_is_approved_by_one_editor(where: str, store: Store) -> None:
    drafts = await opened(store, DRAFTS)
    told = await asyncio.gather(*(approve_all(where, name, drafts) for name in EDITORS))
    await _every_draft_was_approved_once(store, told)


async def test_editors_in_processes_of_their_own(where: str, store: Store) -> None:
    drafts = await opened(store, DRAFTS)
    loop, several = asyncio.get_running_loop(), get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=several) as pool:
        asked = [loop.run_in_executor(pool, in_process, where, name, drafts) for name in EDITORS[:PROCESSES]]
        told = await asyncio.gather(*asked)
    await _every_draft_was_approved_once(store, told)


async def test_one_edit_is_kept_and_no_text_is_lost(where: str, store: Store) -> None:
    """Of eight editors who rewrite the same take, one is heard, and each other gets back what they wrote."""
    draft = await drafted(store)
    seen = (await approval(store).view(draft)).shown.hash

    async def rewrite(name: str) -> DraftView:
        text = f"{name} says of it that it reads log files, which is all that its listing says as well."
        change = TextChange(persona="builder", value=text)
        actor = Actor(name=name, role=Role.EDITOR)
        async with open_store(where) as own:
            return await approval(own).execute(
                draft, DraftCommand(action=Action.EDIT, actor=actor, seen=seen, changes=(change,))
            )

    told = await asyncio.gather(*(rewrite(name) for name in EDITORS), return_exceptions=True)
    lost = {name: one for name, one in zip(EDITORS, told, strict=True) if isinstance(one, StaleDraft)}
    (edit,) = (await approval(store).view(draft)).current.edits
    assert {*EDITORS} - {*lost} == {edit.author}
    assert all(one.written.startswith(f"builder, take: {name} says of it") for name, one in lost.items())
    assert [event.kind for event in await events_of(store, draft)] == ["drafted", "edit"]
