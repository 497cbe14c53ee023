"""Lists and counts of drafts, on both kinds of database."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

import builders
from panel.core.draft_edits import VerdictChange
from panel.core.draft_state import State
from panel.core.take import Verdict
from panel.errors import GateError, SettingsError, StorageError
from panel.store import Order, QueueFilter, Split
from panel.store.columns import now
from panel.store.schema import drafts
from store.editing import ADA, CHECKS, OTHER, PLAIN, PRICED, QUIET, STERN, TESTED, brought, do, drafted
from store.samples import review

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from panel.core.review import PanelReview
    from panel.store import Store

pytestmark = pytest.mark.anyio

TEXTS = (PLAIN, QUIET, STERN, OTHER)


def _votes(
    name: str, votes: str, category: str | None = None, *, text: str = PLAIN, **of: Any
) -> PanelReview:
    """Return a review with a take for each letter: S a ship, K a skip, N none."""
    says = {"S": (80, "ship"), "K": (20, "skip")}
    texts = (text, *TEXTS[1:])
    outcomes = [
        builders.take(*says[vote], words) if vote in says else builders.no_take()
        for vote, words in zip(votes, texts, strict=False)
    ]
    return review(builders.tool(name, category=category, **of), *outcomes)


async def _names(store: Store, **wanted: Any) -> list[str]:
    return [line.name for line in (await store.queue.page(QueueFilter(**wanted))).rows]


async def _pages(store: Store, wanted: QueueFilter, limit: int = 3) -> list[int]:
    """Return the numbers of all drafts of a list, read page by page."""
    page = await store.queue.page(wanted, limit=limit)
    found = [line.id for line in page.rows]
    while page.after:
        assert len(page.rows) == limit
        page = await store.queue.page(wanted, after=page.after, limit=limit)
        found += [line.id for line in page.rows]
    return found


async def test_a_line_says_what_an_editor_chooses_by(store: Store) -> None:
    """A line of the queue has the tool, the state, open findings, votes, cost, and who has the draft before them."""
    draft = await drafted(store, _votes("Lantern", "SKN", "Developer Tools", text=PRICED))
    await store.locks.lock(draft, ADA)
    (line,) = (await store.queue.page()).rows
    assert (line.id, line.run, line.name, line.slug) == (draft, 1, "Lantern", "lantern")
    assert (line.category, line.state, line.open_findings) == ("Developer Tools", "drafted", 1)
    assert (line.ships, line.skips, line.holder) == (1, 1, "Ada")
    assert line.cost_usd == pytest.approx(3 * 0.0034)
    assert line.drafted_at == line.updated_at


async def test_a_line_tells_what_was_not_checked_from_what_has_no_findings(store: Store) -> None:
    run = await store.runs.create("review", {})
    await store.drafts.put(review(), run, await store.tools.put(builders.tool()))
    await drafted(store, _votes("Sextant", "SKN"))
    assert [line.open_findings for line in (await store.queue.page()).rows] == [None, 0]


async def test_a_line_follows_its_draft(store: Store) -> None:
    """Votes, findings and the time of the last change are those of what is shown now."""
    draft = await drafted(store, _votes("Lantern", "SKN", text=PRICED))
    await do(store, draft, "edit")
    await do(store, draft, "edit", changes=(VerdictChange(persona="skeptic", value=Verdict.SHIP),))
    (line,) = (await store.queue.page(QueueFilter(state=State.IN_REVIEW))).rows
    # The skeptic ships with a score of 20 now, which is a finding.
    assert (line.ships, line.skips, line.open_findings) == (2, 0, 1)
    assert line.updated_at > line.drafted_at
    assert (line.state, line.holder) == ("in_review", None)


@pytest.mark.parametrize("few", [250, 1, 0])
async def test_filters(store: Store, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr("panel.store.queue.FEW", few)
    made = [
        await drafted(store, one)
        for one in (
            _votes("Lantern", "SSSS", "Developer Tools"),
            _votes("Sextant", "SKSN", "Developer Tools", text=PRICED),
            _votes("Compass", "SKNN", "Writing", text=TESTED),
            _votes("Quill", "KKKK", "Writing"),
            _votes("Nobody", "NNNN"),
        )
    ]
    await do(store, made[0], "open")
    for wanted, names in (
        ({"state": "in_review"}, "Lantern"),
        ({"state": "drafted", "category": "Developer Tools"}, "Sextant"),
        ({"category": "Writing"}, "Compass Quill"),
        ({"category": "writing"}, ""),
        ({"flag": "price"}, "Sextant"),
        ({"flag": "first_person"}, "Compass"),
        ({"flag": "markup"}, ""),
        ({"split": "unanimous"}, "Lantern Quill Nobody"),
        ({"split": "divided"}, "Sextant Compass"),
        ({"split": Split.CLOSE}, "Sextant Compass Nobody"),
        ({"persona": "skeptic", "verdict": "skip"}, "Sextant Compass Quill"),
        ({"persona": "skeptic", "verdict": "ship"}, "Lantern"),
        ({"persona": "creator", "verdict": "ship"}, ""),
        ({"persona": "futurist"}, "Lantern Sextant Quill"),
        ({"verdict": "skip"}, "Sextant Compass Quill"),
        ({"cost": 4 * 0.0034 - 1e-9}, "Lantern Sextant Compass Quill Nobody"),
        ({"cost": 1.0}, ""),
        ({"before": now() + timedelta(minutes=1)}, "Lantern Sextant Compass Quill Nobody"),
        ({"before": now() - timedelta(minutes=1)}, ""),
        ({"category": "Writing", "split": "close", "flag": "first_person", "search": "comp"}, "Compass"),
    ):
        for order in ("oldest", "newest", "findings", "split"):
            found = await _names(store, **wanted, order=order)
            assert sorted(found) == sorted(names.split()), wanted


async def test_a_finding_that_was_dealt_with_is_no_longer_filtered_by(store: Store) -> None:
    """The filter by kind of finding keeps drafts in which one of that kind is left to deal with."""
    draft = await drafted(store, _votes("Lantern", "SKN", text=PRICED))
    await do(store, draft, "edit")
    assert await _names(store, flag="price") == []
    await do(store, draft, "undo")
    assert await _names(store, flag="price") == ["Lantern"]


SEARCHES: tuple[tuple[str, list[str]], ...] = (
    ("tern", ["Lantern"]),
    ("LANT", ["Lantern"]),
    (" lantern ", ["Lantern"]),
    ("torch", ["Lantern"]),
    ("%", ["100% Log"]),
    ("_", ["snake_case"]),
    ("/", ["a/b"]),
    ("\\", ["a\\b"]),
    ("'", ["O'Log"]),
    ("straße", ["STRASSE"]),
    ("é", ["Café"]),
    ("e\u0301", ["Café"]),
    ("lan%ern", []),
    ("l_ntern", []),
    ("x\0", []),
    ("\ud800", []),
    ("n" * 100_000, []),
)


@pytest.mark.parametrize("few", [250, 0])
async def test_search_is_by_name_and_alias(store: Store, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    """A search finds parts of names and aliases without case, and takes no character for a wildcard."""
    monkeypatch.setattr("panel.store.queue.FEW", few)
    await drafted(store, _votes("Lantern", "S", aliases=["Torch of Logs", "Torch"]))
    for name in ("100% Log", "snake_case", "a/b", "a\\b", "O'Log", "STRASSE", "Café"):
        await drafted(store, _votes(name, "S"))
    for search, names in SEARCHES:
        assert await _names(store, search=search) == names, search[:20]
    assert len(await _names(store, search="")) == 8


async def test_orders(store: Store) -> None:
    """Drafts come by age, by open findings or by how close the vote was, and then the oldest first."""
    for name, votes, text in (
        ("Lantern", "SSS", PLAIN),
        ("Sextant", "SKN", PRICED),
        ("Compass", "SKS", PRICED),
        ("Quill", "KKS", f"{PRICED} Or $11."),
    ):
        await drafted(store, _votes(name, votes, text=text))
    assert await _names(store) == ["Lantern", "Sextant", "Compass", "Quill"]
    assert await _names(store, order="newest") == ["Quill", "Compass", "Sextant", "Lantern"]
    assert await _names(store, order="findings") == ["Quill", "Sextant", "Compass", "Lantern"]
    assert await _names(store, order="split") == ["Sextant", "Compass", "Quill", "Lantern"]


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("state", [None, State.DRAFTED])
async def test_pages_have_no_gaps_and_no_repeats(store: Store, order: Order, state: State | None) -> None:
    """Page by page, each draft of a list comes once, in the order of the whole list."""
    for n in range(11):
        votes, text = ("SSN", "SKN", "SKS", "KKK")[n % 4], (PLAIN, PRICED)[n % 3 == 0]
        draft = await drafted(store, _votes(f"Tool {n}", votes, text=text))
        if n == 5:
            await do(store, draft, "open")
    wanted = QueueFilter(order=order, state=state)
    whole = [line.id for line in (await store.queue.page(wanted)).rows]
    assert sorted(whole) == [n for n in range(1, 12) if state is None or n != 6]
    for limit in (1, 3, len(whole), len(whole) + 1):
        assert await _pages(store, wanted, limit) == whole


@pytest.mark.parametrize("order", [Order.OLDEST, Order.NEWEST])
async def test_pages_hold_while_drafts_change(store: Store, order: Order) -> None:
    """Drafts that stay in a list come once, although others of it are decided or added while it is read."""
    made = [await drafted(store, _votes(f"Tool {n}", "SKN")) for n in range(9)]
    for draft in made:
        await do(store, draft, "open")
    wanted = QueueFilter(state=State.IN_REVIEW, order=order)
    page = await store.queue.page(wanted, limit=3)
    found = [line.id for line in page.rows]
    leaving = [found[0], found[2], *(set(made) - set(found))][:4]
    while page.after:
        if leaving:
            await do(store, leaving.pop(), "reject")
            await do(store, await drafted(store, _votes(f"Late {len(leaving)}", "SKN")), "open")
        page = await store.queue.page(wanted, after=page.after, limit=3)
        found += [line.id for line in page.rows]
    assert len(found) == len(set(found))
    left = {line.id for line in (await store.queue.page(wanted)).rows} & set(made)
    assert left <= set(found)


@pytest.mark.parametrize("after", ["", "x", "1", "1.2.3", "1.x", f"{10**30}.1", f"1.{10**30}", "nan.1"])
async def test_a_page_that_is_none_is_a_wrong_setting(store: Store, after: str) -> None:
    """A place in the queue that no page gave is refused with what to do."""
    with pytest.raises(SettingsError, match="this page of the queue cannot be found; begin with the first"):
        await store.queue.page(QueueFilter(order=Order.FINDINGS), after=after)


@pytest.mark.parametrize(
    "wanted",
    [
        {"category": "a\0b"},
        {"category": "\ud800"},
        {"persona": "\0", "verdict": "ship"},
        {"cost": float("nan")},
        {"cost": float("inf")},
        {"before": datetime.min.replace(tzinfo=UTC)},
        {"before": datetime.min},  # noqa: DTZ901 - a page may ask for it
        {"before": datetime.max.replace(tzinfo=UTC)},
        {"search": "\0"},
    ],
    ids=str,
)
async def test_whatever_is_wanted_is_a_list(store: Store, wanted: dict[str, Any]) -> None:
    """No filter that somebody may write is an error of the store."""
    assert (await store.queue.page(QueueFilter(**wanted))).rows == ()


async def test_an_empty_queue(store: Store) -> None:
    """A store without drafts has an empty page, no categories, and no draft in any state."""
    page = await store.queue.page()
    assert (page.rows, page.after, await store.queue.categories()) == ((), None, {})
    assert await store.queue.counts() == dict.fromkeys(State, 0)


async def test_categories(store: Store) -> None:
    for name, category in (("Lantern", "writing"), ("Sextant", "Maps"), ("Compass", "Maps"), ("Quill", None)):
        await drafted(store, _votes(name, "SKN", category))
    await do(store, 2, "open")
    assert list((await store.queue.categories()).items()) == [("Maps", 2), ("writing", 1)]
    assert await store.queue.categories(State.IN_REVIEW) == {"Maps": 1}
    assert await store.queue.categories(State.REJECTED) == {}


async def _counted(store: Store) -> None:
    """Hold the counts against the drafts themselves."""
    query = select(drafts.c.state, drafts.c.category, func.count()).group_by(
        drafts.c.state, drafts.c.category
    )
    rows = await store._db.read(lambda connection: [tuple(row) for row in connection.execute(query)])
    states = {state: sum(n for found, _, n in rows if found == state) for state in State}
    assert await store.queue.counts() == states
    for state in (None, *State):
        found: dict[str, int] = {}
        for one, category, n in rows:
            if category and state in {None, one}:
                found[category] = found.get(category, 0) + n
        assert await store.queue.categories(state) == found


@pytest.mark.parametrize("seed", range(3))
async def test_counts_are_those_of_the_drafts(store: Store, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - a test's
    made: list[int] = []

    async def make() -> None:
        category = random.choice(["Maps", "Writing", None])
        made.append(await drafted(store, _votes(f"Tool {len(made)}", "SSN", category)))

    async def act() -> None:
        kinds = [
            "open",
            "edit",
            "rerun_seat",
            "approve",
            "publish",
            "reject",
            "request_changes",
            "retract",
            "undo",
        ]
        await do(store, random.choice(made), random.choice(kinds))

    async def fail() -> None:
        await store.drafts.put(review(), 999, await store.tools.put(builders.tool()))

    for _ in range(4):
        await make()
    steps: list[Callable[[], Awaitable[None]]] = [make, fail, *[act] * 8]
    for _ in range(60):
        with contextlib.suppress(GateError, StorageError):
            await random.choice(steps)()
    await _counted(store)
    assert len({state for state, count in (await store.queue.counts()).items() if count}) > 2


async def test_a_revision_is_counted(store: Store) -> None:
    failed = builders.no_take("timed_out", "No answer within 120 s.")
    lacking = review(None, builders.take(text=PLAIN), builders.take(text=QUIET), failed)
    filled = review(None, builders.take(text=PLAIN), builders.take(text=QUIET), builders.take(text=STERN))
    draft = await drafted(store, lacking)
    await brought(store, draft, "open", "approve")
    run = await store.runs.create("batch", {})
    await store.drafts.put(filled, run, await store.tools.put(filled.tool), checks=CHECKS)
    await _counted(store)
    assert (await store.queue.counts())[State.IN_REVIEW] == 1
    (line,) = (await store.queue.page(QueueFilter(state=State.IN_REVIEW))).rows
    assert line.ships == 3
