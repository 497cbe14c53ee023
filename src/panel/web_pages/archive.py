"""Pages kept on disk as they were received, each beside a record of where it came from."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from panel.atomic_files import write_whole
from panel.web_pages.snapshot import PLAIN

if TYPE_CHECKING:
    from panel.web_pages.snapshot import Snapshot

DIGEST_CHARS = 12


def snapshot_name(snapshot: Snapshot, slug: str) -> str:
    """Return the file name of a page: the slug, the beginning of its sha256, and what kind of text it is."""
    ending = "txt" if snapshot.media_type == PLAIN else "html"
    return f"{slug}.{snapshot.sha256[:DIGEST_CHARS]}.{ending}"


def keep(snapshot: Snapshot, folder: Path, slug: str, source: str) -> Path:
    """Write a page byte for byte, and beside it, in `.json`, where it is from; return the page's path.

    Args:
        snapshot: the page.
        folder: where to; it is made if it is missing.
        slug: what the files are called.
        source: the address or file that was named.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / snapshot_name(snapshot, slug)
    _write_bytes(path, snapshot.body)
    write_whole(path.with_suffix(".json"), json.dumps(_origin(snapshot, source), indent=2) + "\n")
    return path


def _origin(snapshot: Snapshot, source: str) -> dict[str, object]:
    return {
        "source": source,
        "url": snapshot.url,
        "status": snapshot.status,
        "fetched_at": snapshot.fetched_at.isoformat() if snapshot.fetched_at else None,
        "media_type": snapshot.media_type,
        "charset": snapshot.charset,
        "bytes": len(snapshot.body),
        "sha256": snapshot.sha256,
    }


def _write_bytes(path: Path, data: bytes) -> None:
    """Write a file that stands for its digest: under its name it is whole or not there."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)
