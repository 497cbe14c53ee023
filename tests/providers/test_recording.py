from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from panel.core.completion import Completion, FinishReason, ModelConfig, ModelRef, Usage
from panel.errors import CallNotMade, ProviderDown, ProviderError, ProviderTimeout, RunStopped, SettingsError
from panel.providers import open_provider
from panel.providers.base import Connection, StopSignal
from panel.providers.middleware.answer_cache import AnswerCache
from panel.providers.recording import MANIFEST, Manifest, Recording
from parts import answer, scripted

if TYPE_CHECKING:
    from pathlib import Path

    from panel.core.prompt import Prompt
    from panel.providers.base import Provider

pytestmark = pytest.mark.anyio


def replayed(folder: Path) -> Provider:
    return open_provider(Connection("replay", folder=folder, recorded="scripted"))


def recorded(inner: Provider, folder: Path) -> Provider:
    folder.mkdir(exist_ok=True)
    return AnswerCache(inner, Recording(folder), StopSignal())


async def test_recorded_answer_is_replayed_and_not_asked_for_again(
    prompt: Prompt, config: ModelConfig, tmp_path: Path
) -> None:
    inner = scripted(answer("first", attempts=3))
    first = await recorded(inner, tmp_path).complete(prompt, config)
    assert await recorded(inner, tmp_path).complete(prompt, config) == first
    assert await replayed(tmp_path).complete(prompt, config) == first
    assert (inner.calls, replayed(tmp_path).name) == (1, "scripted")


async def test_changed_prompt_or_parameter_is_another_recorded_call(
    prompt: Prompt, config: ModelConfig, tmp_path: Path
) -> None:
    inner = scripted(answer("one"), answer("two"), answer("three"))
    provider = recorded(inner, tmp_path)
    await provider.complete(prompt, config)
    await provider.complete(prompt.model_copy(update={"own": "SEAT!"}), config)
    await provider.complete(prompt, config.model_copy(update={"seed": 7}))
    assert (inner.calls, len(list(tmp_path.glob("lantern.builder.1.*.json")))) == (3, 3)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ProviderTimeout("slow", attempts=4, lost_calls=4), ProviderTimeout),
        (ProviderDown("no key"), ProviderError),
        (ProviderError("bad"), ProviderError),
    ],
)
async def test_failure_is_replayed_and_asked_again_by_a_further_recording(
    error: ProviderError, kind: type[ProviderError], prompt: Prompt, config: ModelConfig, tmp_path: Path
) -> None:
    inner = scripted(error, answer("now"))
    with pytest.raises(type(error)):
        await recorded(inner, tmp_path).complete(prompt, config)
    with pytest.raises(kind) as caught:
        await replayed(tmp_path).complete(prompt, config)
    assert (str(caught.value), caught.value.attempts, caught.value.lost_calls) == (
        str(error),
        error.attempts,
        error.lost_calls,
    )
    assert not isinstance(caught.value, ProviderDown)
    again = await recorded(inner, tmp_path).complete(prompt, config)
    assert (again.text, again.attempts, again.usage.lost_calls) == (
        "now",
        1 + error.attempts,
        error.lost_calls,
    )
    assert (await replayed(tmp_path).complete(prompt, config)).text == "now"


async def test_call_that_was_not_made_is_not_recorded(
    prompt: Prompt, config: ModelConfig, tmp_path: Path
) -> None:
    with pytest.raises(CallNotMade):
        await recorded(scripted(CallNotMade("not asked")), tmp_path).complete(prompt, config)
    assert list(tmp_path.iterdir()) == []


async def test_replay_says_why_it_has_no_answer(prompt: Prompt, config: ModelConfig, tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="this seat was not asked then"):
        await replayed(tmp_path).complete(prompt, config)
    await recorded(scripted(), tmp_path).complete(prompt, config)
    with pytest.raises(ProviderError, match="the tool or the persona has changed since"):
        await replayed(tmp_path).complete(prompt.model_copy(update={"shared": "OTHER"}), config)


