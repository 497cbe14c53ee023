"""All durability scenarios as one command; see `bench/durability.py`."""

# ruff: noqa: T201 - a bench prints its figures

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

from durability import runs_disk
from durability.harness.hooks import POINTS
from durability.harness.tally import HEADS, Tally
from durability.harness.world import learned, prepared
from durability.runs_careless import careless_loop
from durability.runs_clock import CLOCKS, Clock, faked_library, jumping_clock, wrong_clock
from durability.runs_disk import can_mount, full_disk, system_fault
from durability.runs_input import FAULTS, FEW_HANDLES, bad_input, few_handles
from durability.runs_kill import interrupt_loop, kill_loop, leave_at_once_loop
from durability.runs_large import long_run, memory
from durability.runs_points import kill_points
from durability.runs_provider import DEATHS, dead_provider
from durability.runs_rivals import race, rivals

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator

    from durability.harness.world import Bench

    Part = Callable[[Bench, Path], Tally]

HITS = (1, 2, 3, 5, 8, 11)
HITS_A_POINT = 10
SIGNALS, STARTS, ROUNDS = 20, 10, 10
CARELESS = "F1n"
WIDTHS = (28, 4, 5, 6, 8, 8, 7, 7, 10, 4, 9, 7)


def f1(options: Namespace) -> Iterator[Part]:
    """Kill at random times."""
    yield partial(kill_loop, kills=options.kills, seed=options.seed)


def f1n(options: Namespace) -> Iterator[Part]:
    """Kill a worker that is not durable, which the checks must detect."""
    yield partial(careless_loop, kills=min(options.kills, 40), seed=options.seed)


def f2(_options: Namespace) -> Iterator[Part]:
    """Kill at each point of the order of writes."""
    for point in POINTS:
        yield partial(kill_points, point=point, hits=tuple(islice(cycle(HITS), HITS_A_POINT)))


def f3(options: Namespace) -> Iterator[Part]:
    """Interrupt, once and twice."""
    yield partial(interrupt_loop, signals=SIGNALS, seed=options.seed)
    yield partial(interrupt_loop, signals=SIGNALS, seed=options.seed, number=15)
    yield partial(leave_at_once_loop, signals=SIGNALS, seed=options.seed)


def f4(_options: Namespace) -> Iterator[Part]:
    """Fill the disk."""
    with tempfile.TemporaryDirectory() as folder:
        if not can_mount(Path(folder)):
            print("F4 is left out: this user may not mount file systems", file=sys.stderr)
            return
    for size in runs_disk.SIZES:
        yield partial(full_disk, size=size)
    yield partial(full_disk, size=64, reports=True)


def f5(_options: Namespace) -> Iterator[Part]:
    """Make system calls fail."""
    if shutil.which("strace") is None:
        print("F5 is left out: strace is not installed", file=sys.stderr)
        return
    for fault in runs_disk.FAULTS:
        for moment in runs_disk.MOMENTS:
            yield partial(system_fault, fault=fault, moment=moment)


def f6(_options: Namespace) -> Iterator[Part]:
    """Run under wrong clocks."""
    if faked_library() is None:
        print("F6 is left out: faketime is not installed", file=sys.stderr)
        return
    for name in CLOCKS:
        yield partial(_clocked, name=name)
    yield partial(_clocked, name=None)


def f7(_options: Namespace) -> Iterator[Part]:
    """Let several processes compete for one run."""
    yield partial(rivals, starts=STARTS)
    yield partial(race, rounds=ROUNDS, tools=300)


def f8(options: Namespace) -> Iterator[Part]:
    """Measure memory for growing numbers of tools."""
    yield partial(memory, tools=options.tools // 2)


def f10(_options: Namespace) -> Iterator[Part]:
    """Run against a dead provider."""
    for death in DEATHS:
        yield partial(dead_provider, death=death)


def f11(_options: Namespace) -> Iterator[Part]:
    """Give unusable input."""
    for name in FAULTS:
        yield partial(bad_input, name=name)
    for handles in FEW_HANDLES:
        yield partial(few_handles, handles=handles)


def f13(options: Namespace) -> Iterator[Part]:
    """Run for a long time."""
    yield partial(long_run, tools=options.tools)


RUNS = {"F1": f1, CARELESS: f1n, "F2": f2, "F3": f3, "F4": f4, "F5": f5, "F6": f6, "F7": f7, "F8": f8, "F10": f10, "F11": f11, "F13": f13}  # fmt: skip


def _clocked(bench: Bench, folder: Path, name: str | None) -> Tally:
    clock = Clock(folder / "time")
    with learned(folder / "learning", bench.ledger, clock.env) as wrong:
        if name is None:
            return jumping_clock(wrong, folder / "world", clock=clock)
        return wrong_clock(bench, folder / "world", wrong=wrong, clock=clock, name=name)


def measured(bench: Bench, part: Part) -> Tally:
    """Run a part in a folder of its own, which is kept if an invariant was broken."""
    folder = Path(tempfile.mkdtemp(prefix="panel-durability-"))
    begun = time.monotonic()
    tally = part(bench, folder)
    tally.seconds = time.monotonic() - begun
    if tally.run == CARELESS:
        judge_careless(tally)
    if tally.broken:
        tally.broken.append(f"{tally.run}: see {folder}")
    else:
        shutil.rmtree(folder)
    return tally


def judge_careless(tally: Tally) -> None:
    """Invert the result: a careless worker that passes is the failure."""
    found_out = tally.repeats > tally.bound and tally.torn > 0
    tally.broken = [] if found_out else [f"{CARELESS}: the careless worker was not found out"]


def line(cells: tuple[str, ...]) -> str:
    """Return a row of the table."""
    first, *rest = zip(cells, WIDTHS, strict=True)
    return "  ".join([f"{first[0]:<{first[1]}}", *(f"{cell:>{width}}" for cell, width in rest)])


def main(description: str | None) -> int:
    """Print the table, and return 1 if an invariant was broken.

    Args:
        description: what `--help` says.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="*", metavar="RUN", help=f"of {', '.join(RUNS)} (default: all)")
    parser.add_argument("--kills", type=int, default=1_000, help="of F1 (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn (default: %(default)s)")
    parser.add_argument("--tools", type=int, default=20_000, help="of F13; half of them F8's (default: %(default)s)")  # fmt: skip
    options = parser.parse_args()
    if unknown := set(options.runs) - set(RUNS):
        parser.error(f"no such run: {', '.join(sorted(unknown))}")
    broken: list[str] = []
    print(line(HEADS), flush=True)
    with tempfile.TemporaryDirectory() as folder, prepared(Path(folder)) as bench:
        for name in options.runs or RUNS:
            for part in RUNS[name](options):
                tally = measured(bench, part)
                more = "".join(f"  {what} {value}" for what, value in tally.notes.items())
                print(line(tally.row) + more, flush=True)
                broken += tally.broken
    print("\n".join(["", *broken]) if broken else "\nEvery invariant held.")
    return 1 if broken else 0
