"""What people do with drafts, on both kinds of database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

import builders
from panel.approval import ApprovalService, StaleDraft
from panel.approval.commands import DraftCommand
from panel.checks import blocks
from panel.core.actor import Actor, Role
from panel.core.draft_edits import FactsChange, ScoreChange, TextChange
from panel.core.draft_state import Action, State
from panel.core.finding import Resolution, ResolutionKind
from panel.core.tool import Fact
from panel.errors import GateError, NotFound, StorageError
from panel.store.schema import drafts, takes
from store.editing import (
    ADA,
    CHECKS,
    KIM,
    LEE,
    OTHER,
    PLAIN,
    PRICED,
    QUIET,
    REASON,
    TESTED,
    approval,
    brought,
    do,
    drafted,
    needed,
    opinion,
    priced,
    resolve_all,
)
from store.samples import events_of, publication_of, review

if TYPE_CHECKING:
    from panel.core.review import PanelReview
    from panel.core.take import Seat
    from panel.store import DraftRecord, Store

pytestmark = pytest.mark.anyio

PATHS = {
    State.DRAFTED: (),
    State.IN_REVIEW: ("open",),
    State.CHANGES_REQUESTED: ("open", "request_changes"),
    State.APPROVED: ("open", "approve"),
    State.PUBLISHED: ("open", "approve", "publish"),
    State.REJECTED: ("open", "reject"),
    State.RETRACTED: ("open", "approve", "publish", "retract"),
}
EVERYBODY, EDITORS, PUBLISHERS = "drafter editor publisher", "editor publisher", "publisher"
# By state and action: who may, and what follows. What is not here is refused.
TABLE = {
    ("drafted", "open"): (EVERYBODY, "in_review"),
    ("drafted", "edit"): (EVERYBODY, "in_review"),
    ("drafted", "tick"): (EVERYBODY, "in_review"),
    ("drafted", "rerun_seat"): (EVERYBODY, "in_review"),
    ("drafted", "request_changes"): (EDITORS, "changes_requested"),
    ("drafted", "reject"): (EDITORS, "rejected"),
    ("in_review", "edit"): (EVERYBODY, "in_review"),
    ("in_review", "tick"): (EVERYBODY, "in_review"),
    ("in_review", "rerun_seat"): (EVERYBODY, "in_review"),
    ("in_review", "approve"): (EDITORS, "approved"),
    ("in_review", "request_changes"): (EDITORS, "changes_requested"),
    ("in_review", "reject"): (EDITORS, "rejected"),
    ("changes_requested", "open"): (EVERYBODY, "in_review"),
    ("changes_requested", "edit"): (EVERYBODY, "in_review"),
    ("changes_requested", "tick"): (EVERYBODY, "in_review"),
    ("changes_requested", "rerun_seat"): (EVERYBODY, "in_review"),
    ("changes_requested", "reject"): (EDITORS, "rejected"),
    ("changes_requested", "undo"): (EDITORS, "in_review"),
    ("approved", "edit"): (EVERYBODY, "in_review"),
    ("approved", "rerun_seat"): (EVERYBODY, "in_review"),
    ("approved", "request_changes"): (EDITORS, "changes_requested"),
    ("approved", "reject"): (EDITORS, "rejected"),
    ("approved", "publish"): (PUBLISHERS, "published"),
    ("approved", "undo"): (EDITORS, "in_review"),
    ("published", "edit"): (EVERYBODY, "in_review"),
    ("published", "rerun_seat"): (EVERYBODY, "in_review"),
    ("published", "retract"): (PUBLISHERS, "retracted"),
    ("rejected", "open"): (EVERYBODY, "in_review"),
    ("rejected", "undo"): (EDITORS, "in_review"),
    ("retracted", "open"): (EVERYBODY, "in_review"),
}
FAILED = builders.no_take("timed_out", "No answer within 120 s.")


def _sound(text: str = PLAIN) -> PanelReview:
    """Return a review in which there is nothing to find, unless the builder's text has it."""
    return review(None, builders.take(70, text=text), builders.take(80, text=QUIET), builders.no_take())


