"""F8 and F13: many tools. Memory, handles and the log must not grow with their number."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from durability.harness import checks
from durability.harness.processes import pause
from durability.harness.tally import Tally
from durability.harness.world import SEATS, World

if TYPE_CHECKING:
    from durability.harness.processes import PanelProcess
    from durability.harness.world import Bench

AT_ONCE = 0.0
DATA = {"RLIMIT_DATA": 600_000_000}
"""Not the address space: of that the C library sets 64 MB aside for each thread, used or not."""

MOST_KB = 300_000
GROWTH = 1.15
"""Peak of ten times the tools over that of the tools: what the collector leaves lying is not the same twice."""

LATE_GROWTH = 1.05
"""Peak of the second half of a long run over that of the first, in which caches and the allocator have settled."""

MOST_LOG_BYTES = 64 * 1024**2
SPARE_HANDLES = 20
RESUME_SECONDS = 5.0
LOOK_SECONDS = 0.25
LONGEST = 7_200.0


@dataclass
class Sizes:
    """The most that was seen of a process, and of what it writes.

    Attributes:
        handles: open file handles.
        memory_kb: resident memory.
        log_bytes: the write-ahead log.
    """

    handles: int = 0
    memory_kb: int = 0
    log_bytes: int = 0

    def look(self, world: World, life: PanelProcess) -> None:
        try:
            self.handles = max(self.handles, len(list(Path(f"/proc/{life.pid}/fd").iterdir())))
            pages = int(Path(f"/proc/{life.pid}/statm").read_text("ascii").split()[1])
            log = Path(f"{world.database}-wal")
            self.log_bytes = max(self.log_bytes, log.stat().st_size if log.exists() else 0)
        except (FileNotFoundError, ProcessLookupError):
            return
        self.memory_kb = max(self.memory_kb, pages * 4)


def memory(bench: Bench, folder: Path, *, tools: int) -> Tally:
    """Review so many tools, and a tenth of them, with limited memory: both take as much memory."""
    tally = Tally("F8")
    peaks = []
    for count in (tools // 10, tools):
        world = World(bench, folder / f"{count}", count)
        bench.ledger.behave(latency=AT_ONCE)
        life = world.start(limits=DATA)
        if code := life.wait(LONGEST):
            tally.breach("F8", f"{count} tools ended with {code}: {world.words(life)}")
        checks.at_the_end(world, tally, bound=0)
        peaks.append(life.peak_kb)
        tally.notes[f"peak MB of {count:,}"] = round(life.peak_kb / 1_000)
    if max(peaks) > MOST_KB or peaks[1] > peaks[0] * GROWTH:
        tally.breach("F8", f"the peaks of memory are {peaks} KB")
    return tally


def long_run(bench: Bench, folder: Path, *, tools: int) -> Tally:
    """Review so many tools in one process, and then resume the run that is done."""
    tally = Tally("F13")
    world = World(bench, folder, tools)
    bench.ledger.behave(latency=AT_ONCE)
    begun = time.monotonic()
    life = world.start()
    bench.ledger.wait_for(life)
    early, late = Sizes(), Sizes()
    while not life.ended:
        (early if bench.ledger.starts < tools * SEATS // 2 else late).look(world, life)
        pause(LOOK_SECONDS)
    if code := life.wait():
        tally.breach("F13", f"ended with {code}: {world.words(life)}")
    tally.notes["takes/s"] = round(tools * SEATS / (time.monotonic() - begun))
    tally.notes |= {"early": early, "late": late}
    _no_leak(early, late, tally)
    checks.at_the_end(world, tally, bound=0)
    begun = time.monotonic()
    checks.nothing_more(world, tally)
    tally.notes["resume s"] = round(took := time.monotonic() - begun, 1)
    if took > RESUME_SECONDS:
        tally.breach("F13", f"the finished run took {took:.1f} s to resume")
    return tally


def _no_leak(early: Sizes, late: Sizes, tally: Tally) -> None:
    if late.handles > early.handles + SPARE_HANDLES:
        tally.breach("F13", f"{late.handles} handles were open at the end, {early.handles} in the beginning")
    if late.memory_kb > early.memory_kb * LATE_GROWTH:
        tally.breach("F13", f"memory grew from {early.memory_kb:,} to {late.memory_kb:,} KB")
    if late.log_bytes > MOST_LOG_BYTES:
        tally.breach("F13", f"the log grew to {late.log_bytes:,} bytes")
