"""F11: unusable input and unusable places for output."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from durability.harness import checks
from durability.harness.tally import Tally
from durability.harness.world import World
from durability.runs_kill import finish, last_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from durability.harness.world import Bench

SECONDS = 5.0
INPUT, STORAGE = 2, 74
HANDLES = "RLIMIT_NOFILE"
NO_HANDLES = 8
"""Too few to open the database."""

FEW_HANDLES = tuple(range(10, 26, 2))
"""Some are enough for the first calls, none for a report."""

TOOLS = 12


@dataclass(frozen=True)
class Fault:
    """Something that is wrong with a place.

    Attributes:
        make: makes it, given the world; returns what stands for the tools' file, or None for the file itself.
        code: the exit code.
        start: how the process is started; see `processes.Start`.
    """

    make: Callable[[World], Path | str | None]
    code: int
    start: dict[str, Any] = field(default_factory=dict)


def _folder(world: World) -> Path:
    path = world.folder / "empty"
    path.mkdir()
    return path


def _fifo(world: World) -> Path:
    path = world.folder / "fifo.jsonl"
    os.mkfifo(path)
    return path


def _loop(world: World) -> Path:
    path = world.folder / "loop.jsonl"
    path.symlink_to(path)
    return path


def _out_is_a_file(world: World) -> None:
    world.out.write_text("", "utf-8")


def _out_is_read_only(world: World) -> None:
    # The one folder that refuses root too.
    world.out.symlink_to("/proc/self/fdinfo")


def _data_is_a_file(world: World) -> None:
    world.data.write_text("", "utf-8")


def _database_is_a_folder(world: World) -> None:
    world.database.mkdir(parents=True)


def _database_is_no_database(world: World) -> None:
    world.data.mkdir()
    world.database.write_bytes(b"This is not a database. " * 200)


def _reserve_is_a_folder(world: World) -> None:
    world.data.mkdir()
    (world.data / "panel.db.reserve").mkdir()


FAULTS: dict[str, Fault] = {
    "missing file": Fault(lambda world: world.folder / "missing.jsonl", INPUT),
    "empty folder": Fault(_folder, INPUT),
    "fifo without a writer": Fault(_fifo, INPUT),
    "endless device": Fault(lambda _world: "/dev/zero", INPUT),
    "link loop": Fault(_loop, INPUT),
    "stdin is closed": Fault(lambda _world: "-", INPUT, {"stdin": None}),
    "out is read-only": Fault(_out_is_read_only, STORAGE),
    "out is a file": Fault(_out_is_a_file, STORAGE),
    "data is a file": Fault(_data_is_a_file, STORAGE),
    "database is a folder": Fault(_database_is_a_folder, STORAGE),
    "database is none": Fault(_database_is_no_database, STORAGE),
    "reserve is a folder": Fault(_reserve_is_a_folder, STORAGE),
    "no handles": Fault(lambda _world: None, STORAGE, {"limits": {HANDLES: NO_HANDLES}}),
}


def bad_input(bench: Bench, folder: Path, *, name: str) -> Tally:
    """Start a batch with a fault: it must end soon with one message and ask nothing."""
    tally = Tally(f"F11 {name}")
    world, fault = World(bench, folder, 3), FAULTS[name]
    argv = world.begin()
    if (path := fault.make(world)) is not None:
        argv[2] = str(path)
    life = world.start(argv, **fault.start)
    code = life.wait(SECONDS)
    asked = bench.ledger.starts
    tally.count = 1
    tally.notes["said"] = " ".join(life.err.split())
    if code != fault.code or asked or "Traceback" in life.err or not 1 <= len(life.err.splitlines()) <= 2:
        tally.breach(
            "F11", f"ended with {code} in place of {fault.code}, asked {asked} questions: {life.err[-900:]!r}"
        )
    shutil.rmtree(world.out, ignore_errors=True)
    return tally


def few_handles(bench: Bench, folder: Path, *, handles: int) -> Tally:
    """Give a batch so few file handles that it must stop somewhere: it says how to go on, and loses no answer."""
    tally = Tally(f"F11 {handles} handles")
    world = World(bench, folder, TOOLS)
    life = world.start(limits={HANDLES: handles})
    tally.notes["exit"] = code = life.wait()
    page, kept = bench.ledger.page(), world.kept()
    if code not in {0, STORAGE} or "Traceback" in life.err:
        tally.breach("F11", f"ended with {code}: {world.words(life)}")
    if code and page.starts and "panel batch resume" not in last_line(life):
        tally.breach("F11", f"does not say how to go on: {last_line(life)!r}")
    if lost := set(page.answered) - set(kept.committed):
        tally.breach("D1", f"{len(lost)} answers were paid for and not kept")
    finish(world, tally)
    checks.at_the_end(world, tally, bound=0)
    return tally