async def _ready(store: Store, state: State, name: str = "Lantern") -> tuple[int, Resolution]:
    """Return a draft in a state, and the resolution of its one finding."""
    draft = await drafted(store, priced(builders.tool(name)))
    view = await approval(store).view(draft)
    (finding,) = view.findings
    if "approve" in PATHS[state]:
        await resolve_all(store, draft)
        await brought(store, draft, *PATHS[state][1:])
    else:
        await brought(store, draft, *PATHS[state])
    return draft, opinion(finding)


@pytest.mark.parametrize("state", State)
async def test_each_action_follows_the_table_or_is_refused_without_a_trace(
    store: Store, state: State
) -> None:
    draft, tick = await _ready(store, state, "Tool 0")
    fresh = 0
    for action in sorted(set(Action) - {Action.TAKE_OVER}):
        roles, follows = TABLE.get((state, action), ("", ""))
        for role in Role:
            actor, parts = (
                Actor(name="Ada", role=role),
                {"resolution": tick} if action is Action.RESOLVE else {},
            )
            if role in roles.split() and (state, action) != ("in_review", "approve"):
                assert (await do(store, draft, action, actor, **parts)).state == follows
                fresh += 1
                draft, tick = await _ready(store, state, f"Tool {fresh}")
                continue
            before = await approval(store).view(draft)
            with pytest.raises(GateError):
                await do(store, draft, action, actor, **parts)
            assert await approval(store).view(draft) == before


@pytest.mark.parametrize(("role", "may"), [("drafter", False), ("editor", True), ("publisher", True)])
async def test_editors_and_publishers_approve(store: Store, role: str, *, may: bool) -> None:
    draft, _ = await _ready(store, State.IN_REVIEW)
    await resolve_all(store, draft, LEE)
    actor = Actor(name="Ada", role=Role(role))
    if may:
        state = await do(store, draft, "approve", actor)
        assert state.approval is not None
        assert (state.state, state.approval.by) == ("approved", "Ada")
    else:
        with pytest.raises(GateError, match="waits for an editor or a publisher; a drafter may not approve"):
            await do(store, draft, "approve", actor)


async def test_an_approval_holds_the_hash_of_the_shown_version(store: Store) -> None:
    draft = await drafted(store, _sound())
    await do(store, draft, "edit", LEE)
    state = await do(store, draft, "approve", ADA)
    view = await approval(store).view(draft)
    assert state.approval is not None
    assert state.approval.hash == view.shown.hash == view.history[-1].hash_after
    assert (view.history[-1].actor, view.history[-1].payload["role"]) == ("Ada", "editor")
    assert (await store.drafts.get(draft)).shown == view.shown.hash


@pytest.mark.parametrize("action", sorted(set(Action) - {Action.TAKE_OVER}))
async def test_a_command_that_is_sent_twice_is_carried_out_once(store: Store, action: Action) -> None:
    before = {
        Action.OPEN: ("reject",),
        Action.PUBLISH: ("approve",),
        Action.RETRACT: ("approve", "publish"),
        Action.UNDO: ("approve",),
    }
    draft = await drafted(store, priced() if action is Action.RESOLVE else _sound())
    await brought(store, draft, *before.get(action, ()))
    view = await approval(store).view(draft)
    parts = needed(action)
    service = approval(store, parts.pop("seat", None))
    if action is Action.RESOLVE:
        parts["resolution"] = opinion(view.unresolved[0])
    if action is Action.UNDO:
        parts["undoes"] = len(view.history) - 1
    command = DraftCommand(action=action, actor=KIM, seen=view.shown.hash, **parts)
    done = await service.execute(draft, command)
    assert done.history[-1].kind == action
    assert await service.execute(draft, command) == done
    assert (await events_of(store, draft))[-1] == done.history[-1]


@pytest.mark.parametrize("change", ["edit", "rerun_seat"])
async def test_a_change_after_approval_returns_the_draft_to_review(store: Store, change: str) -> None:
    draft = await drafted(store, _sound())
    await brought(store, draft, "open", "approve")
    state = await do(store, draft, change, LEE)
    assert (state.state, state.approval) == ("in_review", None)
    with pytest.raises(GateError, match="is in review; approve it first"):
        await do(store, draft, "publish")


