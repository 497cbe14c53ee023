"""Answers from files: recordings of earlier answers, or answers written by hand.

A folder with `recording.json` is a recording, and answers the very questions that were put when it was made. In any other
folder, the call labelled `smollm3.builder`, asked for the first time, is answered by `smollm3.builder.1.json` (a `Completion`) or
`smollm3.builder.1.txt` (the raw text of a reply); the re-ask by `….2.json` or `….2.txt`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from panel.core.call_record import CallKey
from panel.core.completion import Completion, Finish
from panel.errors import ProviderError
from panel.providers.base import Provider
from panel.providers.recording import Recording

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers import Connection


class RecordingProvider(Provider):
    """Answers each question as it was answered when the recording was made, in the name of whoever answered it."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.name = name
        self._recording = Recording(connection.folder or Path())

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        entry = await self._recording.find(CallKey.of(prompt, config, self.name))
        if entry is not None and entry.completion is not None:
            return entry.completion
        if entry is not None and entry.failure is not None:
            raise entry.failure.error
        why = (
            "the tool or the persona has changed since"
            if self._recording.knows(prompt)
            else "this seat was not asked then"
        )
        raise ProviderError(f"the recording has no answer to this question: {why}", attempts=0)


class ReplayProvider(Provider):
    """Answers from single files; costs nothing and always answers the same."""

    name = "replay"

    def __init__(self, connection: Connection) -> None:
        self._folder = connection.folder or Path()

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        stem = f"{prompt.label}.{prompt.ask}"
        for path, read in (
            (self._folder / f"{stem}.json", _recorded),
            (self._folder / f"{stem}.txt", _written),
        ):
            if path.is_file():
                return read(path, config)
        missing = f"no recorded answer: {stem}.json or {stem}.txt is not in {self._folder.name}"
        raise ProviderError(missing, attempts=0)


def _recorded(path: Path, _config: ModelConfig) -> Completion:
    try:
        return Completion.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ProviderError(
            f"{path.name} is not a recorded answer: {error.errors()[0]['msg']}", attempts=0
        ) from error
    except OSError as error:
        raise ProviderError(f"{path.name} cannot be read: {error.strerror}", attempts=0) from error


def _written(path: Path, config: ModelConfig) -> Completion:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ProviderError(f"{path.name} cannot be read: {error.strerror}", attempts=0) from error
    return Completion(text=text, finish=Finish.COMPLETE, provider=ReplayProvider.name, model=config.model)
