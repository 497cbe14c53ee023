"""The tools of a batch: every input record is validated before the run starts."""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Self

from panel.core.text import counted
from panel.core.tool import Tool
from panel.errors import PanelError
from panel.tool_files.duplicates import DuplicateFinder, UniqueSlugs
from panel.tool_files.files import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from panel.tool_files.records import Record

SIMILARITY = ("url", "description")


class BadRecords(PanelError):
    """Unusable records; the problems of each were reported before."""

    exit_code = 2


class Intake:
    """The valid tools of a batch, in order, on disk when there are many; they can be iterated more than once.

    With `similar`, tools that share only the address or the description with an earlier one are valid. `report` is called with each
    problem as it is found.
    """

    def __init__(self, report: Callable[[str], None], *, similar: bool) -> None:
        self._report = report
        self._similar = similar
        self._spool = SpooledTemporaryFile(MAX_BYTES)  # noqa: SIM115 - `__exit__` closes it
        self._valid = self._invalid = self._problems = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._spool.close()

    def __len__(self) -> int:
        return self._valid

    def __iter__(self) -> Iterator[Tool]:
        self._spool.seek(0)
        while line := self._spool.readline():
            yield Tool.model_validate_json(line)

    def add(self, records: Iterable[Record]) -> None:
        """Validate all records."""
        finder, slugs = DuplicateFinder(), UniqueSlugs()
        for record in records:
            problems = record.problems
            if record.tool is not None:
                duplicate = finder.find(record.tool, record.location)
                if duplicate and not (self._similar and duplicate.field in SIMILARITY):
                    problems = (duplicate.problem(record),)
            if record.tool is not None and not problems:
                self._spool.write(slugs.assign(record.tool).model_dump_json().encode() + b"\n")
                self._valid += 1
            else:
                self._invalid += 1
                self._problems += len(problems)
                for problem in problems:
                    self._report(str(problem))

    def require_valid(self, *, skip_invalid: bool) -> None:
        """Raise `BadRecords` if there is no record or one is unusable; with `skip_invalid`, only if none is usable."""
        valid, invalid = self._valid, self._invalid
        if not invalid and not valid:
            raise BadRecords("there is no tool in what was given; nothing was written and no call was made")
        if not invalid:
            return
        summary = (
            f"{counted(self._problems, 'problem')} in {counted(invalid, 'record')} of {invalid + valid:,}"
        )
        if skip_invalid and valid:
            self._report(f"{summary}: skipped; {counted(valid, 'tool')} will be reviewed.")
            return
        others = f", or review the other {valid:,} with --skip-invalid." if valid else "."
        raise BadRecords(f"{summary}; nothing was written and no call was made. Correct them{others}")
