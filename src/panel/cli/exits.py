"""How a command ends when it is neither done nor in error."""

from __future__ import annotations

SHELL_OFFSET = 128
INTERRUPTED = SHELL_OFFSET + 2


class SignalReceived(BaseException):
    """The user, or the system, wants the program to end; the exit code is what a shell reports for that signal."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = SHELL_OFFSET + number


class ReaderLeft(BaseException):
    """What reads our output has gone, as `head` does; the exit code is what a shell reports for it (SIGPIPE)."""

    exit_code = SHELL_OFFSET + 13
