"""The door of a batch: what is good is put aside, and everything that is not is told, before anything is asked or kept."""

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

BY_LIKENESS = ("url", "description")


class BadRecords(PanelError):
    """Records that cannot be used; each was told already."""

    exit_code = 2


class Intake:
    """Good tools, kept in order beside memory until they are wanted; they can be gone through again and again.

    Args:
        similar: whether tools are let in that share only the address or the text with an earlier one.
    """

    def __init__(self, *, similar: bool) -> None:
        self._similar = similar
        self._seen = DuplicateFinder()
        self._slugs = UniqueSlugs()
        self._spool = SpooledTemporaryFile(MAX_BYTES)  # noqa: SIM115 - `__exit__` closes it
        self._good = self._bad = self._problems = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spool.close()

    def __len__(self) -> int:
        return self._good

    def __iter__(self) -> Iterator[Tool]:
        self._spool.seek(0)
        while line := self._spool.readline():
            yield Tool.model_validate_json(line)

    @property
    def bad(self) -> int:
        """Records that were refused."""
        return self._bad

    def take(self, records: Iterable[Record]) -> None:
        """Go through records; tell everything that is wrong with each as it is found."""
        for record in records:
            if record.tool is None:
                self._refuse(map(str, record.problems))
            elif twin := self._twin(record, record.tool):
                self._refuse([str(twin.problem(record))])
            else:
                self._spool.write(self._slugs.assign(record.tool).model_dump_json().encode() + b"\n")
                self._good += 1

    def settle(self, *, skip_invalid: bool) -> None:
        """Refuse the whole batch for the sake of bad records, unless they are to be skipped.

        Raises:
            BadRecords: there are some, or nothing else.
        """
        # Nothing comes after this, and what tells duplicates takes a kilobyte a tool.
        self._seen, self._slugs = DuplicateFinder(), UniqueSlugs()
        if not self._bad and not self._good:
            raise BadRecords("there is no tool in what was given; nothing was written and no call was made")
        if not self._bad:
            return
        summary = f"{_count(self._problems, 'problem')} in {_count(self._bad, 'record')} of {self._bad + self._good:,}"
        if skip_invalid and self._good:
            tell(f"{summary}: skipped; {_count(self._good, 'tool')} will be reviewed.")
            return
        raise BadRecords(
            f"{summary}; nothing was written and no call was made. Correct them"
            + ("." if not self._good else f", or go on with the other {self._good:,} by --skip-invalid.")
        )

    def _twin(self, record: Record, tool: Tool) -> Duplicate | None:
        twin = self._seen.find(tool, record.location)
        return None if twin and self._similar and twin.field in BY_LIKENESS else twin

    def _refuse(self, problems: Iterable[str]) -> None:
        self._bad += 1
        for problem in problems:
            self._problems += 1
            tell(problem)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