async def test_a_page_stays_while_its_draft_is_corrected(store: Store) -> None:
    draft = await drafted(store, _sound())
    assert await publication_of(store, draft) is None
    await do(store, draft, "open")
    await do(store, draft, "approve", ADA)
    await do(store, draft, "publish")
    first = await publication_of(store, draft)
    assert first is not None
    assert (first.approved_by, first.shown.review) == ("Ada", _sound())
    for action in ("edit", "rerun_seat", "request_changes", "open"):
        await do(store, draft, action)
        assert await publication_of(store, draft) == first
        assert await store.publications.live() == [first]
    await do(store, draft, "approve")
    await do(store, draft, "publish")
    second = await publication_of(store, draft)
    assert second is not None
    assert (second.approved_by, second.shown) == ("Kim", (await approval(store).view(draft)).shown)
    await do(store, draft, "retract")
    assert (await publication_of(store, draft), await store.publications.live()) == (None, [])


async def test_live_versions_are_listed_page_by_page(store: Store) -> None:
    made = [await drafted(store, _sound()) for _ in range(4)]
    for draft in made[1:]:
        await brought(store, draft, "open", "approve", "publish")
    first = await store.publications.live(limit=2)
    rest = await store.publications.live(after=first[-1].draft, limit=2)
    assert [page.draft for page in [*first, *rest]] == made[1:]


async def test_a_stale_command_gives_back_the_texts_of_its_author(store: Store) -> None:
    draft = await drafted(store, _sound())
    seen = (await approval(store).view(draft)).shown.hash
    await do(store, draft, "edit", ADA)
    mine = TextChange(persona="builder", value=PRICED)
    command = DraftCommand(action=Action.EDIT, actor=KIM, seen=seen, changes=(mine,), reason="It costs that.")
    before = await approval(store).view(draft)
    with pytest.raises(
        StaleDraft, match=f"draft {draft} was changed by Ada at .* UTC, after it was shown"
    ) as lost:
        await approval(store).execute(draft, command)
    assert lost.value.written == f"builder, take: {PRICED}\nreason: It costs that."
    assert lost.value.written in str(lost.value)
    assert lost.value.shown == before.shown.hash
    assert await approval(store).view(draft) == before


async def test_texts_are_given_back_after_a_take_over(store: Store) -> None:
    draft = await drafted(store, _sound())
    seen = (await approval(store).view(draft)).shown.hash
    await store.locks.lock(draft, KIM)
    await store.locks.take_over(draft, ADA)
    await do(store, draft, "edit", ADA)
    mine = TextChange(persona="builder", value=PRICED)
    with pytest.raises(StaleDraft) as lost:
        await approval(store).execute(
            draft, DraftCommand(action=Action.EDIT, actor=KIM, seen=seen, changes=(mine,))
        )
    assert PRICED in lost.value.written


@pytest.mark.parametrize("action", ["approve", "request_changes", "reject", "tick", "rerun_seat", "undo"])
async def test_every_action_on_an_earlier_version_is_refused(store: Store, action: str) -> None:
    draft = await drafted(store, _sound())
    seen = (await approval(store).view(draft)).shown.hash
    await do(store, draft, "edit", ADA)
    parts = {name: part for name, part in needed(action).items() if name != "seat"}
    command = DraftCommand(action=Action(action), actor=KIM, seen=seen, **parts)
    with pytest.raises(StaleDraft) as lost:
        await approval(store).execute(draft, command)
    assert lost.value.written == (f"reason: {REASON}" if command.reason else "")
    assert (await events_of(store, draft))[-1].actor == "Ada"


@pytest.mark.parametrize("action", ["edit", "tick", "rerun_seat", "approve", "request_changes", "reject"])
async def test_an_undo_restores_the_draft_and_its_rows(store: Store, action: str) -> None:
    draft = await drafted(store, _sound() if action != "tick" else priced())
    await brought(store, draft, "open", *(["edit"] if action != "tick" else []))
    before, kept = await approval(store).view(draft), await _kept(store, draft)
    parts: dict[str, dict[str, Any]] = {
        "tick": {"resolution": opinion(before.findings[-1]) if before.findings else None},
        "edit": {"changes": (ScoreChange(persona="builder", value=60),)},
    }
    done = await do(store, draft, action, KIM, **parts.get(action, {}))
    assert done != before.current
    undone = await do(store, draft, "undo")
    after = await approval(store).view(draft)
    assert undone == before.current
    assert (after.shown, after.current, after.findings) == (before.shown, before.current, before.findings)
    assert await _kept(store, draft) == kept
    assert [event.kind for event in after.history[-2:]] == [action, "undo"]
    assert after.history[-1].payload["undone"] == after.history[-2].id
    assert await store.check() == []


