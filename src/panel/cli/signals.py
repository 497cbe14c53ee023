"""Signals and closed pipes: the first Ctrl-C lets calls in flight finish, the second leaves at once."""

from __future__ import annotations

import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
SHELL_OFFSET = 128
INTERRUPTED = SHELL_OFFSET + 2


class SignalReceived(BaseException):
    """A signal ended the command; the exit code is the one that shells report for it."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = SHELL_OFFSET + number


def ignore_signals() -> None:
    """Ignore all signals from now on: a command that is done keeps its exit code while Python itself ends."""
    for number in _not_ignored():
        signal.signal(number, signal.SIG_IGN)


class ReaderLeft(BaseException):
    """The reader of stdout has closed the pipe, as `head` does; the exit code is that of SIGPIPE."""

    exit_code = SHELL_OFFSET + 13


class Interrupts:
    """Signals received while a command runs; `number` is the first of them, or None."""

    def __init__(self) -> None:
        self.number: int | None = None

    @contextmanager
    def caught(self, first: Callable[[], None]) -> Iterator[None]:
        """Call `first` on the first signal; on the second, cancel the task that runs this block."""
        import asyncio

        loop = asyncio.get_running_loop()
        handled = list(_not_ignored())
        task = asyncio.current_task()

        def received(number: int) -> None:
            if self.number is None:
                self.number = number
                first()
            elif task is not None:
                task.cancel()

        # Where an event loop cannot handle signals, as on Windows, Ctrl-C ends the program at once.
        with suppress(NotImplementedError):
            for number in handled:
                loop.add_signal_handler(number, received, number)
        try:
            yield
        finally:
            with suppress(NotImplementedError):
                for number in handled:
                    loop.remove_signal_handler(number)


def _not_ignored() -> Iterator[signal.Signals]:
    """Yield the signals to handle; a signal that the parent process ignores, as nohup does, stays ignored."""
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            yield number
