"""The output folder of a site, replaced in one step: readers get the old site or the new one, never half of either."""

from __future__ import annotations

import ctypes
import os
from contextlib import contextmanager, suppress
from errno import EINVAL, ENOENT, ENOSYS, ENOTSUP
from typing import TYPE_CHECKING, TextIO

from panel.atomic_files import sync_folder
from panel.errors import SettingsError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from panel.site.build_cache import WrittenFile

MARKER = ".panel-site"
MARKER_TEXT = "Made by `panel site build`, which replaces this folder as a whole. Its files:\n"
IGNORED = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})  # left by file managers
MOST_NAMED = 3
_EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h
_WORKING_DIR = -100  # AT_FDCWD of fcntl.h


class OutputDir:
    """The folder of a site, and a spare one beside it that is brought up to date and then takes its place.

    The two folders take turns: the old site is the spare of the next build, so that a build only touches what changed. Equal files
    in both are hard links and need disk space once. Every method raises StorageError if a file or folder cannot be read or written.

    Raises:
        SettingsError: the folder is no site, or holds files that panel did not make.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.absolute()
        if not self._folder.name:
            raise SettingsError(f"{folder}: cannot be the folder of a site; name a folder of its own")
        self._spare = self._folder.with_name(f".{self._folder.name}.spare")
        for existing in (self._folder, self._spare):
            if existing.is_symlink() or (existing.exists() and not _is_site(existing)):
                raise SettingsError(
                    f"{existing}: is not a site that panel made; name an empty or a new folder instead"
                )
        _refuse_foreign_files(self._folder)
        # Hashes of paths need a tenth of the memory; a collision would leave behind a file that is no longer needed.
        self._files: set[int] = set()
        self._last_parent = ""

    @property
    def has_reviews(self) -> bool:
        """Whether the site has a tool's page."""
        return any(one.is_dir() for one in (self._folder / "tools").glob("*"))

    def begin(self) -> None:
        """Create the spare folder if there is none yet."""
        with _storage_errors(self._spare):
            self._spare.mkdir(parents=True, exist_ok=True)
        self.write(MARKER, MARKER_TEXT.encode())

    def has(self, path: str) -> bool:
        """Whether the new site has a file."""
        return hash(path) in self._files

    def keep(self, path: str, known: WrittenFile) -> bool:
        """Link a file of the old site into the new one, unless it was changed since it was written; return whether it is linked."""
        old, new = f"{self._folder}/{path}", f"{self._spare}/{path}"
        with _storage_errors(old):
            try:
                found = os.stat(old)  # noqa: PTH116 - quicker, once for each file
                if (found.st_size, found.st_mtime_ns) != (known.size, known.changed):
                    return False
                if not _is_same_file(new, found):
                    self._spare_path(path)
                    _remove(new)
                    os.link(old, new)
            except FileNotFoundError:
                return False
        self._files.add(hash(path))
        return True

    def write(self, path: str, content: bytes) -> tuple[int, int]:
        """Write a file; return its size in bytes and its modification time in nanoseconds."""
        target = f"{self._spare}/{path}"
        with _storage_errors(target):
            self._spare_path(path)
            # Never write into an existing file: the current site may link to it.
            _remove(target)
            with open(target, "xb") as file:  # noqa: PTH123 - quicker, once for each file
                file.write(content)
                file.flush()
                status = os.fstat(file.fileno())
        self._files.add(hash(path))
        return status.st_size, status.st_mtime_ns

    def swap(self) -> None:
        """Flush the new site to disk, then put it in the place of the old one, which is unchanged if that fails."""
        with _storage_errors(self._folder):
            self._clean_up()
            os.sync()
            if not self._folder.exists():
                self._spare.rename(self._folder)
            elif not _exchange(self._spare, self._folder):
                # Between the first two renames there is no site for a moment.
                old = self._spare.with_suffix(".old")
                self._folder.rename(old)
                self._spare.rename(self._folder)
                old.rename(self._spare)
            sync_folder(self._folder.parent)

    def _clean_up(self) -> None:
        """Remove files of earlier sites, and list those of the new one in the marker file."""
        marker = self._spare_path(MARKER)
        _remove(marker)
        with open(marker, "x", encoding="utf-8") as listing:  # noqa: PTH123 - as for the others
            listing.write(MARKER_TEXT)
            self._clean_folder(listing)

    def _clean_folder(self, listing: TextIO, folder: str = "") -> bool:
        """Clean up a folder and its subfolders; return whether it is empty now."""
        empty = True
        for name, is_folder in _entries(f"{self._spare}/{folder}"):
            path = f"{folder}{name}"
            if is_folder and self._clean_folder(listing, f"{path}/"):
                os.rmdir(f"{self._spare}/{path}")  # noqa: PTH106 - quicker, once for each file
            elif not is_folder and not self.has(path):
                os.unlink(f"{self._spare}/{path}")  # noqa: PTH108 - as above
            else:
                empty = False
                if not is_folder and path != MARKER:
                    listing.write(f"{path}\n")
        return empty

    def _spare_path(self, path: str) -> str:
        """Return the path of a file in the spare folder, whose parent folder is created if need be."""
        parent = path.rpartition("/")[0]
        if parent != self._last_parent:
            os.makedirs(f"{self._spare}/{parent}", exist_ok=True)  # noqa: PTH103 - once for each folder
            self._last_parent = parent
        return f"{self._spare}/{path}"


def _is_same_file(path: str, found: os.stat_result) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.lstat(path), found)
    return False


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108 - quicker, once for each file


def _is_site(folder: Path) -> bool:
    with _storage_errors(folder):
        return folder.is_dir() and ((folder / MARKER).is_file() or not any(folder.iterdir()))


def _refuse_foreign_files(folder: Path) -> None:
    """Refuse a site to which somebody added files, because a build would delete them."""
    if not (folder / MARKER).is_file():
        return
    with _storage_errors(folder), (folder / MARKER).open(encoding="utf-8", errors="replace") as listing:
        known = {hash(line.rstrip("\n")) for line in listing}  # hashes, as above
        others = [path for path in _files_in(f"{folder}/") if hash(path) not in known and path != MARKER]
    if others:
        first = ", ".join(ascii(path)[1:-1] for path in others[:MOST_NAMED])
        more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        raise SettingsError(
            f"{folder}: holds files that panel did not make: {first}{more}; a build replaces the whole folder, "
            "so move them elsewhere first"
        )


def _files_in(folder: str, inside: str = "") -> Iterator[str]:
    """Yield the paths of all files, sorted within each folder; folders and files are sorted together."""
    for name, is_folder in _entries(f"{folder}{inside}"):
        if is_folder:
            yield from _files_in(folder, f"{inside}{name}/")
        elif name not in IGNORED:
            yield f"{inside}{name}"


def _entries(folder: str) -> list[tuple[str, bool]]:
    """Return the sorted names in a folder, each with whether it is a folder."""
    with os.scandir(folder) as found:
        return sorted([(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found])


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; return whether the system and the file system support it."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_WORKING_DIR, os.fsencode(one), _WORKING_DIR, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in {EINVAL, ENOSYS, ENOTSUP, ENOENT}:
        return False
    raise OSError(number, os.strerror(number))


@contextmanager
def _storage_errors(path: Path | str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        advice = "make room, or choose another folder, and build the site again"
        raise StorageError(f"{path}: {error.strerror}; {advice}") from error
