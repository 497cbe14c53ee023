"""F1 and F3: processes that are killed or interrupted at random times until the batch is done."""

from __future__ import annotations

import signal
from random import Random
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

TOOLS = 400
WINDOW = (0.10, 0.45)
SPREAD = 0.03
"""Seconds between the two signals of a user who wants to leave at once."""


def kill_loop(
    bench: Bench,
    folder: Path,
    *,
    kills: int,
    seed: int,
    tools: int = TOOLS,
    kind: type[World] = World,
    run: str = "F1",
) -> Tally:
    """Kill a batch again and again, 0.10 to 0.45 s after each process asked its first question.

    When a batch is done before there were enough kills, the next one begins.
    """
    tally, draw = Tally(run, seed), Random(seed)  # noqa: S311 - moments, not secrets
    while tally.kills < kills:
        world = kind(bench, folder / f"{tally.count}", tools)
        with Watcher(world.out) as watcher:
            while tally.kills < kills and _killed(world, draw.uniform(*WINDOW), tally):
                checks.after_a_kill(world, tally)
            finish(world, tally)
        checks.nothing_torn(watcher, tally)
        checks.at_the_end(world, tally)
        checks.nothing_more(world, tally)
    return tally


def _killed(world: World, wait: float, tally: Tally) -> bool:
    """Start a process and kill it; return False if it finished first."""
    life = world.start()
    if world.bench.ledger.wait_for(life):
        pause(wait)
    life.send(signal.SIGKILL)
    code = life.wait()
    if code != -signal.SIGKILL:
        if code != 0:
            tally.breach("D7", f"a process that nobody touched ended with {code}: {world.words(life)}")
        return False
    world.kills += 1
    tally.kills += 1
    return True


def finish(world: World, tally: Tally) -> None:
    """Let the batch finish."""
    life = world.start()
    if code := life.wait():
        tally.breach("D1", f"the batch could not be finished, it ended with {code}: {world.words(life)}")


def interrupt_loop(
    bench: Bench, folder: Path, *, signals: int, seed: int, number: int = signal.SIGINT, tools: int = TOOLS
) -> Tally:
    """Ask a batch to stop again and again: nothing may be paid for twice."""
    tally, draw = Tally(f"F3 {signal.Signals(number).name}", seed), Random(seed)  # noqa: S311 - moments, not secrets
    while tally.kills < signals:
        world = World(bench, folder / f"{tally.count}", tools)
        with Watcher(world.out) as watcher:
            while tally.kills < signals and _interrupted(world, number, draw.uniform(*WINDOW), tally):
                checks.after_a_kill(world, tally)
            finish(world, tally)
        checks.nothing_torn(watcher, tally)
        checks.at_the_end(world, tally, bound=0)
    return tally


def _interrupted(world: World, number: int, wait: float, tally: Tally) -> bool:
    life = world.start()
    if world.bench.ledger.wait_for(life):
        pause(wait)
    if life.ended:
        return False
    life.send(number)
    code = life.wait()
    if code == 0:
        return False
    tally.kills += 1
    if code != 128 + number:
        tally.breach("D7", f"ended with {code} after {signal.Signals(number).name}: {world.words(life)}")
    if "panel batch resume" not in last_line(life):
        tally.breach("D7", f"does not say how to go on: {last_line(life)!r}")
    return True


def leave_at_once_loop(bench: Bench, folder: Path, *, signals: int, seed: int, tools: int = TOOLS) -> Tally:
    """Interrupt a batch twice in a row: it leaves at once, and pays no more again than a killed one."""
    tally, draw = Tally("F3 twice", seed), Random(seed)  # noqa: S311 - moments, not secrets
    world = World(bench, folder, tools)
    bench.ledger.behave(latency=0.5)
    with Watcher(world.out) as watcher:
        for _ in range(signals):
            _left_at_once(world, draw, tally)
            checks.after_a_kill(world, tally)
        bench.ledger.behave()
        finish(world, tally)
    checks.nothing_torn(watcher, tally)
    checks.at_the_end(world, tally)
    return tally


def _left_at_once(world: World, draw: Random, tally: Tally) -> None:
    life = world.start()
    world.bench.ledger.wait_for(life)
    pause(draw.uniform(*WINDOW))
    life.send(signal.SIGINT)
    pause(SPREAD)
    life.send(signal.SIGINT)
    code = life.wait()
    world.kills += 1
    tally.kills += 1
    if code != 128 + signal.SIGINT:
        tally.breach("D7", f"ended with {code} after two signals: {world.words(life)}")


def last_line(life: PanelProcess) -> str:
    """Return the last line that a process said on stderr."""
    return (life.err.splitlines() or [""])[-1]