async def _kept(store: Store, draft: int) -> list[tuple[object, ...]]:
    """Return what the tables hold of a draft, but for when it was last touched."""
    columns = [column for column in drafts.c if column.name != "updated_at"]
    one = select(*columns).where(drafts.c.id == draft)
    seats = select(takes).where(takes.c.draft_id == draft).order_by(takes.c.position)
    return await store._db.read(
        lambda connection: [tuple(row) for query in (one, seats) for row in connection.execute(query)]
    )


async def test_a_replaced_take_is_kept_and_can_be_restored(store: Store) -> None:
    draft = await drafted(store, _sound())
    mine = TextChange(persona="skeptic", value=OTHER)
    await do(store, draft, "edit", ADA, changes=(mine, ScoreChange(persona="builder", value=60)))
    before = await approval(store).view(draft)
    again = await do(store, draft, "rerun_seat", LEE)
    assert [edit.persona for edit in again.edits] == ["builder"]
    view = await approval(store).view(draft)
    assert view.shown.review.seat_of("skeptic") == needed("rerun_seat")["seat"]
    assert view.history[-1].payload["review"] == _sound().model_dump(mode="json")
    await do(store, draft, "undo", LEE)
    after = await approval(store).view(draft)
    assert (after.shown, after.current) == (before.shown, before.current)
    assert after.history[-1].payload["review"]["seats"][1] == needed("rerun_seat")["seat"].model_dump(
        mode="json"
    )


async def test_an_answer_is_refused_if_the_draft_changed_meanwhile(store: Store) -> None:
    draft = await drafted(store, _sound())
    seen = (await approval(store).view(draft)).shown.hash

    async def ask_seat(_record: DraftRecord, _persona: str) -> Seat:
        await do(store, draft, "edit", ADA)
        seat: Seat = needed("rerun_seat")["seat"]
        return seat

    command = DraftCommand(action=Action.RERUN_SEAT, actor=KIM, seen=seen, persona="skeptic")
    with pytest.raises(StaleDraft, match="was changed by Ada"):
        await ApprovalService(store, CHECKS, ask_seat).execute(draft, command)
    assert [event.kind for event in await events_of(store, draft)] == ["drafted", "edit"]


async def test_a_persona_without_a_seat_is_refused(store: Store) -> None:
    draft = await drafted(store, _sound())
    with pytest.raises(GateError, match=f"creator has no seat in draft {draft}"):
        await do(store, draft, "rerun_seat", persona="creator")


async def test_undo_goes_back_step_by_step_and_is_never_undone(store: Store) -> None:
    draft = await drafted(store, _sound())
    made = await approval(store).view(draft)
    await brought(store, draft, "edit", "approve", "undo", "undo")
    assert (await approval(store).view(draft)).shown == made.shown
    with pytest.raises(GateError, match="has nothing that can be undone"):
        await do(store, draft, "undo")


async def test_a_publication_is_not_undone(store: Store) -> None:
    draft = await drafted(store, _sound())
    published = await brought(store, draft, "edit", "approve", "publish")
    with pytest.raises(GateError, match="readers have seen it; retract it instead"):
        await do(store, draft, "undo")
    await do(store, draft, "rerun_seat")
    assert await do(store, draft, "undo") == published
    await do(store, draft, "retract")
    with pytest.raises(GateError, match="readers have seen that; reopen it instead"):
        await do(store, draft, "undo")


async def test_a_drafter_cannot_undo_a_decision(store: Store) -> None:
    draft = await drafted(store, _sound())
    await brought(store, draft, "open", "approve")
    with pytest.raises(GateError, match="a drafter may not undo: approve"):
        await do(store, draft, "undo", LEE)


async def test_an_edit_keeps_author_reason_and_original(store: Store) -> None:
    draft = await drafted(store, _sound())
    await do(store, draft, "edit", LEE, reason="Shorter.")
    state = await do(
        store, draft, "edit", ADA, changes=(TextChange(persona="builder", value=PLAIN + " So it is."),)
    )
    assert [(edit.author, edit.reason) for edit in state.edits] == [("Lee", "Shorter."), ("Ada", None)]
    assert {edit.original for edit in state.edits} == {TextChange(persona="builder", value=PLAIN)}
    view = await approval(store).view(draft)
    (mark,) = view.shown.marks
    assert (mark.label, mark.original) == (
        "edited by Lee and Ada",
        TextChange(persona="builder", value=PLAIN),
    )
    assert (await store.drafts.get(draft)).review == _sound()


