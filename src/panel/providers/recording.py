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
from panel.domain.completion import Asked
from panel.domain.journal import Entry, Failure, key_of
from panel.errors import CallNotMade, ProviderError, SettingsError
from panel.providers.middleware import Wrapper

if TYPE_CHECKING:
    from pathlib import Path

    from panel.domain.completion import Completion, ModelConfig
    from panel.domain.prompt import Prompt
    from panel.providers.base import Halt, Provider

MANIFEST = "recording.json"
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
        """Write the manifest, if there is none yet.

        Raises:
            OSError: it cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        if not (self._folder / MANIFEST).exists():
            write_whole(self._folder / MANIFEST, manifest.model_dump_json(indent=2))

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
        try:
            completion = await self._inner.complete(prompt, config)
        except CallNotMade:
            raise
        except ProviderError as error:
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
