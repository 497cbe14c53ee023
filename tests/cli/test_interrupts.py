from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vendor_server import Play, Request, ThreadedVendorServer, take_play

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOL = Path(__file__).parents[2] / "fixtures" / "tools" / "smollm3.yaml"
LONGEST_WAIT = 30


class SlowServer(ThreadedVendorServer):
    """A loopback server that says when it is asked, and answers when it is told to."""

    def __init__(self) -> None:
        self.asked, self.told = threading.Event(), threading.Event()
        super().__init__(self._wait)

    def _wait(self, request: Request) -> Play:
        self.asked.set()
        self.told.wait(LONGEST_WAIT)
        return take_play(request)


@pytest.fixture
def server() -> Iterator[SlowServer]:
    """A slow server for as long as a test runs."""
    server = SlowServer()
    yield server
    server.told.set()
    server.close()


@pytest.fixture
def run(server: SlowServer, tmp_path: Path) -> subprocess.Popen[str]:
    """A review that waits for the server, two calls at a time."""
    model = ["--model", "openai-compatible:m", "--base-url", f"{server.url}/v1"]
    return subprocess.Popen(
        [sys.executable, "-m", "panel", "review", str(TOOL), *model, "--concurrency", "2"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_first_signal_lets_calls_in_flight_finish(
    number: int, code: int, server: SlowServer, run: subprocess.Popen[str], tmp_path: Path
) -> None:
    """After one signal no further call starts, those in flight are waited for, and their answers are in the report."""
    assert server.asked.wait(LONGEST_WAIT)
    run.send_signal(number)
    assert run.stderr is not None
    while "Finishing the calls in flight" not in run.stderr.readline():
        assert run.poll() is None
    server.told.set()
    _, err = run.communicate(timeout=LONGEST_WAIT)
    assert run.returncode == code
    assert "interrupted" in err
    assert "Traceback" not in err
    assert len(server.requests) <= 2
    written = json.loads((tmp_path / "outputs" / "reviews" / "smollm3.json").read_text("utf-8"))
    assert written["summary"]["takes_given"] == len(server.requests)


def test_second_signal_leaves_at_once(server: SlowServer, run: subprocess.Popen[str], tmp_path: Path) -> None:
    """A second signal ends the run without waiting for any answer, and leaves no half-written file."""
    assert server.asked.wait(LONGEST_WAIT)
    run.send_signal(signal.SIGINT)
    assert run.stderr is not None
    while "Finishing the calls in flight" not in run.stderr.readline():
        assert run.poll() is None
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=LONGEST_WAIT)
    assert run.returncode == 130
    assert "left at once" in err
    assert "Traceback" not in err
    assert not server.told.is_set()
    assert [path for path in (tmp_path / "outputs").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_python_ends_does_not_change_the_exit_code(number: signal.Signals) -> None:
    code = (
        "import atexit, os, signal, sys\n"
        "from panel.cli import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background jobs ignore it
        f"atexit.register(os.kill, os.getpid(), {int(number)})\n"
        "sys.argv = ['panel', '--version']\n"
        "main()\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout.split()[0], ran.stderr) == (0, "panel", "")