async def test_an_edit_that_changes_nothing_is_refused(store: Store) -> None:
    draft = await drafted(store, _sound())
    await do(store, draft, "edit")
    with pytest.raises(GateError, match=f"draft {draft} says that already; nothing was changed"):
        await do(store, draft, "edit")
    assert len(await events_of(store, draft)) == 2


async def test_characters_that_postgresql_refuses_are_replaced(store: Store) -> None:
    draft = await drafted(store, _sound())
    await do(store, draft, "edit", reason="a\x00b \ud800")
    assert (await events_of(store, draft))[-1].reason == "ab \ufffd"


async def test_a_sourced_fact_settles_a_finding(store: Store) -> None:
    draft = await drafted(store, priced())
    fact = Fact.model_validate(
        {"claim": "It costs $9 a month.", "source": "https://example.com/p", "checked_on": "2026-11-01"}
    )
    await do(store, draft, "edit", changes=(FactsChange(value=(fact,)),))
    view = await approval(store).view(draft)
    assert ([finding.status for finding in view.findings], view.unresolved) == (["sourced"], ())
    assert (await do(store, draft, "approve")).state is State.APPROVED


async def test_no_approval_with_an_unresolved_finding(store: Store) -> None:
    both = review(
        None, *(builders.take(text=f"{PRICED} Or ${price}.") for price in (11, 12)), builders.no_take()
    )
    draft = await drafted(store, both)
    await do(store, draft, "open")
    missing = (await approval(store).view(draft)).unresolved
    assert len(missing) > 2
    for left in range(len(missing), 0, -1):
        words = "1 finding" if left == 1 else f"{left} findings"
        with pytest.raises(GateError, match=f"draft {draft} has {words} to resolve before approval:\n"):
            await do(store, draft, "approve", ADA)
        await do(store, draft, "tick", LEE, resolution=opinion(missing[left - 1]))
    assert (await do(store, draft, "approve", ADA)).state is State.APPROVED


async def test_a_resolution_is_kept_with_its_author(store: Store) -> None:
    draft = await drafted(store, priced())
    (finding,) = (await approval(store).view(draft)).findings
    source = Resolution(
        finding=finding.id, kind=ResolutionKind.SUPPORTED, source="https://example.com/prices"
    )
    await do(store, draft, "tick", LEE, resolution=source)
    found = (await approval(store).view(draft)).numbered[0].resolution
    assert found is not None
    assert (found.by, found.kind, found.source) == ("Lee", "supported", "https://example.com/prices")


async def test_a_resolution_ends_with_the_words_it_was_given_for(store: Store) -> None:
    draft = await drafted(store, priced())
    await resolve_all(store, draft)
    await do(store, draft, "edit", changes=(TextChange(persona="builder", value=f"Now then. {PRICED}"),))
    assert (await approval(store).view(draft)).unresolved == ()
    await do(store, draft, "edit", changes=(TextChange(persona="builder", value=PRICED.replace("$9", "$8")),))
    assert [found.finding.text for found in (await approval(store).view(draft)).unresolved] == ["$8 a month"]
    with pytest.raises(GateError, match="1 finding to resolve before approval"):
        await do(store, draft, "approve")
    await do(store, draft, "undo")
    assert (await do(store, draft, "approve")).state is State.APPROVED


async def test_a_finding_that_was_cut_needs_no_resolution(store: Store) -> None:
    draft = await drafted(store, priced())
    await do(store, draft, "edit")
    assert (await do(store, draft, "approve")).state is State.APPROVED


async def test_experience_can_only_be_cut(store: Store) -> None:
    draft = await drafted(store, _sound(TESTED))
    (finding,) = (await approval(store).view(draft)).unresolved
    with pytest.raises(GateError, match="“I tested” can only be cut; edit the text"):
        await do(store, draft, "tick", resolution=opinion(finding))
    await do(store, draft, "open")
    with pytest.raises(GateError, match="1 finding to resolve before approval"):
        await do(store, draft, "approve")
    await do(store, draft, "edit")
    assert (await do(store, draft, "approve")).state is State.APPROVED


