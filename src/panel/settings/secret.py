"""The user's secret, from which the fences around listings are derived."""

from __future__ import annotations

import os
import re
import secrets
from typing import TYPE_CHECKING

from panel.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

FILE = "secret"
BYTES = 32
_SECRET = re.compile(rf"[0-9A-Fa-f]{{{2 * BYTES}}}")


def read_secret(data_dir: Path) -> bytes:
    """Return the user's secret of 32 bytes, created on first use with mode 0600; raise StorageError if that fails."""
    path = data_dir / FILE
    try:
        if not path.exists():
            _create(path)
        text = path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        message = f"{path}: {error.strerror}; set PANEL_DATA_DIR to a folder that can be written"
        raise StorageError(message) from error
    if not _SECRET.fullmatch(text):
        raise StorageError(f"{path}: not a secret that panel wrote; delete the file to get a new one")
    return bytes.fromhex(text)


def has_secret(data_dir: Path) -> bool:
    """Return whether the user has a secret already."""
    return (data_dir / FILE).exists()


def _create(path: Path) -> None:
    """Write a new secret atomically; if two processes do so at once, the first one wins."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(BYTES))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
