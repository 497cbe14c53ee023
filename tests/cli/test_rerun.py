"""One seat of a draft, asked again with a real store and a server on loopback."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from cli.stage import BROKEN, INVALID, Stage
from panel.approval import ApprovalService, DraftCommand
from panel.cli.users import current_actor
from panel.core.actor import Actor, Role
from panel.core.draft_state import Action
from panel.errors import GateError, RunStopped, SettingsError
from panel.orchestrator.run import RunService
from panel.orchestrator.run_storage import RERUN
from panel.orchestrator.setup import available_personas, review_checks
from panel.orchestrator.store_access import configured_store
from panel.settings.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cli.conftest import Ran
    from panel.approval import DraftView
    from panel.core.take import Seat
    from panel.settings.resolve import Resolved
    from panel.store import DraftRecord, Store

    T = TypeVar("T")

TOOL = Path(__file__).parents[2] / "fixtures" / "tools" / "smollm3.yaml"
KIM = Actor(name="Kim", role=Role.PUBLISHER)


@pytest.fixture
def drafted(panel: Callable[..., Ran], stage: Stage) -> Stage:
    """Draft 1, whose five critics said 71."""
    assert panel("review", TOOL, "--model", "openai:gpt-6.1-terra", "-q").code == 0
    stage.asked.clear()
    stage.score = 55
    return stage


def at(work: Callable[[Store, Resolved], Awaitable[T]], **flags: Any) -> T:
    resolved = resolve(flags, None)

    async def done() -> T:
        async with configured_store(resolved) as store:
            return await work(store, resolved)

    return asyncio.run(done())


def service(store: Store, resolved: Resolved) -> ApprovalService:
    async def ask_seat(record: DraftRecord, persona: str) -> Seat:
        return await RunService(store).rerun(resolved, record, persona)

    return ApprovalService(store, review_checks(available_personas(resolved)), ask_seat)


async def view(store: Store, resolved: Resolved) -> DraftView:
    return await service(store, resolved).view(1)


async def again(store: Store, resolved: Resolved) -> Seat:
    return await RunService(store).rerun(resolved, (await view(store, resolved)).record, "skeptic")


async def replaced(store: Store, resolved: Resolved) -> Seat:
    shown = await view(store, resolved)
    command = DraftCommand(action=Action.RERUN_SEAT, actor=KIM, seen=shown.shown.hash, persona="skeptic")
    seat = (await service(store, resolved).execute(1, command)).shown.review.seat_of("skeptic")
    assert seat
    return seat


def score(seat: Seat) -> int:
    assert seat.take
    return seat.take.score


def test_one_seat_alone_is_asked_again(drafted: Stage) -> None:
    """The critic that is named is asked anew with the model of the draft, and no other; the draft is left alone."""
    assert score(at(again)) == 55
    assert drafted.asked == [("SmolLM3", "skeptic")]
    assert [score(seat) for seat in at(view).shown.review.seats] == [71] * 5


def test_an_answer_that_was_not_put_to_use_is_not_paid_for_again(drafted: Stage) -> None:
    """If the process ends before the draft is changed, the next attempt takes the answer that is there."""
    at(again)
    drafted.score = 12
    assert (score(at(again)), len(drafted.asked)) == (55, 1)


def test_each_replacement_is_a_new_answer(drafted: Stage) -> None:
    """Once a seat was replaced, or that was undone, asking again asks the model again."""
    assert score(at(replaced)) == 55
    drafted.score = 60
    assert score(at(replaced)) == 60

    async def undo(store: Store, resolved: Resolved) -> None:
        shown = await view(store, resolved)
        deed = DraftCommand(action=Action.UNDO, actor=KIM, seen=shown.shown.hash)
        await service(store, resolved).execute(1, deed)

    at(undo)
    drafted.score = 65
    assert (score(at(again)), len(drafted.asked)) == (65, 3)


@pytest.mark.parametrize(("part", "words"), [(INVALID, "invalid"), (BROKEN, "provider error")])
def test_a_good_take_is_not_replaced_by_a_failure(drafted: Stage, part: str, words: str) -> None:
    """An answer that cannot be used, or none, is told in one line, and the take that is there stays."""
    drafted.parts = {"skeptic": part}
    with pytest.raises(
        RunStopped, match=rf"Skeptic: {words}: .* The draft stays as it is; ask again later\."
    ):
        at(again)
    assert [score(seat) for seat in at(view).shown.review.seats] == [71] * 5


def test_a_seat_that_is_not_there_is_refused(drafted: Stage) -> None:

    async def other(store: Store, resolved: Resolved) -> Seat:
        return await RunService(store).rerun(resolved, (await view(store, resolved)).record, "poet")

    with pytest.raises(GateError, match="poet has no seat in draft 1"):
        at(other)
    assert drafted.asked == []


def test_an_asking_is_a_run_of_its_own_that_batches_do_not_list(
    drafted: Stage, panel: Callable[..., Ran]
) -> None:

    async def latest(store: Store, _resolved: Resolved) -> dict[str, Any]:
        run = (await store.run_stats.summaries(limit=1))[0]
        return {"kind": run.kind, **{name: run.settings[name] for name in ("draft", "persona")}}

    at(again)
    assert drafted.asked
    assert at(latest) == {"kind": RERUN, "draft": 1, "persona": "skeptic"}
    assert "rerun" not in panel("batch", "list").out


def test_whoever_works_with_drafts_says_who_they_are(drafted: Stage) -> None:
    """Without a name nobody works with drafts; with one, and without accounts, they may do everything."""
    assert drafted
    with pytest.raises(SettingsError, match="PANEL_EDITOR"):
        at(lambda store, resolved: current_actor(resolved, store))
    assert at(lambda store, resolved: current_actor(resolved, store), editor=" Kim ") == KIM


def test_accounts_decide_who_may_do_what(drafted: Stage) -> None:
    """Once there are accounts, the name must be one of them that may be used, and its role is theirs."""
    assert drafted
    ada = Actor(name="Ada", role=Role.DRAFTER)
    at(lambda store, _resolved: store.users.add(ada, "hash"))
    with pytest.raises(GateError, match="Kim: there is no account"):
        at(lambda store, resolved: current_actor(resolved, store), editor="Kim")
    assert at(lambda store, resolved: current_actor(resolved, store), editor="ada") == ada
    at(lambda store, _resolved: store.users.disable("Ada"))
    with pytest.raises(GateError, match="Ada: the account was disabled"):
        at(lambda store, resolved: current_actor(resolved, store), editor="Ada")
