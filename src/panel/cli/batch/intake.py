"""Validates every input record of a batch before its run starts."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Self

from panel.cli.console import tell
from panel.core.tool import Tool
from panel.errors import PanelError
from panel.tool_files.duplicates import DuplicateFinder, UniqueSlugs
from panel.tool_files.files import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from panel.tool_files.duplicates import Duplicate
    from panel.tool_files.records import Record

SIMILARITY = ("url", "description")


class BadRecords(PanelError):
    """Unusable records; the problems of each were printed."""

    exit_code = 2


class Intake:
    """The valid tools of a batch, in order, on disk when there are many; they can be iterated more than once.

    With `similar`, tools that share only the address or the description with an earlier one are valid.
    """

    def __init__(self, *, similar: bool) -> None:
        self._similar = similar
        self._seen = DuplicateFinder()
        self._slugs = UniqueSlugs()
        self._spool = SpooledTemporaryFile(MAX_BYTES)  # noqa: SIM115 - `__exit__` closes it
        self._valid = self._invalid = self._problems = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spool.close()

    def __len__(self) -> int:
        return self._valid

    def __iter__(self) -> Iterator[Tool]:
        self._spool.seek(0)
        while line := self._spool.readline():
            yield Tool.model_validate_json(line)

    def add(self, records: Iterable[Record]) -> None:
        """Validate records, and print the problems of each as they are found."""
        for record in records:
            if record.tool is None:
                self._refuse(map(str, record.problems))
            elif duplicate := self._duplicate(record, record.tool):
                self._refuse([str(duplicate.problem(record))])
            else:
                self._spool.write(self._slugs.assign(record.tool).model_dump_json().encode() + b"\n")
                self._valid += 1

    def require_valid(self, *, skip_invalid: bool) -> None:
        """Raise `BadRecords` if there is no record or one is unusable; with `skip_invalid`, only if none is usable."""
        # No record follows, and the duplicate finder takes memory for every tool.
        self._seen, self._slugs = DuplicateFinder(), UniqueSlugs()
        if not self._invalid and not self._valid:
            raise BadRecords("there is no tool in what was given; nothing was written and no call was made")
        if not self._invalid:
            return
        summary = f"{_count(self._problems, 'problem')} in {_count(self._invalid, 'record')} of {self._invalid + self._valid:,}"
        if skip_invalid and self._valid:
            tell(f"{summary}: skipped; {_count(self._valid, 'tool')} will be reviewed.")
            return
        raise BadRecords(
            f"{summary}; nothing was written and no call was made. Correct them"
            + ("." if not self._valid else f", or review the other {self._valid:,} with --skip-invalid.")
        )

    def _duplicate(self, record: Record, tool: Tool) -> Duplicate | None:
        duplicate = self._seen.find(tool, record.location)
        return None if duplicate and self._similar and duplicate.field in SIMILARITY else duplicate

    def _refuse(self, problems: Iterable[str]) -> None:
        self._invalid += 1
        for problem in problems:
            self._problems += 1
            tell(problem)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
