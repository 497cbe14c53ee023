"""The provider `replay`: answers from a recording, or from files written by hand.

A folder with `recording.json` is a recording; it answers exactly the prompts of the run that was recorded. In any other folder,
the first question with the label `smollm3.builder` is answered by `smollm3.builder.1.json` (a `Completion`) or
`smollm3.builder.1.txt` (the text of a reply), and the re-ask by `smollm3.builder.2.json` or `.2.txt`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from panel.core.completion import CallKey, Completion, FinishReason
from panel.errors import ProviderError, SettingsError
from panel.providers.base import Provider
from panel.providers.recording import Recording
from panel.providers.registry import PriceSource, ProviderSpec

if TYPE_CHECKING:
    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.base import Connection


class RecordingProvider(Provider):
    """Answers from a recording, under the name of the provider that was recorded."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.name = name
        self._recording = Recording(connection.folder or Path())

    async def complete(self, prompt: Prompt, config: ModelConfig) -> Completion:
        """Answer one prompt; see `Provider.complete`."""
        record = await self._recording.find(CallKey.of(prompt, config, self.name))
        if record is not None and record.completion is not None:
            return record.completion
        if record is not None and record.failure is not None:
            raise record.failure.error
        why = (
            "the tool or the persona has changed since"
            if self._recording.knows(prompt)
            else "this seat was not asked then"
        )
        raise ProviderError(f"the recording has no answer to this question: {why}", attempts=0)


class ReplayProvider(Provider):
    """Answers from single files."""

    name = "replay"

    def __init__(self, connection: Connection) -> None:
        self._folder = connection.folder or Path()

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
    if connection.recorded:
        return RecordingProvider(connection, connection.recorded)
    return ReplayProvider(connection)


def _check(connection: Connection) -> None:
    if connection.folder is None or not os.path.isdir(connection.folder):  # noqa: PTH112 - never raises
        raise SettingsError(f"--model replay:DIR: {connection.folder} is not a folder of recorded answers")


SPEC = ProviderSpec(
    name=ReplayProvider.name, open=_open, check=_check, prices=PriceSource.FREE, model_hint="DIR"
)
