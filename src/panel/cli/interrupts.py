"""Ctrl-C and its kin: once to finish what is in flight, twice to leave at once."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class Interrupts:
    """Signals that arrive while a run goes on.

    Attributes:
        number: the first signal, or None.
    """

    def __init__(self) -> None:
        self.number: int | None = None

    @contextmanager
    def caught(self, first: Callable[[], None]) -> Iterator[None]:
        """Call `first` on the first signal; on the second, cancel the task that runs this block."""
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
    """Yield the signals to handle; one that whoever started the program had it ignore, as nohup does, stays ignored."""
    for name in SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            yield number
