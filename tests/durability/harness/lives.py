"""Processes that are started, watched and killed."""

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
PANEL = "panel.cli:run"
HUNG = -999


@dataclass(frozen=True, slots=True)
class Start:
    """How a process is started.

    Attributes:
        argv: the arguments.
        cwd: its folder, which also gets its output.
        env: its whole environment.
        target: the function that it calls with the arguments, as `module:function`.
        hook: where it is to end itself, such as `intent:before:3`; see `hooks`.
        stdin: what it reads; None for a closed descriptor.
        limits: its resource limits, by the names of `resource`.
        stopped: whether it stops itself before it begins, until it gets SIGCONT.
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


class Life:
    """One process, from its start to its end.

    Attributes:
        pid: its number, which is nobody else's until its end was seen.
        peak_kb: the most memory it held, in KB, once it ended.
    """

    def __init__(self, zygote: Zygote, pid: int, start: Start) -> None:
        self.pid = pid
        self.peak_kb = 0
        self._zygote = zygote
        self._start = start
        self._code: int | None = None

    @property
    def ended(self) -> bool:
        return self._look(0.0)

    @property
    def err(self) -> str:
        """What it, and those before it in the same folder, said on stderr."""
        return (self._start.cwd / "stderr").read_text("utf-8", "replace")

    @property
    def out(self) -> str:
        return (self._start.cwd / "stdout").read_text("utf-8", "replace")

    def send(self, number: int) -> None:
        """Send a signal, unless its end was seen."""
        if self._code is None:
            os.kill(self.pid, number)

    def wait(self, seconds: float = LONGEST) -> int:
        """Return its exit code, or minus the signal that ended it; one that lasts too long is killed and counts as hung."""
        if not self._look(seconds):
            os.kill(self.pid, signal.SIGKILL)
            self._look(LONGEST)
            self._code = HUNG
        assert self._code is not None
        return self._code

    def _look(self, seconds: float) -> bool:
        if self._code is None:
            end = self._zygote.ask("wait", pid=self.pid, seconds=seconds)
            if end is not None:
                self._code, self.peak_kb = end["code"], end["peak_kb"]
        return self._code is not None


class Zygote:
    """What processes are forked from.

    Args:
        prefix: a command that runs it, such as `faketime`.
        env: what is added to its own environment.
    """

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        ours, its = socket.socketpair()
        path = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH", "")]))
        with its:
            self._process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("zygote.py"), str(its.fileno())],
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

    def start(self, start: Start) -> Life:
        return Life(self, self.ask("start", **start.order()), start)

    def ask(self, order: str, **more: Any) -> Any:
        self._lines.write(json.dumps({"order": order, **more}) + "\n")
        self._lines.flush()
        return json.loads(self._lines.readline())


def pause(seconds: float) -> None:
    """Let the process under test go on for a while: the moment of a kill is what is drawn."""
    time.sleep(seconds)
