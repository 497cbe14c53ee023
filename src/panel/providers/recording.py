"""Recordings: folders of answers that can be replayed on any machine.

A recording holds `recording.json`, the manifest, and a file for each answer: `smollm3.builder.1.3f2a9c01d4e7.json` is the first
ask of one seat, and the digits begin the digest of prompt and configuration. Its prompts are fenced with a secret of their own,
kept in the manifest, so that the same prompts can be made elsewhere. No API key is part of a recording.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, Field, ValidationError

from panel.atomic_files import write_whole
from panel.core.completion import CallRecord, ModelRef
from panel.core.frozen import Frozen
from panel.errors import ProviderError, RunStopped, SettingsError, StorageError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

    from panel.core.completion import CallKey
    from panel.core.prompt import Prompt
    from panel.providers.middleware.answer_cache import Wait

MANIFEST = "recording.json"
LOCK = ".lock"
SECRET_BYTES = 32
SHORT_KEY = 12


class Manifest(Frozen):
    """The manifest of a recording. The fences in its prompts are derived from the secret, 64 hexadecimal digits.

    `asked` is the panel's model. `seat_models` has by persona those of seats that did not use it; stored recordings call
    them `exceptions`.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    kind: Literal["panel-recording"] = "panel-recording"
    schema_version: Literal[1] = 1
    secret: str = Field(pattern=r"^[0-9a-f]{64}$", default_factory=lambda: secrets.token_hex(SECRET_BYTES))
    asked: ModelRef
    seat_models: dict[str, ModelRef] = Field(default_factory=dict, alias="exceptions")


class Recording:
    """A folder of answers. As a `CallJournal` it stores answers alone, since only one process writes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock_file: IO[str] | None = None

    def manifest(self) -> Manifest | None:
        """Return the manifest, or None if the folder holds no recording.

        Raises:
            SettingsError: the manifest cannot be read.
        """
        path = self._folder / MANIFEST
        try:
            return Manifest.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise SettingsError(
                f"{path}: not the manifest of a recording; restore it, or choose another folder"
            ) from error

    def open(self, manifest: Manifest) -> None:
        """Lock the folder for this process, and write the manifest if there is none yet.

        Raises:
            OSError: the folder cannot be written.
            RunStopped: another process records there.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock()
        if not (self._folder / MANIFEST).exists():
            write_whole(self._folder / MANIFEST, manifest.model_dump_json(indent=2))
        elif self.manifest() != manifest:
            raise self._locked_error()

    def close(self) -> None:
        """Unlock the folder."""
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None

    def _lock(self) -> None:
        """Lock a file. The system releases the lock when the process ends, however it ends."""
        try:
            import fcntl
        except ImportError:
            return
        self._lock_file = (self._folder / LOCK).open("w")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._locked_error() from None

    def _locked_error(self) -> RunStopped:
        self.close()
        return RunStopped(
            f"another process records in {self._folder}; wait until it is done, then run the same command again"
        )

    async def find(self, key: CallKey) -> CallRecord | None:
        """Return the record of a call, or None if it was not recorded.

        Raises:
            ProviderError: the file is there but cannot be read.
        """
        path = self._path(key)
        try:
            record = CallRecord.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise ProviderError(
                f"{path.name} is not a recorded answer; delete it to have it asked again", attempts=0
            ) from error
        if record.key != key.key:
            raise ProviderError(
                f"{path.name} answers another question; delete it to have this one asked again", attempts=0
            )
        return record

    async def begin(self, key: CallKey, wait: Wait) -> CallKey:  # noqa: ARG002 - the protocol's signature
        """Return the key; nothing is written before the answer."""
        return key

    async def settle(self, call: CallKey, record: CallRecord) -> None:
        """Write the record of a call.

        Raises:
            StorageError: it cannot be written.
        """
        text = record.model_dump_json(indent=2)
        try:
            await asyncio.shield(asyncio.to_thread(write_whole, self._path(call), text))
        except OSError as error:
            raise StorageError(f"an answer could not be recorded: {error}") from error

    async def withdraw(self, call: CallKey, record: CallRecord) -> None:
        """Write nothing for a call that was not made."""

    def knows(self, prompt: Prompt) -> bool:
        """Whether the seat of a prompt was recorded, with this or another version of the prompt."""
        return any(self._folder.glob(f"{prompt.label}.{prompt.ask}.*.json"))

    def _path(self, key: CallKey) -> Path:
        return self._folder / f"{key.label}.{key.key[:SHORT_KEY]}.json"
