"""A server that imports everything once and forks a child for each start, so that tests do not time imports.

It reads requests as lines of JSON from the socket whose descriptor is its argument: `start` forks a child, `wait` returns how a child ended,
`learn` runs one command and imports what that command needed.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

Order = dict[str, Any]


def main() -> None:
    """Serve requests until the socket is closed."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    with channel, channel.makefile("rw", encoding="utf-8") as lines:
        for line in lines:
            order = json.loads(line)
            answer = _ORDERS[order["order"]](order, channel)
            lines.write(json.dumps(answer) + "\n")
            lines.flush()


def start(order: Order, channel: socket.socket) -> int:
    """Fork a child that does what is ordered, and return its number."""
    pid = os.fork()
    if pid == 0:
        channel.detach()
        os.close(int(sys.argv[1]))
        _live(order)
    return pid


def wait(order: Order, _channel: socket.socket) -> dict[str, int] | None:
    """Return a child's exit code, or minus its signal, and its peak memory in KB; None if it is still running."""
    handle = os.pidfd_open(order["pid"])
    try:
        if not select.select([handle], [], [], order["seconds"])[0]:
            return None
    finally:
        os.close(handle)
    _, status, usage = os.wait4(order["pid"], 0)
    return {"code": os.waitstatus_to_exitcode(status), "peak_kb": usage.ru_maxrss}


def learn(order: Order, channel: socket.socket) -> list[str]:
    """Import what a command needs, and return what could not be."""
    wait({"pid": start(order, channel), "seconds": 60.0}, channel)
    names = json.loads(Path(order["modules"]).read_text("utf-8"))
    # One that begins with an underscore comes with the module that it belongs to; by itself it may come in halves.
    public = [name for name in names if not name.startswith("_") and name not in sys.modules]
    missed = [name for name in public if not _imported(name)]
    assert threading.active_count() == 1, "a process with threads must not fork"
    return missed


_ORDERS = {"start": start, "wait": wait, "learn": learn}


def _imported(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _live(order: Order) -> NoReturn:
    """Become the program: its streams, folder, environment and limits."""
    # What a shell starts in the background ignores this signal, and so would whatever that starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    _streams(order)
    for name, most in order["limits"].items():
        resource.setrlimit(getattr(resource, name), (most, most))
    if order["hook"]:
        importlib.import_module("durability.harness.hooks").install(order["hook"])
    if order["stopped"]:
        os.kill(os.getpid(), signal.SIGSTOP)
    module, name = order["target"].split(":")
    sys.argv[1:] = order["argv"]
    try:
        sys.exit(getattr(importlib.import_module(module), name)())
    finally:
        if "modules" in order:
            Path(order["modules"]).write_text(json.dumps(sorted(sys.modules)), "utf-8")


def _streams(order: Order) -> None:
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    for number, path, flags in ((1, order["out"], append), (2, order["err"], append)):
        handle = os.open(path, flags, 0o644)
        os.dup2(handle, number)
        os.close(handle)
    if order["stdin"] is None:
        os.close(0)
        sys.stdin = None  # as Python does where descriptor 0 is closed
        return
    handle = os.open(order["stdin"], os.O_RDONLY)
    os.dup2(handle, 0)
    os.close(handle)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
