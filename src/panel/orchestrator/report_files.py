"""Report files on disk: each whole or not at all, and never over an earlier review that was paid for."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panel.atomic_files import try_writing, write_whole
from panel.errors import StorageError
from panel.orchestrator.setup import report_context
from panel.report import Editorial, render_report

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from panel.checks import Finding
    from panel.core.comparison import Comparison
    from panel.core.persona import Persona
    from panel.core.review import PanelReview
    from panel.report import ReportContext
    from panel.settings.fields import Settings

REVIEWS, COMPARISONS, EARLIER = "reviews", "compare", "earlier"


def report_files(settings: Settings, available: Mapping[str, Persona], suffix: str = "") -> ReportFiles:
    """Return the report files that the settings ask for; `available` are all personas by id."""
    return ReportFiles(settings.out, settings.format, report_context(available.values()), suffix)


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The folder that report files are written to, with the endings of the files; created if it is missing.

    `suffix` follows the tool's slug in file names, to tell the models of one command apart. Methods raise StorageError if a file cannot
    be written.
    """

    folder: Path
    formats: tuple[str, ...]
    context: ReportContext
    suffix: str = ""

    def prepare(self) -> None:
        """Create the folders and try to write to them, before anything is paid for."""
        for name in (REVIEWS, COMPARISONS):
            folder = self.folder / name
            with _storage(folder):
                folder.mkdir(parents=True, exist_ok=True)
                try_writing(folder)

    def has_review(self, slug: str) -> bool:
        """Whether all report files of a review exist."""
        return all((self.folder / REVIEWS / f"{slug}.{ending}").exists() for ending in self.formats)

    def write_review(self, review: PanelReview, findings: tuple[Finding, ...]) -> list[Path]:
        """Write the report files of a review and return their paths; none if no seat was answered.

        Earlier files of the same tool are kept under the time at which they were written. They stay in place until the new ones are
        written, so that a full disk leaves one of the two.
        """
        if not review.answered:
            return []
        slug = review.tool.slug + self.suffix
        reports = self._rendered(review, [Editorial(findings=findings)])
        paths = (self.folder / REVIEWS).glob(f"{slug}.*")
        earlier = sorted(path for path in paths if path.suffixes == [path.suffix])
        for path in earlier:
            with _storage(path):
                _copy_aside(path)
        written = self._write(REVIEWS, slug, reports)
        for path in set(earlier) - set(written):
            with _storage(path):
                path.unlink()
        return written

    def write_comparison(self, comparison: Comparison, known: Sequence[Editorial]) -> list[Path]:
        """Write the report files of a comparison and return their paths, in the order of the formats."""
        return self._write(COMPARISONS, comparison.slug, self._rendered(comparison, known))

    def _rendered(self, page: PanelReview | Comparison, editorials: Sequence[Editorial]) -> dict[str, str]:
        return {ending: render_report(page, ending, self.context, editorials) for ending in self.formats}

    def _write(self, kind: str, slug: str, reports: Mapping[str, str]) -> list[Path]:
        paths = {ending: self.folder / kind / f"{slug}.{ending}" for ending in reports}
        for ending, path in paths.items():
            with _storage(path):
                write_whole(path, reports[ending])
        return list(paths.values())


def _copy_aside(path: Path) -> None:
    folder = path.parent / EARLIER
    folder.mkdir(exist_ok=True)
    copy = folder / f"{path.stem}.{path.stat().st_mtime_ns}{path.suffix}"
    if copy.exists():
        return
    try:
        copy.hardlink_to(path)
    except OSError:  # a file system without links
        shutil.copy2(path, copy)


@contextmanager
def _storage(path: Path) -> Iterator[None]:
    """Turn an OSError about a path into a StorageError that names it."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}; choose another folder with --out") from error
