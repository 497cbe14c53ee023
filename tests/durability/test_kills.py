"""A batch that is killed, interrupted or stopped at any moment goes on, and pays for no kept answer again (F1 to F3)."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from durability.harness.hooks import POINTS
from durability.runs_careless import careless_loop
from durability.runs_kill import interrupt_loop, kill_loop, leave_at_once_loop
from durability.runs_points import kill_points

if TYPE_CHECKING:
    from pathlib import Path

    from durability.harness.world import Bench

KILLS = 45
TOOLS = 280
"""As many as 45 kills leave hardly any of."""


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_batch_goes_on(bench: Bench, tmp_path: Path, seed: int) -> None:
    """However often a batch is killed, no kept answer is asked for again, and no reader meets half a file."""
    tally = kill_loop(bench, tmp_path, kills=KILLS, seed=seed, tools=TOOLS)
    assert tally.broken == [], tally
    assert tally.kills >= KILLS
    assert tally.repeats <= tally.bound


@pytest.mark.parametrize("seed", [1])
def test_careless_worker_is_found_out(bench: Bench, tmp_path: Path, seed: int) -> None:
    """A worker that keeps results in memory and dumps them now and then fails the same test."""
    tally = careless_loop(bench, tmp_path, kills=20, seed=seed)
    assert tally.kills >= 20
    assert tally.repeats > tally.bound
    assert tally.torn
    assert any("answers were paid for again" in line for line in tally.broken)


@pytest.mark.parametrize("point", POINTS)
def test_batch_killed_at_a_point_goes_on(bench: Bench, tmp_path: Path, point: str) -> None:
    """A batch that ends before or after any step of the order of writes is whole, and goes on."""
    tally = kill_points(bench, tmp_path, point=point, hits=(1, 3))
    assert tally.broken == [], tally
    assert tally.kills == 2


@pytest.mark.parametrize(
    ("number", "signals", "seed"), [(signal.SIGINT, 10, 1), (signal.SIGINT, 10, 2), (signal.SIGTERM, 5, 3)]
)
def test_interrupted_batch_loses_nothing(
    bench: Bench, tmp_path: Path, number: int, signals: int, seed: int
) -> None:
    """A batch that is asked to stop lets calls in flight finish, says how to go on, and pays for nothing twice."""
    tally = interrupt_loop(bench, tmp_path, signals=signals, seed=seed, number=number, tools=80)
    assert tally.broken == [], tally
    assert tally.kills >= signals
    assert tally.repeats == 0


@pytest.mark.parametrize("seed", [1])
def test_batch_that_is_told_twice_leaves_at_once(bench: Bench, tmp_path: Path, seed: int) -> None:
    """A second signal ends a batch without waiting for answers, and it goes on as after a kill."""
    tally = leave_at_once_loop(bench, tmp_path, signals=5, seed=seed, tools=60)
    assert tally.broken == [], tally
    assert tally.kills == 5
