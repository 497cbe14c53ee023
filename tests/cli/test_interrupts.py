from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from acting import reply

if TYPE_CHECKING:
    from collections.abc import Iterator

TOOL = Path(__file__).parents[2] / "fixtures" / "tools" / "smollm3.yaml"
LONGEST_WAIT = 30


class SlowServer(ThreadingHTTPServer):
    """A loopback server that says when it is asked, and answers when it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked, self.told, self.calls = threading.Event(), threading.Event(), 0


class _Handler(BaseHTTPRequestHandler):
    server: SlowServer

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.calls += 1
        self.server.asked.set()
        self.server.told.wait(LONGEST_WAIT)
        message = {"role": "assistant", "content": reply()}
        body = json.dumps({"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}).encode()
        try:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[SlowServer]:
    """A slow server for as long as a test runs."""
    server = SlowServer()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.told.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(server: SlowServer, tmp_path: Path) -> subprocess.Popen[str]:
    """A review that waits for the server, two calls at a time."""
    model = ["--model", "openai-compatible:m", "--base-url", f"http://127.0.0.1:{server.server_port}/v1"]
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
    assert server.calls <= 2
    written = json.loads((tmp_path / "outputs" / "reviews" / "smollm3.json").read_text("utf-8"))
    assert written["summary"]["takes_given"] == server.calls


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
