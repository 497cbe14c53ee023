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

from pydantic import Field, ValidationError

from panel.disk import write_whole
from panel.domain.base import Frozen
from panel.domain.completion import Asked, Usage
from panel.domain.journal import Entry, Failure, key_of
from panel.errors import CallNotMade, ProviderError, RunStopped, SettingsError
from panel.providers.middleware import Wrapper

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

    from panel.domain.completion import Completion, ModelConfig
    from panel.domain.prompt import Prompt
    from panel.providers.base import Halt, Provider

MANIFEST = "recording.json"
LOCK = ".lock"
SECRET_BYTES = 32
SHORT_KEY = 12


class Manifest(Frozen):
    """What a recording is of.

    Attributes:
        secret: 64 hexadecimal digits, from which the fences in its prompts are derived.
        asked: whom the panel asked.
        exceptions: by persona, whom a seat asked instead.
    """

    kind: Literal["panel-recording"] = "panel-recording"
    schema_version: Literal[1] = 1
    secret: str = Field(pattern=r"^[0-9a-f]{64}$", default_factory=lambda: secrets.token_hex(SECRET_BYTES))
    asked: Asked
    exceptions: dict[str, Asked] = Field(default_factory=dict)


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

    def begin(self, manifest: Manifest) -> None:
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

    def find(self, prompt: Prompt, config: ModelConfig) -> Entry | None:
        """Return what a question brought, or None if it was not recorded.

        Raises:
            ProviderError: the file is there but cannot be read.
        """
        path = self._path(prompt, config)
        try:
            entry = Entry.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise ProviderError(
                f"{path.name} is not a recorded answer; delete it to have it asked again", attempts=0
            ) from error
        if entry.key != key_of(prompt, config):
            raise ProviderError(
                f"{path.name} answers another question; delete it to have this one asked again", attempts=0
            )
        return entry

    def keep(self, prompt: Prompt, config: ModelConfig, entry: Entry) -> None:
        """Write what a question brought.

        Raises:
            OSError: it cannot be written.
        """
        write_whole(self._path(prompt, config), entry.model_dump_json(indent=2))

    def knows(self, prompt: Prompt) -> bool:
        """Whether an answer of the same seat to any version of the question is there."""
        return any(self._folder.glob(f"{prompt.label}.{prompt.ask}.*.json"))

    def _path(self, prompt: Prompt, config: ModelConfig) -> Path:
        return self._folder / f"{prompt.label}.{prompt.ask}.{key_of(prompt, config)[:SHORT_KEY]}.json"


class Recorded(Wrapper):
    """Keeps every answer, and gives one that is there again in place of paying for another.

    Args:
        inner: the provider.
        recording: where answers are kept.
        halt: set when an answer cannot be kept; it is still handed on.
    """

    def __init__(self, inner: Provider, recording: Recording, halt: Halt) -> None:
        super().__init__(inner)
        self._recording = recording
        self._halt = halt

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        entry = self._recording.find(prompt, config)
        if entry is not None and entry.completion is not None:
            return entry.completion
        earlier = entry.failure if entry is not None else None
        try:
            completion = _with_earlier(await self._inner.complete(prompt, config), earlier)
        except CallNotMade:
            raise
        except ProviderError as error:
            if earlier is not None:
                error.attempts += earlier.attempts
                error.lost_calls += earlier.lost_calls
            await self._keep(prompt, config, failure=Failure.of(error))
            raise
        await self._keep(prompt, config, completion=completion)
        return completion

    async def _keep(
        self,
        prompt: Prompt,
        config: ModelConfig,
        completion: Completion | None = None,
        failure: Failure | None = None,
    ) -> None:
        entry = Entry(key=key_of(prompt, config), completion=completion, failure=failure)
        try:
            await asyncio.shield(asyncio.to_thread(self._recording.keep, prompt, config, entry))
        except OSError as error:
            self._halt.set(f"an answer could not be recorded: {error}")


def _with_earlier(completion: Completion, earlier: Failure | None) -> Completion:
    """Return an answer with what an earlier, failed asking of the same question took."""
    if earlier is None:
        return completion
    update = {
        "attempts": completion.attempts + earlier.attempts,
        "usage": completion.usage + Usage.lost(earlier.lost_calls),
    }
    return completion.model_copy(update=update)
