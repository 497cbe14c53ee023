"""A disk that is full, or a system call that fails, ends a batch in one line and loses no answer (F4 and F5)."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from durability.runs_disk import FAULTS, STORAGE, can_mount, full_disk, system_fault

if TYPE_CHECKING:
    from pathlib import Path

    from durability.harness.world import Bench

TOO_SMALL, SIZES = (256, 320, 448, 576), (768, 896, 1_024, 1_536)


@pytest.fixture
def mounts(tmp_path: Path) -> None:
    """Leave to mount file systems."""
    if not can_mount(tmp_path / "probe"):
        pytest.skip("this user may not mount file systems: run as root, in a container with CAP_SYS_ADMIN")


@pytest.mark.usefixtures("mounts")
@pytest.mark.parametrize("size", TOO_SMALL)
def test_disk_without_room_is_refused_first(bench: Bench, tmp_path: Path, size: int) -> None:
    """A disk that does not hold the reserve and the tables ends the batch before its first call."""
    tally = full_disk(bench, tmp_path, size=size, tools=5)
    assert tally.broken == [], tally
    assert (tally.notes["exit"], tally.notes["asked"]) == (STORAGE, 0)


@pytest.mark.usefixtures("mounts")
@pytest.mark.parametrize("size", SIZES)
def test_full_disk_loses_no_answer(bench: Bench, tmp_path: Path, size: int) -> None:
    """A disk that fills up in the middle ends the batch with all that was paid for; with more room it goes on."""
    tally = full_disk(bench, tmp_path, size=size)
    assert tally.broken == [], tally
    assert tally.notes["asked"]
    assert tally.repeats == 0


@pytest.mark.usefixtures("mounts")
def test_full_disk_of_reports_loses_no_answer(bench: Bench, tmp_path: Path) -> None:
    """A full disk under the reports ends the batch likewise, and the reports are written when there is room."""
    tally = full_disk(bench, tmp_path, size=64, reports=True)
    assert tally.broken == [], tally
    assert tally.notes["asked"]


@pytest.mark.parametrize("moment", ["1", "5"])
@pytest.mark.parametrize("fault", FAULTS)
def test_failing_system_call_ends_in_a_line(bench: Bench, tmp_path: Path, fault: str, moment: str) -> None:
    """A system call that fails under the store or the reports ends the batch in a line, and it goes on later."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: apt install strace")
    tally = system_fault(bench, tmp_path, fault=fault, moment=moment)
    assert tally.broken == [], tally
    if moment == "1":
        assert tally.notes["exit"] == STORAGE
