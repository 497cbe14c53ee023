"""The identity of a process, and whether that process is still alive."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from panel.core.frozen import Frozen

PROC = Path("/proc")
_ENDED_STATES = {"Z", "X"}


class ProcessId(Frozen):
    """A process, distinguished from all others.

    Attributes:
        host: name of its machine, for people to read.
        space: the machine's boot and PID namespace; two PIDs can be compared only within one.
        pid: its PID.
        started: start time in clock ticks, which tells it from a later process of the same PID; empty where the system does not report it.
    """

    host: str
    space: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> ProcessId:
        """Return the identity of this process."""
        pid = os.getpid()
        return cls(
            host=socket.gethostname(), space=_current_space(), pid=pid, started=_state_and_start(pid)[1]
        )

    @property
    def is_local(self) -> bool:
        """Whether the process is of this machine, so that it can be seen from here."""
        return self.space == _current_space()

    @property
    def has_ended(self) -> bool:
        """Whether the process is known to have ended; False for one of another machine."""
        return self.is_local and not self._is_alive()

    def _is_alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        state, started = _state_and_start(self.pid)
        return state not in _ENDED_STATES and started == self.started

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def _current_space() -> str:
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {(PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _state_and_start(pid: int) -> tuple[str, str]:
    # Fields 3 and 22 of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; field 2 may hold anything in brackets.
    try:
        fields = (PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return "", ""
    return fields[0], fields[19]
