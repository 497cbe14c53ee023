"""Writing reports: whole files or none, and never over an earlier review that was paid for."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from panel.atomic_files import write_whole
from panel.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

REVIEWS, COMPARISONS, EARLIER = "reviews", "compare", "earlier"


class Outputs:
    """The folder that reports are written to.

    Args:
        folder: where; it is made if it is missing.
        formats: endings of the files to write, of `html`, `md` and `json`.
    """

    def __init__(self, folder: Path, formats: Iterable[str]) -> None:
        self._folder = folder
        self._formats = tuple(formats)

    def prepare(self) -> None:
        """Make the folders and try them, before anything is paid for.

        Raises:
            StorageError: they cannot be written to.
        """
        for name in (REVIEWS, COMPARISONS):
            folder = self._folder / name
            with _storage(folder):
                folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=folder):
                    pass

    def has(self, kind: str, slug: str) -> bool:
        """Whether all reports of a review or comparison are there."""
        return all((self._folder / kind / f"{slug}.{ending}").exists() for ending in self._formats)

    def write(self, kind: str, slug: str, reports: Mapping[str, str]) -> list[Path]:
        """Write the reports in force of one review or comparison, and return their paths in the order of the formats."""
        written = []
        for ending in self._formats:
            path = self._folder / kind / f"{slug}.{ending}"
            with _storage(path):
                write_whole(path, reports[ending])
            written.append(path)
        return written

    def write_review(self, slug: str, reports: Mapping[str, str]) -> list[Path]:
        """Write the reports of a review; an earlier review of the same tool is kept under the time at which it was written.

        It stays in force until the new one is written, so that a full disk leaves one of the two.
        """
        earlier = [
            path
            for path in sorted((self._folder / REVIEWS).glob(f"{slug}.*"))
            if path.suffixes == [path.suffix]
        ]
        for path in earlier:
            with _storage(path):
                _keep_aside(path)
        written = self.write(REVIEWS, slug, reports)
        for path in set(earlier) - set(written):
            with _storage(path):
                path.unlink()
        return written


def _keep_aside(path: Path) -> None:
    folder = path.parent / EARLIER
    folder.mkdir(exist_ok=True)
    kept = folder / f"{path.stem}.{path.stat().st_mtime_ns}{path.suffix}"
    if kept.exists():
        return
    try:
        kept.hardlink_to(path)
    except OSError:  # a file system without links
        shutil.copy2(path, kept)


@contextmanager
def _storage(path: Path) -> Iterator[None]:
    """Turn an OSError about a path into a StorageError that names it."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}; choose another folder with --out") from error
