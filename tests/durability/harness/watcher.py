"""A reader that opens every report as soon as it exists, and records those that were incomplete."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

REST_SECONDS = 0.002


class Watcher:
    """A thread that reads every changed file of a folder, which need not exist yet.

    Attributes:
        torn: files that were incomplete when they were read.
        reads: number of files that were read.
    """

    def __init__(self, folder: Path) -> None:
        self.torn: list[str] = []
        self.reads = 0
        self._folder = folder
        self._seen: dict[str, tuple[int, int, int]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._over.wait(REST_SECONDS):
            self._look()

    def _look(self) -> None:
        for path, mark in visible(str(self._folder)):
            if self._seen.get(path) != mark:
                self._seen[path] = mark
                self.reads += 1
                if not whole(path):
                    self.torn.append(path)


def visible(folder: str) -> Iterator[tuple[str, tuple[int, int, int]]]:
    """Yield the files under a folder whose name a reader would open, each with what changes when it does."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from visible(entry.path)
        elif not entry.name.startswith("."):
            try:
                found = entry.stat()
            except FileNotFoundError:
                continue
            yield entry.path, (found.st_ino, found.st_size, found.st_mtime_ns)


def whole(path: str) -> bool:
    """Whether a file holds one JSON value; one that is gone does no harm."""
    try:
        json.loads(Path(path).read_text("utf-8"))
    except FileNotFoundError:
        return True
    except ValueError:
        return False
    return True
