"""Which process holds something, and whether it still lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from panel.core.base import Frozen

PROC = Path("/proc")
ENDED = {"Z", "X"}


class ProcessId(Frozen):
    """A process, told from every other one.

    Attributes:
        host: its machine's name, for people to read.
        space: what makes process numbers comparable: the machine's boot and the namespace.
        pid: its number.
        started: what tells it from a later process of the same number; empty where the system does not say.
    """

    host: str
    space: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> ProcessId:
        """Return this process."""
        pid = os.getpid()
        return cls(host=socket.gethostname(), space=_space(), pid=pid, started=_state_and_start(pid)[1])

    @property
    def has_ended(self) -> bool:
        """Whether it is known to have ended; False for a process of another machine."""
        return self.space == _space() and not self._lives()

    def _lives(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        state, started = _state_and_start(self.pid)
        return state not in ENDED and started == self.started

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def _space() -> str:
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {(PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _state_and_start(pid: int) -> tuple[str, str]:
    # Fields 3 and 22 of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; the second may hold anything in brackets.
    try:
        fields = (PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return "", ""
    return fields[0], fields[19]
