"""F6: wrong clocks, and clocks that are set in the middle of a batch."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from durability.harness import checks
from durability.harness.processes import pause
from durability.harness.tally import Tally
from durability.harness.world import World
from durability.runs_kill import finish

if TYPE_CHECKING:
    from durability.harness.processes import PanelProcess
    from durability.harness.world import Bench

CLOCKS = {
    "five minutes slow": "-5m",
    "a day fast": "+1d",
    "clocks go back": "@2026-10-25 02:59:58",
    "2099": "@2099-01-01 00:00:00",
}
RIGHT = "+0"
JUMPS = ("+1h", "-1h", RIGHT)
TOOLS = 16
MOMENT = 0.3
NOTICED = 1.2
"""Seconds after which every process has noticed that the clock was set: the library looks once a second."""

SLOW = 0.3
"""Latency in seconds, so that a batch lasts longer than it takes to set the clock several times."""

BUSY: dict[str, Any] = {
    "status": 429,
    "error": {"error": {"message": "slow down", "type": "rate_limit_error"}},
    "headers": {"retry-after": "1"},
    "refusals": 3,
}


def faked_library() -> Path | None:
    """Return Debian's library that tells programs another time, for programs with threads; None if it is not installed."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


class Clock:
    """A time of day that can be set, for the processes that go by it.

    Only the time of day: no system lets anybody set the clock that waits go by.

    Args:
        file: what keeps it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(RIGHT)

    @property
    def env(self) -> dict[str, str]:
        """What makes a process go by it."""
        return {
            "LD_PRELOAD": str(faked_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "TZ": "Europe/Berlin",
        }

    def set(self, time: str) -> None:
        """Tell another time from now on, in the words of faketime."""
        self._file.write_text(time + "\n", "ascii")
        pause(NOTICED)


def wrong_clock(bench: Bench, folder: Path, *, wrong: Bench, clock: Clock, name: str) -> Tally:
    """Kill a batch under the right clock, go on under a wrong one, kill it, and finish under the right one again.

    Args:
        bench: what worlds share.
        folder: where it happens.
        wrong: the same, with processes that go by the clock.
        clock: the clock.
        name: what is wrong with it, of `CLOCKS`.
    """
    tally = Tally(f"F6 {name}")
    world = World(bench, folder, TOOLS)
    _killed(world, world.start(), tally)
    clock.set(CLOCKS[name])
    world.bench = wrong
    bench.ledger.behave(**BUSY)
    _killed(world, world.start(), tally)
    world.bench = bench
    finish(world, tally)
    checks.at_the_end(world, tally)
    _was_wrong(world, tally)
    return tally


def jumping_clock(wrong: Bench, folder: Path, *, clock: Clock) -> Tally:
    """Set the clock forth and back by an hour while a batch goes on and waits to ask again."""
    tally = Tally("F6 jumps")
    world = World(wrong, folder, TOOLS)
    wrong.ledger.behave(SLOW, **BUSY)
    life = world.start()
    wrong.ledger.wait_for(life)
    for time in JUMPS:
        clock.set(time)
    if code := life.wait():
        tally.breach("clock", f"ended with {code}: {world.words(life)}")
    checks.at_the_end(world, tally)
    _was_wrong(world, tally)
    return tally


def _killed(world: World, life: PanelProcess, tally: Tally) -> None:
    world.bench.ledger.wait_for(life)
    pause(MOMENT)
    life.send(signal.SIGKILL)
    if (code := life.wait()) != -signal.SIGKILL:
        tally.breach("clock", f"ended with {code}: {world.words(life)}")
    world.kills += 1
    tally.kills += 1
    checks.after_a_kill(world, tally)


def _was_wrong(world: World, tally: Tally) -> None:
    """Check that the clock did go wrong: calls in the order of their numbers are not in that of their times."""
    query = "SELECT count(*) FROM calls a JOIN calls b ON b.id = a.id + 1 WHERE b.begun_at < a.begun_at"
    with closing(sqlite3.connect(f"file:{world.database}?mode=ro", uri=True)) as connection:
        (found,) = connection.execute(query).fetchone()
    tally.notes["steps back"] = found
    if not found:
        tally.breach("clock", "no process went by the wrong clock")
