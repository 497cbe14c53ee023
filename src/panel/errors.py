"""Every exception that panel raises on purpose.

    PanelError                    message, exit_code
    ├── InputError            2   bad tool file, review file, persona or prompt; lists every Problem
    ├── SettingsError         2   bad setting or usage, a missing key included
    ├── GateError             4   a rule of publication refused
    ├── StorageError         74   a file or the user's data folder could not be written
    │   └── NotFound          2   the store has nothing of that number
    ├── RunStopped           75   stopped early, can be run again
    └── ProviderError             one call failed; the orchestrator turns it into a seat without a take
        ├── ProviderTransient     worth another attempt
        │   ├── ProviderTimeout       no answer within the call's limit
        │   ├── ProviderBusy          rate limit, overload, trouble at the provider's
        │   ├── ProviderUnreachable   no connection, or one that broke
        │   └── ProviderGarbled       something that the provider's API does not send
        ├── ProviderDown          no call can succeed: key, quota, unknown model; stops the run
        ├── OverBudget            the budget does not cover this call
        └── CallNotMade           the run was stopped before this call

Failures of a model are values (`panel.core.take.NoTake`); failures of the set-up are exceptions.
Exit codes are those of the contract in `docs/architecture.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SHOWN_PROBLEMS = 20


class PanelError(Exception):
    """Base of all deliberate errors: `str(error)` is what a user reads, without a traceback."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a piece of input.

    Attributes:
        source: file name or `-` for stdin.
        message: what is wrong and what to do about it.
        line: line number from 1, if known.
        field: dotted field name such as `facts.2.source`, if one is at fault.
        item: number of the record from 1, where a file holds several.
    """

    source: str
    message: str
    line: int | None = None
    field: str | None = None
    item: int | None = None

    def __str__(self) -> str:
        place = [self.source]
        if self.line is not None:
            place.append(f"line {self.line}")
        if self.item is not None:
            place.append(f"item {self.item}")
        if self.field is not None:
            place.append(self.field)
        return f"{', '.join(place)}: {self.message}"


class InputError(PanelError):
    """Input that cannot be used; nothing was written and no call was made."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(_listing([str(problem) for problem in self.problems]))


class SettingsError(PanelError):
    """A setting, a flag or a key that is missing or cannot be used."""

    exit_code = 2


class GateError(PanelError):
    """A rule of publication refused."""

    exit_code = 4


class StorageError(PanelError):
    """A file could not be written or read back."""

    exit_code = 74


class NotFound(StorageError):
    """The store holds nothing of the number that was asked for."""

    exit_code = 2


class RunStopped(PanelError):
    """The run ended before all work was done; the message says how to go on."""

    exit_code = 75


class ProviderError(PanelError):
    """One call to a provider failed for good.

    Attributes:
        attempts: calls that were made in vain; 0 if none was.
        lost_calls: those of them that may have been billed.
    """

    def __init__(self, message: str, *, attempts: int = 1, lost_calls: int = 0) -> None:
        super().__init__(message)
        self.attempts = attempts
        self.lost_calls = lost_calls


class ProviderTransient(ProviderError):
    """The call may succeed if it is made again.

    Attributes:
        most_attempts: calls after which another one is pointless.
    """

    most_attempts = 4


class ProviderTimeout(ProviderTransient):
    """The provider did not answer within the limit of one call, and may bill it all the same."""

    def __init__(self, message: str, *, attempts: int = 1, lost_calls: int = 1) -> None:
        super().__init__(message, attempts=attempts, lost_calls=lost_calls)


class ProviderBusy(ProviderTransient):
    """The provider cannot answer at the moment.

    Attributes:
        retry_after: seconds that it asks to wait, or None.
        slow_down: whether there were too many calls for it, so that all of them should slow down.
    """

    def __init__(
        self, message: str, retry_after: float | None = None, *, slow_down: bool = False, lost_calls: int = 0
    ) -> None:
        super().__init__(message, lost_calls=lost_calls)
        self.retry_after = retry_after
        self.slow_down = slow_down


class ProviderUnreachable(ProviderTransient):
    """No connection could be made, or one broke before the answer was there."""


class ProviderGarbled(ProviderTransient):
    """Something came under the status of a success that is no answer, as a proxy or a broken server might send."""

    most_attempts = 2


class ProviderDown(ProviderError):
    """No call to this provider can succeed until somebody acts: key, quota, unknown model."""


class OverBudget(ProviderError):
    """The call was not made because what is left of the budget does not cover it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, attempts=0)


class CallNotMade(ProviderError):
    """The run was stopped before this call was made."""

    def __init__(self, message: str) -> None:
        super().__init__(message, attempts=0)


def _listing(lines: list[str]) -> str:
    if len(lines) <= 1:
        return "".join(lines)
    shown = lines[:SHOWN_PROBLEMS]
    rest = len(lines) - len(shown)
    tail = [f"… and {rest} more"] if rest else []
    return "\n".join([*shown, *tail, f"{len(lines)} errors; nothing was written and no call was made."])
