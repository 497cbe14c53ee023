"""F4 and F5: full disks and failing system calls."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from durability.harness import checks
from durability.harness.processes import LONGEST, pause
from durability.harness.tally import Tally
from durability.harness.watcher import Watcher
from durability.harness.world import CONCURRENCY, REVIEWS, World
from durability.runs_kill import finish, last_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from durability.harness.processes import PanelProcess
    from durability.harness.world import Bench

STORAGE = 74
SIZES = (256, 288, 320, 352, 384, 448, 512, 640, 768, 1_024, 1_536, 2_048, 3_072)
"""Kilobytes of the disks: from one that holds nothing to one that holds half of the batch."""

ROOMY = "8m"
TOOLS = 50
FAULTS = (
    "fsync:EIO", "fdatasync:EIO", "pwrite64:ENOSPC", "pwrite64:EIO", "write:ENOSPC", "rename:EIO", "ftruncate:EIO",
    "openat:EMFILE",
)  # fmt: skip
MOMENTS = ("1", "2", "5", "20", "60", "3+7")
FAULTY_TOOLS = 12
QUICK = 0.005
REST = 0.002


def can_mount(folder: Path) -> bool:
    """Whether this user may mount a file system."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    try:
        with disk(folder, "256k"):
            return True
    except subprocess.CalledProcessError:
        return False


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a disk of that size for a while."""
    folder.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
    try:
        yield folder
    finally:
        _run("umount", "-l", folder)


def _run(program: str, *words: object) -> None:
    subprocess.run([shutil.which(program) or program, *map(str, words)], check=True, capture_output=True)


def full_disk(bench: Bench, folder: Path, *, size: int, reports: bool = False, tools: int = TOOLS) -> Tally:
    """Fill the disk of a batch, make room, and resume.

    Args:
        bench: what worlds share.
        folder: where it happens.
        size: of the disk, in KB.
        reports: whether the reports are on that disk, in place of the store.
        tools: how many tools there are.
    """
    tally = Tally(f"F4 {size} KB{' of reports' if reports else ''}")
    with disk(folder / "disk", f"{size}k") as there:
        own = there / "kept"
        places = {"out": own} if reports else {"data": own}
        world = World(bench, folder / "world", tools, **places)
        bench.ledger.behave(latency=QUICK)
        with Watcher(world.out) as watcher:
            life = world.start()
            tally.notes["exit"] = code = life.wait()
            _run("mount", "-o", f"remount,size={ROOMY}", there)
            tally.notes["asked"] = bench.ledger.starts
            _refused_well(life, code, str(own), tally)
            checks.after_a_kill(world, tally)
            _nothing_lost(world, tally)
            finish(world, tally)
        checks.nothing_torn(watcher, tally)
        checks.at_the_end(world, tally, bound=0)
    return tally


def _refused_well(life: PanelProcess, code: int, named: str, tally: Tally) -> None:
    """Check that a full disk ended in its exit code, and in one clear line."""
    line = last_line(life)
    if code != STORAGE or "Traceback" in life.err or named not in line:
        tally.breach("D6", f"a full disk ended with {code}: {line!r}")


def _nothing_lost(world: World, tally: Tally) -> None:
    lost = set(world.bench.ledger.page().answered) - set(world.kept().committed)
    if lost:
        tally.breach("D1", f"{len(lost)} answers were paid for and not kept")


def system_fault(bench: Bench, folder: Path, *, fault: str, moment: str) -> Tally:
    """Make a system call fail, and resume the batch.

    Args:
        bench: what worlds share.
        folder: where it happens.
        fault: the call and its error, such as `fsync:EIO`.
        moment: which of the calls of a thread fail, as strace's `when` has it.
    """
    tally = Tally(f"F5 {fault} {moment}")
    world = World(bench, folder, FAULTY_TOOLS)
    bench.ledger.behave(latency=QUICK)
    with Watcher(world.out) as watcher:
        life = world.start(stopped=True)
        with _traced(world, life, fault, moment):
            tally.notes["exit"] = code = life.wait()
        if code not in {0, STORAGE} or "Traceback" in life.err:
            tally.breach("exit", f"ended with {code}: {world.words(life)}")
        checks.after_a_kill(world, tally)
        finish(world, tally)
    checks.nothing_torn(watcher, tally)
    checks.at_the_end(world, tally, bound=CONCURRENCY)
    return tally


@contextmanager
def _traced(world: World, life: PanelProcess, fault: str, moment: str) -> Iterator[None]:
    """Make system calls on the store or on the folder of reports fail, by strace."""
    call, _, error = fault.partition(":")
    paths = [
        *(f"{world.database}{ending}" for ending in ("", "-wal", "-shm", ".reserve")),
        world.out / REVIEWS,
    ]
    # Of a rename strace looks at the first name alone, which is drawn; nothing but reports is renamed.
    only = [word for path in paths for word in ("-P", str(path))] if call != "rename" else []
    inject = ["-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={moment}"]
    _until_stopped(life.pid)
    with subprocess.Popen(
        [
            shutil.which("strace") or "strace",
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            *only,
            *inject,
            "-p",
            str(life.pid),
        ],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as tracer:
        _until(life.pid, "TracerPid", lambda value: value != "0")
        life.send(signal.SIGCONT)
        try:
            yield
        finally:
            tracer.wait(timeout=LONGEST)


def _until_stopped(pid: int) -> None:
    _until(pid, "State", lambda value: value[:1] in "Tt")


def _until(pid: int, name: str, wanted: object) -> None:
    """Wait until the system says of a process what is wanted."""
    while not wanted(_status(pid)[name]):  # type: ignore[operator]
        pause(REST)


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
