"""Points at which a process kills itself, so that a test can kill it exactly there."""

from __future__ import annotations

import functools
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import panel.atomic_files
from panel.providers.sdk import SdkProvider
from panel.store.calls import Calls
from panel.store.drafts import Drafts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

KILLED = 137
STEPS = ("intent", "call", "take", "draft", "tmp", "fsync", "rename")
POINTS = tuple(f"{step}:{side}" for step in STEPS for side in ("before", "after"))


class Countdown:
    """Kills the process when one side of a step, `before` or `after`, was reached `hits` times."""

    def __init__(self, side: str, hits: int) -> None:
        self._side = side
        self._left = hits

    def passed(self, side: str) -> None:
        self._left -= side == self._side
        if self._left == 0:
            os._exit(KILLED)

    def around(self, work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def counted(*arguments: Any, **more: Any) -> Any:
            self.passed("before")
            result = work(*arguments, **more)
            self.passed("after")
            return result

        return counted

    def around_async(self, work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @functools.wraps(work)
        async def counted(*arguments: Any, **more: Any) -> Any:
            self.passed("before")
            result = await work(*arguments, **more)
            self.passed("after")
            return result

        return counted


def install(hook: str) -> None:
    """Make this process kill itself at a point, written as `STEP:SIDE:HITS`, such as `intent:before:3`."""
    step, side, hits = hook.split(":")
    _INSTALL[step](Countdown(side, int(hits)))


def _method(owner: type, name: str) -> Callable[[Countdown], None]:
    return lambda countdown: setattr(owner, name, countdown.around_async(getattr(owner, name)))


class _ModuleWith:
    """A stand-in for a module with one function replaced."""

    def __init__(self, module: object, **replaced: object) -> None:
        self._module = module
        vars(self).update(replaced)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def _replace(name: str, standing: object) -> None:
    setattr(panel.atomic_files, name, standing)


def _tmp(countdown: Countdown) -> None:
    _replace("tempfile", _ModuleWith(tempfile, mkstemp=countdown.around(tempfile.mkstemp)))


def _fsync(countdown: Countdown) -> None:
    _replace("os", _ModuleWith(os, fsync=countdown.around(os.fsync)))


def _rename(countdown: Countdown) -> None:
    class Renamed(type(Path())):  # type: ignore[misc]  # pathlib's class for this system
        replace = countdown.around(Path.replace)

    _replace("Path", Renamed)


_INSTALL: dict[str, Callable[[Countdown], None]] = {
    "intent": _method(Calls, "begin_once"),
    "call": _method(SdkProvider, "post"),
    "take": _method(Calls, "settle"),
    "draft": _method(Drafts, "put"),
    "tmp": _tmp,
    "fsync": _fsync,
    "rename": _rename,
}
