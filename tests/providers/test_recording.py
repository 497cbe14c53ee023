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


async def test_answer_is_kept_and_given_again(prompt: Prompt, config: ModelConfig, tmp_path: Path) -> None:
    """A recorded answer is the answer to the same question ever after: in replay, and in place of a second call."""
    inner = scripted(answer("first", attempts=3))
    first = await recorded(inner, tmp_path).complete(prompt, config)
    assert await recorded(inner, tmp_path).complete(prompt, config) == first
    assert await replayed(tmp_path).complete(prompt, config) == first
    assert (inner.calls, replayed(tmp_path).name) == (1, "scripted")


async def test_another_question_is_another_call(prompt: Prompt, config: ModelConfig, tmp_path: Path) -> None:
    """One changed character of a prompt, or another setting of the model, is a new question; both answers are kept."""
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
async def test_failure_is_replayed_but_asked_again(
    error: ProviderError, kind: type[ProviderError], prompt: Prompt, config: ModelConfig, tmp_path: Path
) -> None:
    """A call that failed fails again in replay, which it does not stop; a further recording makes it anew and adds up both."""
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


async def test_call_that_was_not_made_leaves_nothing(
    prompt: Prompt, config: ModelConfig, tmp_path: Path
) -> None:
    """A call that was not made because the run stopped is not recorded."""
    with pytest.raises(CallNotMade):
        await recorded(scripted(CallNotMade("not asked")), tmp_path).complete(prompt, config)
    assert list(tmp_path.iterdir()) == []


async def test_replay_says_why_it_has_no_answer(prompt: Prompt, config: ModelConfig, tmp_path: Path) -> None:
    """A question that was never put is told from one that has changed since."""
    with pytest.raises(ProviderError, match="this seat was not asked then"):
        await replayed(tmp_path).complete(prompt, config)
    await recorded(scripted(), tmp_path).complete(prompt, config)
    with pytest.raises(ProviderError, match="the tool or the persona has changed since"):
        await replayed(tmp_path).complete(prompt.model_copy(update={"shared": "OTHER"}), config)


async def test_answer_that_cannot_be_kept_is_not_lost(
    prompt: Prompt, config: ModelConfig, tmp_path: Path
) -> None:
    """When an answer cannot be written the run is stopped, and the answer is still handed on."""
    stop = StopSignal()
    provider = AnswerCache(scripted(answer("paid")), Recording(tmp_path / "gone"), stop)
    assert (await provider.complete(prompt, config)).text == "paid"
    assert "could not be recorded" in str(stop.reason)


async def test_broken_answer_is_named(prompt: Prompt, config: ModelConfig, tmp_path: Path) -> None:
    """A file that holds no answer fails the call, names itself, and is not taken for a question never asked."""
    await recorded(scripted(), tmp_path).complete(prompt, config)
    [path] = tmp_path.iterdir()
    path.write_text("{")
    with pytest.raises(ProviderError, match=f"{path.name} is not a recorded answer") as caught:
        await replayed(tmp_path).complete(prompt, config)
    assert caught.value.attempts == 0


def test_recording_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    """A second run is refused for as long as the first one records, and one that began with another secret for good."""
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


async def test_answer_to_another_question_is_not_given(
    prompt: Prompt, config: ModelConfig, tmp_path: Path
) -> None:
    """An answer that was copied over another seat's is refused by its name."""
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
    """A manifest that cannot be read is an error that names it."""
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(SettingsError, match=MANIFEST):
        Recording(tmp_path).manifest()


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
