"""Room on the disk that is given up when there is none left."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from panel.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

# Takes what 64 calls in flight bring, at 4 KB each.
RESERVE_BYTES = 256 * 1024


class Reserve:
    """A file of no content beside the database."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def make(self) -> None:
        """Set the room aside, unless it is.

        Raises:
            StorageError: there is no room, so that nothing should be paid for.
        """
        try:
            if not self._path.exists() or self._path.stat().st_size < RESERVE_BYTES:
                self._fill()
        except OSError as error:
            self.release()
            raise StorageError(
                f"{self._path}: {RESERVE_BYTES // 1024} KB could not be set aside ({error.strerror}); "
                "make room and allow writing in this folder, or choose another path"
            ) from error

    def release(self) -> None:
        """Give up the room, if it can be given up."""
        with suppress(OSError):
            self._path.unlink()

    def _fill(self) -> None:
        # Zeros are written, not skipped, because a file with a hole holds no room.
        with self._path.open("wb") as file:
            file.write(bytes(RESERVE_BYTES))
            file.flush()
            os.fsync(file.fileno())
