"""Answers kept on disk: written as they arrive, and given again to the same question.

A recording is a folder with `recording.json`, which says what was asked of whom, and a file for each answer:
`smollm3.builder.1.3f2a9c01d4e7.json` is the first ask of one seat; the digits are the start of the digest of the prompt and the
configuration. The questions of a recording are fenced with a secret of its own, so that they can be put again, to the letter, on
any machine. No key is ever part of it.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, Field, ValidationError

from panel.atomic_files import write_whole
from panel.core.base import Frozen
from panel.core.call_record import CallRecord
from panel.core.completion import ModelRef
from panel.errors import ProviderError, RunStopped, SettingsError, StorageError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

    from panel.core.call_record import CallKey
    from panel.core.prompt import Prompt
    from panel.providers.middleware.answer_cache import Wait

MANIFEST = "recording.json"
LOCK = ".lock"
SECRET_BYTES = 32
SHORT_KEY = 12


class Manifest(Frozen):
    """What a recording is of.

    Attributes:
        secret: 64 hexadecimal digits, from which the fences in its prompts are derived.
        asked: whom the panel asked.
        seat_models: by persona, the model of a seat that did not use the panel's. Stored recordings call them `exceptions`.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    kind: Literal["panel-recording"] = "panel-recording"
    schema_version: Literal[1] = 1
    secret: str = Field(pattern=r"^[0-9a-f]{64}$", default_factory=lambda: secrets.token_hex(SECRET_BYTES))
    asked: ModelRef
    seat_models: dict[str, ModelRef] = Field(default_factory=dict, alias="exceptions")


class Recording:
    """A folder of answers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: IO[str] | None = None

    def manifest(self) -> Manifest | None:
        """Return what the recording is of; None if the folder holds none.

        Raises:
            SettingsError: its manifest cannot be read.
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
        """Take the folder for this process alone, and write the manifest if there is none yet.

        Raises:
            OSError: it cannot be written.
            RunStopped: another process records there.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock()
        if not (self._folder / MANIFEST).exists():
            write_whole(self._folder / MANIFEST, manifest.model_dump_json(indent=2))
        elif self.manifest() != manifest:
            raise self._taken()

    def close(self) -> None:
        """Leave the folder to others."""
        if self._held is not None:
            self._held.close()
            self._held = None

    def _lock(self) -> None:
        """Hold a lock for as long as the file is open; the system lets it go when the process ends in any way."""
        try:
            import fcntl
        except ImportError:
            return
        self._held = (self._folder / LOCK).open("w")
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._taken() from None

    def _taken(self) -> RunStopped:
        self.close()
        return RunStopped(
            f"another process records in {self._folder}; wait until it is done, then run the same command again"
        )

    async def find(self, step: CallKey) -> CallRecord | None:
        """Return what a question brought, or None if it was not recorded.

        Raises:
            ProviderError: the file is there but cannot be read.
        """
        path = self._path(step)
        try:
            entry = CallRecord.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise ProviderError(
                f"{path.name} is not a recorded answer; delete it to have it asked again", attempts=0
            ) from error
        if entry.key != step.key:
            raise ProviderError(
                f"{path.name} answers another question; delete it to have this one asked again", attempts=0
            )
        return entry

    async def begin(self, step: CallKey, wait: Wait) -> CallKey:  # noqa: ARG002 - its signature
        """Return the step: a recording keeps answers, not intents, and only one process writes it."""
        return step

    async def settle(self, call: CallKey, entry: CallRecord) -> None:
        """Write what a question brought.

        Raises:
            StorageError: it cannot be written.
        """
        text = entry.model_dump_json(indent=2)
        try:
            await asyncio.shield(asyncio.to_thread(write_whole, self._path(call), text))
        except OSError as error:
            raise StorageError(f"an answer could not be recorded: {error}") from error

    async def withdraw(self, call: CallKey, entry: CallRecord) -> None:
        """Write nothing: what was not asked is not recorded."""

    def knows(self, prompt: Prompt) -> bool:
        """Whether an answer of the same seat to any version of the question is there."""
        return any(self._folder.glob(f"{prompt.label}.{prompt.ask}.*.json"))

    def _path(self, step: CallKey) -> Path:
        return self._folder / f"{step.label}.{step.key[:SHORT_KEY]}.json"
