"""A folder that is replaced as a whole: the old site or the new one, never half of either."""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from errno import EINVAL, ENOENT, ENOSYS, ENOTSUP
from pathlib import Path
from typing import TYPE_CHECKING, Self

from panel.errors import SettingsError, StorageError

if TYPE_CHECKING:
    from types import TracebackType

    from panel.site.memory import Written

MARKER = ".panel-site"
MARKER_TEXT = "Made by `panel site build`, which replaces this folder as a whole.\n"
_EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h
_HERE = -100  # AT_FDCWD of fcntl.h


class Tree:
    """A new folder beside the old one, which takes its place in the end.

    Files that did not change are links to the old ones: they take no room, and readers of the old folder are not disturbed.

    Args:
        folder: where the site belongs.

    Raises:
        SettingsError: it is something else than a site, so that nothing of it may be lost.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        if self._folder.is_symlink() or (self._folder.exists() and not _is_site(self._folder)):
            raise SettingsError(
                f"{folder}: is no site that panel made; name an empty folder, or one that is not there yet"
            )
        self._made: set[str] = set()

    def __enter__(self) -> Self:
        """Make the new folder.

        Raises:
            StorageError: it cannot be made.
        """
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            for left in self._folder.parent.glob(f".{self._folder.name}.*.new"):
                shutil.rmtree(left, ignore_errors=True)
            name = tempfile.mkdtemp(prefix=f".{self._folder.name}.", suffix=".new", dir=self._folder.parent)
            self._new = Path(name)
            self._new.chmod(0o755)
            self.write(MARKER, MARKER_TEXT.encode())
        except OSError as error:
            raise _fault(self._folder.parent, error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what is no longer needed: the old folder, or the new one if it did not take its place."""
        shutil.rmtree(self._new, ignore_errors=True)

    @property
    def has_reviews(self) -> bool:
        """Whether the old folder has a tool's page."""
        return any(one.is_dir() for one in (self._folder / "tools").glob("*"))

    def keep(self, path: str, known: Written) -> bool:
        """Take over a file of the old folder, if it is what was written there; return whether it is.

        Raises:
            StorageError: it cannot be linked.
        """
        old = f"{self._folder}/{path}"
        try:
            found = os.stat(old)  # noqa: PTH116 - 60,000 of them
            if (found.st_size, found.st_mtime_ns) != (known.size, known.changed):
                return False
            os.link(old, self._place(path))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _fault(self._folder / path, error) from error
        return True

    def write(self, path: str, content: bytes) -> tuple[int, int]:
        """Write a file, and return its size and when it was changed, in nanoseconds.

        Raises:
            StorageError: it cannot be written.
        """
        place = self._place(path)
        try:
            with open(place, "xb") as file:  # noqa: PTH123 - 60,000 of them
                file.write(content)
                file.flush()
                told = os.fstat(file.fileno())
        except OSError as error:
            raise _fault(Path(place), error) from error
        return told.st_size, told.st_mtime_ns

    def swap(self) -> None:
        """Put the new folder in the place of the old one, once all of it is on the disk.

        Raises:
            StorageError: that is not possible; the old one is as it was.
        """
        os.sync()
        try:
            if not self._folder.exists():
                self._new.rename(self._folder)
            elif not _exchange(self._new, self._folder):
                self._rename_twice()
            _sync(self._folder.parent)
        except OSError as error:
            raise _fault(self._folder, error) from error

    def _rename_twice(self) -> None:
        # Where two names cannot be exchanged, there is no site for a moment; it is whole before and after.
        old = self._new.with_suffix(".old")
        self._folder.rename(old)
        self._new.rename(self._folder)
        shutil.rmtree(old, ignore_errors=True)

    def _place(self, path: str) -> str:
        folder = path.rpartition("/")[0]
        if folder not in self._made:
            os.makedirs(f"{self._new}/{folder}", exist_ok=True)  # noqa: PTH103 - 60,000 of them
            self._made.add(folder)
        return f"{self._new}/{path}"


def _is_site(folder: Path) -> bool:
    try:
        return folder.is_dir() and ((folder / MARKER).is_file() or not any(folder.iterdir()))
    except OSError as error:
        raise _fault(folder, error) from error


def _exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two folders in one step; return whether this system and its disk can."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in {EINVAL, ENOSYS, ENOTSUP, ENOENT}:
        return False
    raise OSError(number, os.strerror(number))


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _fault(path: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{path}: {error.strerror}; make room, or choose another folder, and build the site again"
    )
