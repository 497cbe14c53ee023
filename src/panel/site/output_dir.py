"""A folder that is replaced as a whole: the old site or the new one, never half of either."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from errno import EINVAL, ENOENT, ENOSYS, ENOTSUP
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from panel.errors import SettingsError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from panel.site.build_cache import Written

MARKER = ".panel-site"
MARKER_TEXT = "Made by `panel site build`, which replaces this folder as a whole. Its files:\n"
LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What file managers leave in folders that were looked at."""
MOST_NAMED = 3
_EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h
_HERE = -100  # AT_FDCWD of fcntl.h


class Tree:
    """A spare folder beside the site, which is brought up to date and then takes its place.

    What was the site before is the spare of the next build, so that a build touches as much as changed. Files that are the same in both
    are links to each other: they take no room.

    Args:
        folder: where the site belongs.

    Raises:
        SettingsError: it is something else than a site, or holds something else, so that nothing of it may be lost.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        if not self._folder.name:
            raise SettingsError(f"{folder}: cannot be a site; name a folder of its own")
        self._spare = self._folder.with_name(f".{self._folder.name}.spare")
        for place in (self._folder, self._spare):
            if place.is_symlink() or (place.exists() and not _is_site(place)):
                raise SettingsError(
                    f"{place}: is no site that panel made; name an empty folder, or one that is not there yet"
                )
        _refuse_others(self._folder)
        self._files: set[int] = set()
        self._last = ""

    @property
    def has_reviews(self) -> bool:
        """Whether the site has a tool's page."""
        return any(one.is_dir() for one in (self._folder / "tools").glob("*"))

    def begin(self) -> None:
        """Make the spare folder, if there is none yet.

        Raises:
            StorageError: it cannot be made.
        """
        try:
            self._spare.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _fault(self._spare, error) from error
        self.write(MARKER, MARKER_TEXT.encode())

    def has(self, path: str) -> bool:
        """Whether the new site has a file."""
        # Hashes take a tenth of the room; two that are the same would leave a file that is no longer needed.
        return hash(path) in self._files

    def keep(self, path: str, known: Written) -> bool:
        """Take over a file of the site, if it is what was written there; return whether it is.

        Raises:
            StorageError: it cannot be linked.
        """
        old, new = f"{self._folder}/{path}", f"{self._spare}/{path}"
        try:
            found = os.stat(old)  # noqa: PTH116 - of as many as the site has
            if (found.st_size, found.st_mtime_ns) != (known.size, known.changed):
                return False
            if not _is_same(new, found):
                self._place(path)
                _remove(new)
                os.link(old, new)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _fault(self._folder / path, error) from error
        self._files.add(hash(path))
        return True

    def write(self, path: str, content: bytes) -> tuple[int, int]:
        """Write a file, and return its size and when it was changed, in nanoseconds.

        Raises:
            StorageError: it cannot be written.
        """
        place = self._place(path)
        try:
            # Never into a file that is there, because the site may have it, too.
            _remove(place)
            with open(place, "xb") as file:  # noqa: PTH123 - of as many as the site has
                file.write(content)
                file.flush()
                told = os.fstat(file.fileno())
        except OSError as error:
            raise _fault(Path(place), error) from error
        self._files.add(hash(path))
        return told.st_size, told.st_mtime_ns

    def swap(self) -> None:
        """Put the new site in the place of the old one, once all of it is on the disk.

        Raises:
            StorageError: that is not possible; the old one is as it was.
        """
        try:
            self._settle()
            os.sync()
            if not self._folder.exists():
                self._spare.rename(self._folder)
            elif not _exchange(self._spare, self._folder):
                self._rename_twice()
            _sync(self._folder.parent)
        except OSError as error:
            raise _fault(self._folder, error) from error

    def _settle(self) -> None:
        """Remove what is left of earlier sites, and write down which files the new one has."""
        place = self._place(MARKER)
        _remove(place)
        with open(place, "x", encoding="utf-8") as listed:  # noqa: PTH123 - as for the others
            listed.write(MARKER_TEXT)
            self._clear(listed)

    def _clear(self, listed: TextIO, folder: str = "") -> bool:
        """Settle a folder and those in it; return whether it is empty now."""
        empty = True
        for name, is_folder in _entries(f"{self._spare}/{folder}"):
            path = f"{folder}{name}"
            if is_folder and self._clear(listed, f"{path}/"):
                os.rmdir(f"{self._spare}/{path}")  # noqa: PTH106 - of as many as the site has
            elif not is_folder and not self.has(path):
                os.unlink(f"{self._spare}/{path}")  # noqa: PTH108 - likewise
            else:
                empty = False
                if not is_folder and path != MARKER:
                    listed.write(f"{path}\n")
        return empty

    def _rename_twice(self) -> None:
        # Where two names cannot be exchanged, there is no site for a moment; it is whole before and after.
        old = self._spare.with_suffix(".old")
        self._folder.rename(old)
        self._spare.rename(self._folder)
        old.rename(self._spare)

    def _place(self, path: str) -> str:
        folder = path.rpartition("/")[0]
        if folder != self._last:
            os.makedirs(f"{self._spare}/{folder}", exist_ok=True)  # noqa: PTH103 - of as many as the site has
            self._last = folder
        return f"{self._spare}/{path}"


def _is_same(place: str, found: os.stat_result) -> bool:
    try:
        there = os.stat(place, follow_symlinks=False)  # noqa: PTH116 - of as many as the site has
    except FileNotFoundError:
        return False
    return (there.st_ino, there.st_dev) == (found.st_ino, found.st_dev)


def _remove(place: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(place)  # noqa: PTH108 - of as many as the site has


def _is_site(folder: Path) -> bool:
    try:
        return folder.is_dir() and ((folder / MARKER).is_file() or not any(folder.iterdir()))
    except OSError as error:
        raise _fault(folder, error) from error


def _refuse_others(folder: Path) -> None:
    """Refuse a site to which somebody added files, because a build would take them away."""
    if not (folder / MARKER).is_file():
        return
    try:
        with (folder / MARKER).open(encoding="utf-8", errors="replace") as listed:
            others = list(_missing(_files_in(f"{folder}/"), listed))
    except OSError as error:
        raise _fault(folder, error) from error
    if others:
        first = ", ".join(ascii(path)[1:-1] for path in others[:MOST_NAMED])
        more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        raise SettingsError(
            f"{folder}: holds files that panel did not make: {first}{more}; a build replaces the folder as a whole, "
            "so move them elsewhere first"
        )


def _missing(paths: Iterator[str], listed: Iterable[str]) -> Iterator[str]:
    """Yield the paths that are not listed. Both are in the order of `_files_in`, so that none of them need be held."""
    known = (line.rstrip("\n") for line in listed)
    next(known, None)  # says what the list is
    expected = next(known, None)
    for path in paths:
        while expected is not None and expected.split("/") < path.split("/"):
            expected = next(known, None)
        if path not in {expected, MARKER}:
            yield path


def _files_in(folder: str, inside: str = "") -> Iterator[str]:
    """Yield the paths of all files, the names of each folder in order; folders stand among files by their names."""
    for name, is_folder in _entries(f"{folder}{inside}"):
        if is_folder:
            yield from _files_in(folder, f"{inside}{name}/")
        elif name not in LITTER:
            yield f"{inside}{name}"


def _entries(folder: str) -> list[tuple[str, bool]]:
    """Return what lies in a folder, each with whether it is a folder itself, by name."""
    with os.scandir(folder) as found:
        return sorted([(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found])


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
