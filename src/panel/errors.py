"""The exceptions that panel raises on purpose.

    PanelError                    message, exit_code
    ├── InputError            2   bad tool file, report, persona or prompt; lists every Problem
    ├── SettingsError         2   bad setting or usage, a missing key included
    ├── GateError             4   an approval rule refused
    ├── StorageError         74   a file or the database could not be written or read
    │   └── NotFound          2   the store has no such draft or run
    ├── RunStopped           75   stopped early and resumable
    └── ProviderError             one call failed; becomes a seat without a take
        ├── ProviderTransient     worth another attempt
        │   ├── ProviderTimeout       no answer within the call's limit
        │   ├── ProviderBusy          rate limit, overload or an error of the provider
        │   ├── ProviderUnreachable   no connection, or a broken one
        │   └── ProviderGarbled       a response that is not the provider's API
        ├── ProviderDown          no call can succeed: key, quota, unknown model; stops the run
        ├── OverBudget            the budget does not cover this call
        └── CallNotMade           the run was stopped before this call

A model that fails is a value (`panel.core.take.NoTake`); a setup that fails is an exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN_PROBLEMS = 20


class PanelError(Exception):
    """Base of all deliberate errors; `str(error)` is the line that a user reads."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """One error in a file (`-` for stdin) and its remedy; lines and records (`item`) count from 1, fields are dotted: `facts.2.source`."""

    source: str
    message: str
    line: int | None = None
    field: str | None = None
    item: int | None = None

    def __str__(self) -> str:
        line = None if self.line is None else f"line {self.line}"
        item = None if self.item is None else f"item {self.item}"
        place = ", ".join(filter(None, (self.source, line, item, self.field)))
        return f"{place}: {self.message}"


class InputError(PanelError):
    """Invalid input; nothing was written and no call was made."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems]
        if len(lines) > 1:
            rest = len(lines) - SHOWN_PROBLEMS
            summary = f"{len(lines)} errors; nothing was written and no call was made."
            lines = [*lines[:SHOWN_PROBLEMS], *([f"… and {rest} more"] if rest > 0 else []), summary]
        super().__init__("\n".join(lines))

    @classmethod
    def at(cls, source: str, message: str, line: int | None = None, field: str | None = None) -> InputError:
        """Return the error of a file with a single problem."""
        return cls([Problem(source, message, line, field)])


class SettingsError(PanelError):
    """A missing or invalid setting, flag or key."""

    exit_code = 2


class GateError(PanelError):
    """An approval rule refused."""

    exit_code = 4


class StorageError(PanelError):
    """A file or the database could not be written or read."""

    exit_code = 74


class NotFound(StorageError):
    """The store has no draft or run of this number."""

    exit_code = 2


class RunStopped(PanelError):
    """The run stopped early; the message says how to resume it."""

    exit_code = 75


class ProviderError(PanelError):
    """A call to a provider failed: `attempts` requests in all, of which `lost_calls` may have been billed."""

    attempts = 1
    lost_calls = 0

    def __init__(self, message: str, *, attempts: int | None = None, lost_calls: int | None = None) -> None:
        super().__init__(message)
        if attempts is not None:
            self.attempts = attempts
        if lost_calls is not None:
            self.lost_calls = lost_calls


class ProviderTransient(ProviderError):
    """The call may succeed on another attempt, up to `most_attempts` in all."""

    most_attempts = 4


class ProviderTimeout(ProviderTransient):
    """The provider did not answer in time; it may still bill the call."""

    lost_calls = 1


class ProviderBusy(ProviderTransient):
    """The provider cannot answer now: wait `retry_after` seconds; with `slow_down`, the rate of all calls should fall."""

    def __init__(
        self, message: str, retry_after: float | None = None, *, slow_down: bool = False, lost_calls: int = 0
    ) -> None:
        super().__init__(message, lost_calls=lost_calls)
        self.retry_after = retry_after
        self.slow_down = slow_down


class ProviderUnreachable(ProviderTransient):
    """The connection failed or broke before the answer arrived."""


class ProviderGarbled(ProviderTransient):
    """A response with a success status that is no answer, as from a proxy or a broken server."""

    most_attempts = 2


class ProviderDown(ProviderError):
    """No call to this provider can succeed until its key, quota or model name is put right."""


class OverBudget(ProviderError):
    """The call was not made because the remaining budget does not cover it."""

    attempts = 0


class CallNotMade(ProviderError):
    """The run was stopped before this call was made."""

    attempts = 0
