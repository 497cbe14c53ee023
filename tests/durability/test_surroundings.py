"""Wrong clocks, rivals, dead providers and bad input: a batch waits for nothing it should not, and says what is wrong (F6 to F11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from durability.harness.world import learned
from durability.runs_clock import CLOCKS, Clock, faked_library, jumping_clock, wrong_clock
from durability.runs_input import FAULTS, bad_input
from durability.runs_provider import DEATHS, dead_provider
from durability.runs_rivals import race, rivals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from durability.harness.world import Bench


@pytest.fixture(scope="session")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    """A clock that can be set."""
    if faked_library() is None:
        pytest.skip("faketime is not installed: apt install faketime")
    return Clock(tmp_path_factory.mktemp("clock") / "time")


@pytest.fixture(scope="session")
def wrong(bench: Bench, clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """What worlds share whose processes go by that clock."""
    with learned(tmp_path_factory.mktemp("learning"), bench.ledger, clock.env) as bench_:
        yield bench_


def test_wrong_clock_stops_nothing(bench: Bench, wrong: Bench, clock: Clock, tmp_path: Path) -> None:
    """A batch that is killed and gone on with under a wrong clock waits for no lease and pays for nothing again."""
    for name in CLOCKS:
        tally = wrong_clock(bench, tmp_path / name, wrong=wrong, clock=clock, name=name)
        assert tally.broken == [], tally
        assert tally.kills == 2


def test_clock_that_is_set_meanwhile_stops_nothing(wrong: Bench, clock: Clock, tmp_path: Path) -> None:
    """A batch goes on while the clock is set forth and back by an hour."""
    tally = jumping_clock(wrong, tmp_path, clock=clock)
    assert tally.broken == [], tally


def test_rivals_are_told_who_holds_the_run(bench: Bench, tmp_path: Path) -> None:
    """Ten processes that want a run which another one works on end with its name, and nothing is paid for twice."""
    tally = rivals(bench, tmp_path, starts=10)
    assert tally.broken == [], tally
    assert tally.notes == {"refused": 10}


def test_one_of_many_gets_a_killed_run(bench: Bench, tmp_path: Path) -> None:
    """Of processes that want the run of a killed one at the same time, one gets it, and the others are told."""
    tally = race(bench, tmp_path, rounds=1)
    assert tally.broken == [], tally
    assert tally.kills == 1


@pytest.mark.parametrize("death", DEATHS)
def test_dead_provider_stops_the_batch(bench: Bench, tmp_path: Path, death: str) -> None:
    """A provider that answers nobody stops the batch after a few calls, and it goes on once that is better."""
    tally = dead_provider(bench, tmp_path, death=death)
    assert tally.broken == [], tally


@pytest.mark.parametrize("name", FAULTS)
def test_bad_input_ends_in_a_message(bench: Bench, tmp_path: Path, name: str) -> None:
    """Input or a place that cannot be used ends the batch in one message, before anything is asked."""
    tally = bad_input(bench, tmp_path, name=name)
    assert tally.broken == [], tally
