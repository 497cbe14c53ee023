from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from panel.atomic_files import try_writing, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("write", [try_writing, lambda folder: write_whole(folder / "report.html", "text")])
def test_unfinished_files_have_hidden_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], None]
) -> None:
    names: list[str] = []
    real = os.open

    def without_unnamed_files(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EMFILE, "Too many open files")
        if flags & os.O_CREAT:
            names.append(Path(path).name)
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", without_unnamed_files)
    write(tmp_path)
    assert names
    assert all(name.startswith(".") for name in names)
    assert [path.name for path in tmp_path.iterdir()] in ([], ["report.html"])
