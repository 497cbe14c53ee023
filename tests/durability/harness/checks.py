"""The invariants D1 to D8, checked after each kill and at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from durability.harness.watcher import visible, whole
from durability.harness.world import CONCURRENCY, REVIEWS, SEATS

if TYPE_CHECKING:
    from durability.harness.database import DraftSnapshot
    from durability.harness.ledger import Page
    from durability.harness.tally import Tally
    from durability.harness.watcher import Watcher
    from durability.harness.world import World

SHOWN = 5


def after_a_kill(world: World, tally: Tally) -> None:
    """Check the invariants that hold whenever no process is at work: D1 to D4 and D6."""
    kept = world.kept()
    page = world.bench.ledger.page()
    _sound(kept, tally)
    _paid_once(kept, page, tally)
    begun = sum(kept.calls.values())
    if begun < page.starts:
        tally.breach(
            "D6", f"{page.starts} questions were asked, and {begun} of them were written down before"
        )
    _count_lost(world, kept, page, tally)
    torn = [path for path, _ in visible(str(world.out)) if not whole(path)]
    for path in torn:
        tally.breach("D3", f"{path} is not whole")
    tally.torn += len(torn)


def at_the_end(world: World, tally: Tally, *, bound: int | None = None) -> None:
    """Check the invariants of a finished batch, and add its counts to the tally.

    `bound` is the number of answers that may be paid for again; by default the calls in flight for each kill.
    """
    kept = world.kept(thorough=True)
    page = world.bench.ledger.page()
    allowed = world.kills * CONCURRENCY if bound is None else bound
    _sound(kept, tally)
    _paid_once(kept, page, tally)
    _within(page, allowed, world.kills if bound is None else bound, tally)
    _complete(world, kept, page, tally)
    tally.count += 1
    tally.starts += page.starts
    tally.answers += page.answers
    tally.repeats += page.repeats
    tally.bound += allowed


def nothing_torn(watcher: Watcher, tally: Tally) -> None:
    """Check that no reader saw an incomplete file."""
    tally.torn += len(watcher.torn)
    for path in watcher.torn[:SHOWN]:
        tally.breach("D3", f"a reader met {path} before it was whole")


def nothing_more(world: World, tally: Tally) -> None:
    """Check that resuming a finished run asks nothing."""
    before = world.bench.ledger.page().starts
    life = world.start()
    code = life.wait()
    more = world.bench.ledger.page().starts - before
    if code or more:
        tally.breach(
            "D1",
            f"the finished run, resumed, ended with {code} and asked {more} questions: {world.words(life)}",
        )


def _count_lost(world: World, kept: DraftSnapshot, page: Page, tally: Tally) -> None:
    """Record the largest number of answers that one kill has lost."""
    lost = page.answers - kept.calls.get("answered", 0)
    tally.notes["most lost at once"] = max(tally.notes.get("most lost at once", 0), lost - world.lost)
    world.lost = lost


def _sound(kept: DraftSnapshot, tally: Tally) -> None:
    if kept.flaws:
        tally.unsound += 1
        tally.breach("D4", "; ".join(kept.flaws[:SHOWN]))
    if kept.duplicates:
        tally.duplicates += len(kept.duplicates)
        tally.breach("D2", "; ".join(kept.duplicates))


def _paid_once(kept: DraftSnapshot, page: Page, tally: Tally) -> None:
    """Check that no question was asked again after its answer was committed."""
    again = {
        key: (times, page.started[key])
        for key, times in kept.committed.items()
        if page.started.get(key, 0) > times
    }
    if again:
        tally.breach(
            "D1",
            f"{len(again)} questions were asked again after their answer was kept (kept asking, last asking): {dict(list(again.items())[:SHOWN])}",
        )


def _within(page: Page, allowed: int, times: int, tally: Tally) -> None:
    if page.repeats > allowed:
        tally.breach("D1", f"{page.repeats} answers were paid for again, {allowed} are allowed")
    worst = max(page.answered.values(), default=0)
    if worst - 1 > times:
        tally.breach("D1", f"one question was answered {worst} times after {times} kills")


def _complete(world: World, kept: DraftSnapshot, page: Page, tally: Tally) -> None:
    expected = {
        "drafts": (kept.drafts, world.tools),
        "tools that are done": (kept.done, world.tools),
        "takes": (kept.takes, world.tools * SEATS),
        "questions that have a kept answer": (len(kept.committed), world.tools * SEATS),
        "questions that were asked": (len(page.started), world.tools * SEATS),
        "reports": (len(list(world.out.glob(f"{REVIEWS}/[!.]*.json"))), world.tools),
    }
    for what, (found, wanted) in expected.items():
        if found != wanted:
            tally.breach("D1", f"{found} {what} in place of {wanted}")
