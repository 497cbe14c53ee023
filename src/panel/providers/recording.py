"""Recordings: folders of answers, written during a run and answered from by the provider `replay`.

A recording holds `recording.json`, the manifest, and a file for each answer: `smollm3.builder.1.3f2a9c01d4e7.json` is the first
ask of one seat, and the digits begin the digest of prompt and configuration. Its prompts are fenced with a secret of their own,
kept in the manifest, so that the same prompts can be made elsewhere. No API key is part of a recording.

`replay` answers exactly the prompts of the recorded run. In a folder without a manifest, the first question with the label
`smollm3.builder` is answered by `smollm3.builder.1.json` (a `Completion`) or `smollm3.builder.1.txt` (the text of a reply), and the
re-ask by `smollm3.builder.2.json` or `.2.txt`.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ConfigDict, Field, ValidationError

from panel.atomic_files import write_whole
from panel.core.completion import CallKey, CallRecord, Completion, FinishReason, ModelRef
from panel.core.frozen import Frozen
from panel.errors import ProviderError, RunStopped, SettingsError, StorageError
from panel.providers.base import PriceSource, Provider, ProviderSpec

if TYPE_CHECKING:
    from typing import IO

    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Connection
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
    """A folder of answers: the `CallJournal` of an answer cache that only one process writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock_file: IO[str] | None = None

    def manifest(self) -> Manifest | None:
        """Return the manifest, or None if the folder holds no recording; raise SettingsError if it cannot be read."""
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
        locked = self._lock()
        if locked and not (self._folder / MANIFEST).exists():
            write_whole(self._folder / MANIFEST, manifest.model_dump_json(indent=2))
        elif not locked or self.manifest() != manifest:
            self.close()
            raise RunStopped(
                f"another process records in {self._folder}; wait until it is done, then run the same command again"
            )

    def close(self) -> None:
        """Unlock the folder."""
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None

    def _lock(self) -> bool:
        """Lock a file, and return whether no other process holds it. The system unlocks it when the process ends, however it ends."""
        try:
            import fcntl
        except ImportError:
            return True
        self._lock_file = (self._folder / LOCK).open("w")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    async def find(self, key: CallKey) -> CallRecord | None:
        """Return the record of a call, or None if it was not recorded; raise ProviderError if the file cannot be read."""
        path = self._path(key)
        try:
            record = CallRecord.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            problem = "is not a recorded answer; delete it to have it asked again"
            raise ProviderError(f"{path.name} {problem}", attempts=0) from error
        if record.key != key.key:
            problem = "answers another question; delete it to have this one asked again"
            raise ProviderError(f"{path.name} {problem}", attempts=0)
        return record

    async def begin(self, key: CallKey, wait: Wait) -> CallKey:  # noqa: ARG002 - the protocol's signature
        """Return the key; nothing is written before the answer."""
        return key

    async def settle(self, call: CallKey, record: CallRecord) -> None:
        """Write the record of a call; raise StorageError if it cannot be written."""
        text = record.model_dump_json(indent=2)
        try:
            await asyncio.shield(asyncio.to_thread(write_whole, self._path(call), text))
        except OSError as error:
            raise StorageError(f"an answer could not be recorded: {error}") from error

    async def withdraw(self, call: CallKey, record: CallRecord) -> None:
        """Write nothing for a call that was not made."""

    def has_seat(self, prompt: Prompt) -> bool:
        """Whether the seat of a prompt was recorded, with this or another version of the prompt."""
        return any(self._folder.glob(f"{prompt.label}.{prompt.ask}.*.json"))

    def _path(self, key: CallKey) -> Path:
        return self._folder / f"{key.label}.{key.key[:SHORT_KEY]}.json"


class RecordingProvider(Provider):
    """Answers from a recording, under the name of the provider that was recorded."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._recording = Recording(folder)

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        record = await self._recording.find(CallKey.of(prompt, config, self.name))
        if record is not None and record.completion is not None:
            return record.completion
        if record is not None and record.failure is not None:
            raise record.failure.error
        changed = "the tool or the persona has changed since"
        why = changed if self._recording.has_seat(prompt) else "this seat was not asked then"
        raise ProviderError(f"the recording has no answer to this question: {why}", attempts=0)


class ReplyFilesProvider(Provider):
    """Answers from single files, which may be written by hand."""

    name = "replay"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        stem = f"{prompt.label}.{prompt.ask}"
        recorded, written = self._folder / f"{stem}.json", self._folder / f"{stem}.txt"
        path = recorded if recorded.is_file() else written
        try:
            if path is recorded:
                return Completion.model_validate_json(path.read_bytes())
            text = path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            missing = f"no recorded answer: {recorded.name} or {written.name} is not in {self._folder.name}"
            raise ProviderError(missing, attempts=0) from None
        except ValidationError as error:
            problem = f"is not a recorded answer: {error.errors()[0]['msg']}"
            raise ProviderError(f"{path.name} {problem}", attempts=0) from error
        except OSError as error:
            raise ProviderError(f"{path.name} cannot be read: {error.strerror}", attempts=0) from error
        return Completion(text=text, finish=FinishReason.COMPLETE, provider=self.name, model=config.model)


def _open(connection: Connection) -> Provider:
    folder = connection.folder or Path()
    return (
        RecordingProvider(folder, connection.recorded) if connection.recorded else ReplyFilesProvider(folder)
    )


def _check(connection: Connection) -> None:
    if connection.folder is None or not os.path.isdir(connection.folder):  # noqa: PTH112 - never raises
        raise SettingsError(f"--model replay:DIR: {connection.folder} is not a folder of recorded answers")


SPEC = ProviderSpec(
    name=ReplyFilesProvider.name,
    open=_open,
    check=_check,
    prices=PriceSource.FREE,
    model_hint="DIR",
    not_cached="answers come from files",
)
