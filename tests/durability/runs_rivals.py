"""F7: more than one process wants to work on a run."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from durability.harness import checks
from durability.harness.processes import pause
from durability.harness.tally import Tally
from durability.harness.watcher import Watcher
from durability.harness.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from durability.harness.processes import PanelProcess
    from durability.harness.world import Bench

HELD = 75
SLOW = 0.5
"""Latency in seconds, so that whoever holds a run is still at work when the last rival has looked."""

MOMENT = 0.3


def rivals(bench: Bench, folder: Path, *, starts: int, tools: int = 24) -> Tally:
    """Start processes on a run that another one works on: each is told who holds it, and asks nothing."""
    tally = Tally("F7 one at work")
    world = World(bench, folder, tools)
    bench.ledger.behave(latency=SLOW)
    with Watcher(world.out) as watcher:
        first = world.start()
        bench.ledger.wait_for(first)
        pause(MOMENT)
        command = world.command()
        others = [_rival(world, n, command) for n in range(starts)]
        for life in others:
            _is_told(life, life.wait(), first, tally)
        bench.ledger.behave()
        if code := first.wait():
            tally.breach("D8", f"who held the run ended with {code}: {world.words(first)}")
    tally.notes["refused"] = len(others)
    checks.nothing_torn(watcher, tally)
    checks.at_the_end(world, tally, bound=0)
    return tally


def race(bench: Bench, folder: Path, *, rounds: int, runners: int = 3, tools: int = 60) -> Tally:
    """Start processes at once on a run whose process was killed: one gets it, the others are told."""
    tally = Tally("F7 race")
    world = World(bench, folder, tools)
    bench.ledger.behave(latency=SLOW)
    first = world.start()
    with Watcher(world.out) as watcher:
        for number in range(rounds):
            bench.ledger.wait_for(first)
            pause(MOMENT)
            first.send(signal.SIGKILL)
            first.wait()
            world.kills += 1
            tally.kills += 1
            checks.after_a_kill(world, tally)
            first = _race(world, number, runners, tally)
        bench.ledger.behave()
        first.wait()
    checks.nothing_torn(watcher, tally)
    checks.at_the_end(world, tally)
    return tally


def _race(world: World, number: int, runners: int, tally: Tally) -> PanelProcess:
    """Return the process that got the run."""
    command = world.command()
    lives = [_rival(world, n + runners * (number + 1), command) for n in range(runners)]
    while (left := [life for life in lives if not life.ended])[1:]:
        pause(MOMENT)
    if len(left) != 1:
        tally.breach(
            "D8", f"{[life.wait() for life in lives]} are the ends of processes one of which should work"
        )
        return world.start()
    for life in lives:
        if life is not left[0]:
            _is_told(life, life.wait(), left[0], tally)
    return left[0]


def _rival(world: World, number: int, command: list[str]) -> PanelProcess:
    folder = world.folder / f"rival{number}"
    folder.mkdir()
    return world.start(command, cwd=folder)


def _is_told(life: PanelProcess, code: int, holder: PanelProcess, tally: Tally) -> None:
    """Check that a process was refused and named who holds the run."""
    if code != HELD or f"is held by process {holder.pid} " not in life.err or len(life.err.splitlines()) != 1:
        tally.breach("D8", f"a rival of process {holder.pid} ended with {code}: {life.err[-600:]!r}")