async def test_only_blocking_findings_are_resolved(store: Store) -> None:
    kept = review(None, builders.take(text=PLAIN, evidence=("reads log files",)), builders.take(text=PRICED))
    draft = await drafted(store, kept)
    with pytest.raises(GateError, match=f"draft {draft} no longer has this finding; read it again"):
        await do(store, draft, "tick")
    quoted = next(found for found in (await approval(store).view(draft)).findings if not blocks(found))
    with pytest.raises(GateError, match="“reads log files” needs no resolution"):
        await do(store, draft, "tick", resolution=opinion(quoted))


async def test_a_retry_that_fills_a_seat_returns_an_approved_draft_to_review(store: Store) -> None:
    lacking = review(None, builders.take(text=PRICED), builders.take(80, text=PLAIN), FAILED)
    filled = review(
        None, builders.take(text=PRICED), builders.take(80, text=PLAIN), builders.take(text=OTHER)
    )
    draft = await drafted(store, lacking)
    await do(store, draft, "edit", changes=(ScoreChange(persona="skeptic", value=81),))
    await resolve_all(store, draft)
    published = await brought(store, draft, "approve", "publish")
    page = await publication_of(store, draft)
    run = await store.runs.create("batch", {})
    version = await store.tools.put(filled.tool)
    assert await store.drafts.put(filled, run, version, checks=CHECKS) == draft
    view = await approval(store).view(draft)
    assert (view.current.state, view.current.approval, view.current.next_undo) == ("in_review", None, None)
    assert (view.current.edits, view.current.resolutions) == (published.edits, published.resolutions)
    assert await publication_of(store, draft) == page
    assert view.history[-1].payload["review"] == lacking.model_dump(mode="json")
    assert await store.check() == []


@pytest.mark.parametrize("number", [7, 0, -1, 10**30])
async def test_an_unknown_draft_is_refused(store: Store, number: int) -> None:
    command = DraftCommand(action=Action.OPEN, actor=KIM, seen="0" * 64)
    for wanted in (
        approval(store).view(number),
        approval(store).execute(number, command),
        publication_of(store, number),
    ):
        with pytest.raises(
            NotFound, match=f"there is no draft {number}; see the queue for those that there are"
        ):
            await wanted


async def test_an_altered_draft_is_refused(store: Store) -> None:
    draft = await drafted(store, _sound())
    await store._db.write(lambda connection: connection.execute(drafts.update().values(shown="0" * 64)))
    command = DraftCommand(action=Action.OPEN, actor=KIM, seen="0" * 64)
    for wanted in (
        approval(store).view(draft),
        approval(store).execute(draft, command),
        publication_of(store, draft),
    ):
        with pytest.raises(
            StorageError, match="does not agree with its events; run panel db check, or restore a"
        ):
            await wanted


async def test_an_approval_is_bound_to_the_resolutions(store: Store) -> None:
    draft = await drafted(store, priced())
    await resolve_all(store, draft)
    shown = await approval(store).view(draft)
    finding = shown.current.resolutions[0].finding
    other = Resolution(
        finding=finding, kind=ResolutionKind.SUPPORTED, source="https://lantern.example/pricing"
    )
    await do(store, draft, "tick", ADA, resolution=other)
    command = DraftCommand(
        action=Action.APPROVE,
        actor=KIM,
        seen=shown.shown.hash,
        seen_resolutions=shown.current.resolutions_digest,
    )
    with pytest.raises(StaleDraft, match="was changed by Ada"):
        await approval(store).execute(draft, command)
    now = await approval(store).view(draft)
    assert (now.shown.hash, now.hash != shown.hash) == (shown.shown.hash, True)
    state = await approval(store).execute(
        draft, command.model_copy(update={"seen_resolutions": now.current.resolutions_digest})
    )
    assert state.current.approval


async def test_a_draft_without_a_take_is_not_approved(store: Store) -> None:
    draft = await drafted(store, review(None, *[builders.no_take("timed_out", "Too slow.")] * 3))
    await do(store, draft, "open")
    with pytest.raises(GateError, match="has no take"):
        await do(store, draft, "approve")
