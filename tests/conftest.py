"""What all tests share: nothing reaches the outside, nothing reads the user's settings, no skip goes unseen in CI."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from pathlib import Path

# The same examples each time, and none of them timed: a machine that is busy is no fault of the code.
settings.register_profile(
    "facts", database=None, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("facts")

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
SKIPPED: list[str] = []


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio, as the program does."""
    return "asyncio"


@pytest.fixture(autouse=True)
def own_world(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each test has a home of its own and none of the caller's settings or keys."""
    home = tmp_path_factory.mktemp("home")
    for name in os.environ:
        if name.startswith(("PANEL_", "OPENAI_", "ANTHROPIC_", "XDG_")) and name != "PANEL_NO_SKIPS":
            monkeypatch.delenv(name)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PANEL_DATA_DIR", str(home / "data"))
    return home


@pytest.fixture(autouse=True)
def no_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anywhere but loopback fails the test."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in LOOPBACK:
            pytest.fail(f"a test tried to connect to {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember which test was skipped."""
    if report.skipped and not hasattr(report, "wasxfail"):
        SKIPPED.append(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Remember which module was skipped."""
    if report.skipped:
        SKIPPED.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that must not skip anything."""
    if os.environ.get("PANEL_NO_SKIPS") and SKIPPED and not hasattr(session.config, "workerinput"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        for name in SKIPPED:
            print(f"skipped where nothing may be: {name}")  # noqa: T201 - the run's last words
