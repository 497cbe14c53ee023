"""F2: a process ends itself before or after each step of the order of writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from durability.harness import checks
from durability.harness.hooks import KILLED
from durability.harness.tally import Tally
from durability.harness.watcher import Watcher
from durability.harness.world import World
from durability.runs_kill import finish

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from durability.harness.world import Bench

QUICK = 0.005
SPARE = 4
"""Tools for each kill beyond those that its hits may use up, because eight seats are at work at a time."""


def kill_points(bench: Bench, folder: Path, *, point: str, hits: Sequence[int]) -> Tally:
    """Kill a batch at one point, once for each number of hits, and go on with it each time.

    Args:
        bench: what worlds share.
        folder: where it happens.
        point: `STEP:SIDE`; see `hooks.POINTS`.
        hits: how often the point is passed before each kill, this time included.
    """
    tally = Tally(f"F2 {point}")
    world = World(bench, folder, sum(hits) + SPARE * (len(hits) + 1))
    bench.ledger.behave(latency=QUICK)
    with Watcher(world.out) as watcher:
        for number in hits:
            life = world.start(hook=f"{point}:{number}")
            code = life.wait()
            if code == KILLED:
                world.kills += 1
                tally.kills += 1
            else:
                tally.breach("D1", f"hit {number} was not reached, it ended with {code}: {world.words(life)}")
            checks.after_a_kill(world, tally)
        finish(world, tally)
    checks.nothing_torn(watcher, tally)
    checks.at_the_end(world, tally)
    return tally
