"""Processes of panel that tests start, watch and kill."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TESTS = Path(__file__).parents[2]
LONGEST = 60.0
PANEL = "panel.cli:main"
HUNG = -999


@dataclass(frozen=True, slots=True)
class Start:
    """Parameters of a process.

    Attributes:
        argv: the arguments.
        cwd: its folder, which also gets its output.
        env: its whole environment.
        target: the function that it calls, as `module:function`; the arguments are in `sys.argv`.
        hook: point at which it kills itself, such as `intent:before:3`; see `hooks`.
        stdin: what it reads; None for a closed descriptor.
        limits: its resource limits, by the names of `resource`.
        stopped: whether it waits for SIGCONT before it begins.
    """

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    target: str = PANEL
    hook: str | None = None
    stdin: str | None = os.devnull
    limits: Mapping[str, int] = field(default_factory=dict)
    stopped: bool = False

    def order(self) -> dict[str, Any]:
        streams = {"out": str(self.cwd / "stdout"), "err": str(self.cwd / "stderr")}
        fields = {name: getattr(self, name) for name in self.__slots__}
        return {**fields, **streams, "argv": list(self.argv), "cwd": str(self.cwd), "env": dict(self.env)}


class PanelProcess:
    """A process that was started.

    Attributes:
        pid: its PID, which is not reused until its end was seen.
        peak_kb: peak memory in KB, once it has ended.
    """

    def __init__(self, fork_server: ForkServer, pid: int, start: Start) -> None:
        self.pid = pid
        self.peak_kb = 0
        self._fork_server = fork_server
        self._start = start
        self._code: int | None = None

    @property
    def ended(self) -> bool:
        return self._look(0.0)

    @property
    def err(self) -> str:
        """The stderr of this process and of earlier ones in the same folder."""
        return (self._start.cwd / "stderr").read_text("utf-8", "replace")

    @property
    def out(self) -> str:
        return (self._start.cwd / "stdout").read_text("utf-8", "replace")

    def send(self, number: int) -> None:
        """Send a signal unless the process has ended."""
        if self._code is None:
            os.kill(self.pid, number)

    def wait(self, seconds: float = LONGEST) -> int:
        """Return the exit code, or minus the signal that ended it; kill a process that takes too long and return HUNG."""
        if not self._look(seconds):
            os.kill(self.pid, signal.SIGKILL)
            self._look(LONGEST)
            self._code = HUNG
        assert self._code is not None
        return self._code

    def _look(self, seconds: float) -> bool:
        if self._code is None:
            end = self._fork_server.ask("wait", pid=self.pid, seconds=seconds)
            if end is not None:
                self._code, self.peak_kb = end["code"], end["peak_kb"]
        return self._code is not None


class ForkServer:
    """A process that has imported everything and from which processes are forked; `env` is added to its environment."""

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        ours, its = socket.socketpair()
        path = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH", "")]))
        with its:
            self._process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("fork_server.py"), str(its.fileno())],
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path, **(env or {})},
            )
        self._channel = ours
        self._lines = ours.makefile("rw", encoding="utf-8")

    def close(self) -> None:
        self._lines.close()
        self._channel.close()
        self._process.wait(timeout=10)

    def learn(self, start: Start) -> None:
        """Import what a command needs."""
        self.ask("learn", **start.order(), modules=str(start.cwd / "modules.json"))

    def start(self, start: Start) -> PanelProcess:
        return PanelProcess(self, self.ask("start", **start.order()), start)

    def ask(self, order: str, **more: Any) -> Any:
        self._lines.write(json.dumps({"order": order, **more}) + "\n")
        self._lines.flush()
        return json.loads(self._lines.readline())


def pause(seconds: float) -> None:
    """Let the process under test run for a while; the time of a kill is random by design."""
    time.sleep(seconds)