async def test_answer_that_cannot_be_recorded_is_returned_and_stops_the_run(
    prompt: Prompt, config: ModelConfig, tmp_path: Path
) -> None:
    stop = StopSignal()
    provider = AnswerCache(scripted(answer("paid")), Recording(tmp_path / "gone"), stop)
    assert (await provider.complete(prompt, config)).text == "paid"
    assert "could not be recorded" in str(stop.reason)


async def test_broken_file_fails_the_call_and_is_named(
    prompt: Prompt, config: ModelConfig, tmp_path: Path
) -> None:
    await recorded(scripted(), tmp_path).complete(prompt, config)
    [path] = tmp_path.iterdir()
    path.write_text("{")
    with pytest.raises(ProviderError, match=f"{path.name} is not a recorded answer") as caught:
        await replayed(tmp_path).complete(prompt, config)
    assert caught.value.attempts == 0


def test_recording_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    asked = ModelRef(provider="openai", config=ModelConfig(model="m"), prompts="p")
    first, second = Recording(tmp_path / "new"), Recording(tmp_path / "new")
    assert first.manifest() is None
    manifest = Manifest(asked=asked)
    first.open(manifest)
    with pytest.raises(RunStopped, match="another process records in"):
        second.open(manifest)
    first.close()
    second.open(manifest)
    second.close()
    with pytest.raises(RunStopped):
        second.open(Manifest(asked=asked))
    assert first.manifest() == manifest
    assert len(bytes.fromhex(manifest.secret)) == 32


async def test_file_copied_over_another_seats_is_refused(
    prompt: Prompt, config: ModelConfig, tmp_path: Path
) -> None:
    provider = recorded(scripted(answer("one"), answer("two")), tmp_path)
    await provider.complete(prompt, config)
    await provider.complete(prompt.model_copy(update={"own": "OTHER"}), config)
    one, two = tmp_path.iterdir()
    one.write_text(two.read_text())
    two.write_text(one.read_text())
    outcomes = []
    for own in ("SEAT", "OTHER"):
        try:
            outcomes.append(
                (await replayed(tmp_path).complete(prompt.model_copy(update={"own": own}), config)).text
            )
        except ProviderError as error:
            outcomes.append(str(error).partition(" ")[2])
    assert sum("answers another question" in outcome for outcome in outcomes) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"kind": "panel-recording", "secret": "x"})])
def test_broken_manifest_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(SettingsError, match=MANIFEST):
        Recording(tmp_path).manifest()


async def test_completion_in_a_single_file_is_returned_whole(
    prompt: Prompt, config: ModelConfig, tmp_path: Path
) -> None:
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


async def test_reply_written_by_hand_is_returned_as_text(
    prompt: Prompt, config: ModelConfig, tmp_path: Path
) -> None:
    (tmp_path / "lantern.builder.1.txt").write_text("first")
    (tmp_path / "lantern.builder.2.txt").write_text("second")
    provider = open_provider(Connection("replay", folder=tmp_path))
    assert (await provider.complete(prompt, config)).text == "first"
    assert (await provider.complete(prompt.model_copy(update={"ask": 2}), config)).text == "second"


async def test_missing_or_broken_single_file_is_named(
    prompt: Prompt, config: ModelConfig, tmp_path: Path
) -> None:
    provider = open_provider(Connection("replay", folder=tmp_path))
    with pytest.raises(ProviderError, match=r"lantern\.builder\.1\.json"):
        await provider.complete(prompt, config)
    (tmp_path / "lantern.builder.1.json").write_text('{"text": 1}')
    with pytest.raises(ProviderError, match=r"lantern\.builder\.1\.json is not a recorded answer"):
        await provider.complete(prompt, config)


def test_replay_folder_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not a folder"):
        open_provider(Connection("replay", folder=tmp_path / "nowhere"))
