from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from panel.errors import StorageError
from panel.settings.secret import read_secret

if TYPE_CHECKING:
    from pathlib import Path


def test_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    """The secret is made on first use, is 32 bytes, and is the same ever after."""
    first = read_secret(tmp_path / "data")
    assert len(first) == 32
    assert read_secret(tmp_path / "data") == first
    assert read_secret(tmp_path / "other") != first
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret"]


def test_secret_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """Neither group nor others can read the secret."""
    read_secret(tmp_path)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "not hexadecimal", "abcd"])
def test_damaged_secret_is_a_storage_error(content: str, tmp_path: Path) -> None:
    """A file that does not hold a secret is not replaced on the quiet."""
    (tmp_path / "secret").write_text(content)
    with pytest.raises(StorageError, match="not a secret"):
        read_secret(tmp_path)


def test_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="PANEL_DATA_DIR"):
        read_secret(tmp_path / "file" / "data")
