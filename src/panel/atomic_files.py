"""Write files atomically: under its name a file is complete or absent."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file under a temporary name, sync it to the disk, and rename it; text is written as UTF-8.

    Raises:
        OSError: it cannot be written; an earlier file of that name is unchanged.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Sync a folder to the disk, so that names in it survive a crash.

    Raises:
        OSError: it cannot be synced.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def try_writing(folder: Path) -> None:
    """Write to a folder and leave nothing behind.

    Where the system knows no files without a name, a name exists for a moment: it is hidden, as readers of the folder expect.

    Raises:
        OSError: the folder cannot be written to.
    """
    with tempfile.TemporaryFile(dir=folder, prefix="."):
        pass
