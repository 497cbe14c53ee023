from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from panel.core.completion import Completion, FinishReason, Usage
from panel.errors import ProviderError, SettingsError
from panel.providers.base import Connection
from panel.providers.registry import open_provider

if TYPE_CHECKING:
    from pathlib import Path

    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt

pytestmark = pytest.mark.anyio


async def test_recorded_completion_is_answered_as_it_was(
    prompt: Prompt, config: ModelConfig, tmp_path: Path
) -> None:
    """A recorded completion comes back whole, usage and model included."""
    recorded = Completion(
        text="x",
        finish=FinishReason.TRUNCATED,
        provider="openai",
        model="m",
        usage=Usage(output_tokens=3),
        request_id="r",
    )
    (tmp_path / "lantern.builder.1.json").write_text(recorded.model_dump_json())
    assert await open_provider(Connection("replay", folder=tmp_path)).complete(prompt, config) == recorded


async def test_written_reply_is_answered_as_text(prompt: Prompt, config: ModelConfig, tmp_path: Path) -> None:
    """A reply written by hand is answered as raw text, the re-ask with its own file."""
    (tmp_path / "lantern.builder.1.txt").write_text("first")
    (tmp_path / "lantern.builder.2.txt").write_text("second")
    provider = open_provider(Connection("replay", folder=tmp_path))
    assert (await provider.complete(prompt, config)).text == "first"
    assert (await provider.complete(prompt.model_copy(update={"ask": 2}), config)).text == "second"


async def test_missing_and_broken_recordings_name_the_file(
    prompt: Prompt, config: ModelConfig, tmp_path: Path
) -> None:
    """A recording that is not there, or is none, fails the call and says which file."""
    provider = open_provider(Connection("replay", folder=tmp_path))
    with pytest.raises(ProviderError, match=r"lantern\.builder\.1\.json"):
        await provider.complete(prompt, config)
    (tmp_path / "lantern.builder.1.json").write_text('{"text": 1}')
    with pytest.raises(ProviderError, match=r"lantern\.builder\.1\.json is not a recorded answer"):
        await provider.complete(prompt, config)


def test_folder_must_exist(tmp_path: Path) -> None:
    """Replaying from a folder that does not exist is a settings error."""
    with pytest.raises(SettingsError, match="not a folder"):
        open_provider(Connection("replay", folder=tmp_path / "nowhere"))
