"""Which models are asked, with which keys, and what is kept of their answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vendors import READ, WROTE

if TYPE_CHECKING:
    from vendors import Vendors

TOOLS = Path(__file__).parents[2] / "fixtures" / "tools"
TOOL = TOOLS / "smollm3.yaml"
OPENAI, ANTHROPIC = "gpt-6.1-terra", "claude-haiku-5-5"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_recording_reproduces_the_report_byte_for_byte(
    panel: Any, vendors: Vendors, monkeypatch: Any, tmp_path: Path
) -> None:
    """A recording gives the same reports to the byte, without a call, a key, or the user who made it."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    tools = [TOOL, TOOLS / "skillclaw.yaml"]
    assert panel("compare", *tools, "--model", f"openai:{OPENAI}", "--record", "rec", "--out", "a").code == 0
    assert len(vendors.calls) == 10
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("PANEL_DATA_DIR", str(tmp_path / "somebody-else"))
    ran = panel("compare", *tools, "--model", "replay:rec", "--out", "b")
    assert (ran.code, len(vendors.calls)) == (0, 10)
    assert f"Model: openai:{OPENAI}, from the recording in rec" in ran.err
    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_recorded_answers_are_not_paid_for_twice(panel: Any, vendors: Vendors, tmp_path: Path) -> None:
    """The same command asks only what the recording lacks, and answers that came before a stop are kept."""
    command = ("review", TOOL, "--model", f"openai:{OPENAI}", "--record", "rec", "--no-store", "-q")
    assert panel(*command).code == 0
    lost = sorted((tmp_path / "rec").glob("*.1.*.json"))[:2]
    for path in lost:
        path.unlink()
    assert panel(*command).code == 0
    assert len(vendors.calls) == 5 + 2
    vendors.refusing = 401
    lost[0].unlink()
    ran = panel(*command[:-1])
    assert ran.code == 75
    assert "what was answered is kept, and not paid for twice" in ran.err


def test_recording_is_of_one_set_up(panel: Any, vendors: Vendors, monkeypatch: Any) -> None:
    """A folder that holds a recording with other settings is refused before any call, and so is recording a replay."""
    panel("review", TOOL, "--model", f"openai:{OPENAI}", "--record", "rec", "-q")
    monkeypatch.setenv("PANEL_EFFORT", "high")
    ran = panel("review", TOOL, "--model", f"openai:{OPENAI}", "--record", "rec")
    assert (ran.code, len(vendors.calls)) == (2, 5)
    assert "holds a recording of openai:gpt-6.1-terra with other models, settings or prompts" in ran.err
    ran = panel("review", TOOL, "--model", "replay:rec", "--record", "other")
    assert (ran.code, "answers that are replayed are recorded already" in ran.err) == (2, True)


def test_no_key_is_in_a_recording(panel: Any, vendors: Vendors, tmp_path: Path) -> None:
    """Neither a good answer nor a refusal leaves a key in the recording or in the reports."""
    panel("review", TOOL, "--model", f"openai:{OPENAI}", "--record", "rec", "-q")
    vendors.refusing = 401
    ran = panel("review", TOOLS / "skillclaw.yaml", "--model", f"openai:{OPENAI}", "--record", "rec", "-v")
    kept = b"".join([*files(tmp_path).values(), ran.out.encode(), ran.err.encode()])
    assert vendors.calls[0][1] == "Bearer sk-openai-EXAMPLE"
    assert b"sk-openai-EXAMPLE" not in kept


def test_changed_prompts_do_not_fit_a_recording(panel: Any, vendors: Vendors, tmp_path: Path) -> None:
    """A recording that was made with other prompts is refused, since its answers answer other questions."""
    panel("review", TOOL, "--model", f"openai:{OPENAI}", "--record", "rec", "-q")
    shipped = Path(__file__).parents[2] / "prompts"
    (tmp_path / "prompts").mkdir()
    take = (shipped / "take.md.j2").read_text("utf-8").replace("You are", "You are truly", 1)
    assert take != (shipped / "take.md.j2").read_text("utf-8")
    (tmp_path / "prompts" / "take.md.j2").write_text(take)
    ran = panel("review", TOOL, "--model", "replay:rec")
    assert (ran.code, len(vendors.calls)) == (2, 5)
    assert "recorded with other prompts" in ran.err


def test_seat_on_another_model(panel: Any, vendors: Vendors, tmp_path: Path) -> None:
    """A roster may seat a persona on another provider's model; each vendor is sent its own key, and the report says who."""
    roster = f"builder,skeptic=anthropic:{ANTHROPIC},founder"
    ran = panel("review", TOOL, "--model", f"openai:{OPENAI}", "--roster", roster, "--record", "rec")
    assert ran.code == 0
    assert f"Model of skeptic: anthropic:{ANTHROPIC}" in ran.err
    assert sorted(vendors.models) == [ANTHROPIC, OPENAI, OPENAI]
    keys = {body["model"]: key.removeprefix("Bearer ") for _, key, body in vendors.calls}
    assert keys == {OPENAI: "sk-openai-EXAMPLE", ANTHROPIC: "sk-anthropic-EXAMPLE"}
    review = json.loads((tmp_path / "outputs/reviews/smollm3.json").read_text())["review"]
    assert [seat["provenance"]["model"] for seat in review["seats"]] == [OPENAI, ANTHROPIC, OPENAI]
    assert review["setup"]["exceptions"]["skeptic"]["provider"] == "anthropic"
    again = panel("review", TOOL, "--model", "replay:rec", "--roster", "builder,skeptic,founder", "--json")
    assert (
        json.loads(again.out)["id"]
        == json.loads((tmp_path / "outputs/reviews/smollm3.json").read_text())["id"]
    )


def test_same_panel_on_several_models(panel: Any, vendors: Vendors, tmp_path: Path) -> None:
    """`--models` asks each model in turn, keeps a review of each, and shows them side by side."""
    models = f"openai:{OPENAI},anthropic:{ANTHROPIC}"
    ran = panel("review", TOOL, "--models", models, "--format", "json,html")
    assert ran.code == 0
    assert vendors.models == [OPENAI] * 5 + [ANTHROPIC] * 5
    reviews = sorted(path.name for path in (tmp_path / "outputs/reviews").glob("*.json"))
    assert reviews == [
        "smollm3-by-anthropic-claude-haiku-5-5.json",
        "smollm3-by-openai-gpt-6-1-terra.json",
    ]
    [comparison] = (tmp_path / "outputs/compare").glob("*.json")
    setups = [one["review"]["setup"] for one in json.loads(comparison.read_text())["reviews"]]
    assert [setup["config"]["model"] for setup in setups] == [OPENAI, ANTHROPIC]
    assert "5 ship / 0 skip" in ran.out
    assert "0 ship / 5 skip" in ran.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--models", "openai:a,anthropic:b", "--model", "local"], "--model and --models exclude each other"),
        (["--models", "openai:a"], "--models takes 2 to 6 different models"),
        (["--models", "openai:a,openai:a"], "--models takes 2 to 6 different models"),
        (["--models", f"openai,openai:{OPENAI}"], "--models takes 2 to 6 different models"),
        (["--models", "openai:a.b,openai:a-b"], "--models takes 2 to 6 different models"),
        (["--models", "openai:a,nobody:b"], "unknown provider 'nobody'"),
        (["--roster", "builder,skeptic=nobody:b"], "unknown provider 'nobody'"),
    ],
)
def test_unusable_models_are_refused_before_any_call(
    arguments: list[str], said: str, panel: Any, vendors: Vendors, tmp_path: Path
) -> None:
    """Models that cannot be asked are told in one line, with nothing asked and nothing written."""
    ran = panel("review", TOOL, *arguments)
    assert (ran.code, vendors.calls, list(tmp_path.iterdir())) == (2, [], [])
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_missing_key_of_one_model_stops_all(panel: Any, vendors: Vendors, monkeypatch: Any) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    ran = panel("review", TOOL, "--models", f"openai:{OPENAI},anthropic:{ANTHROPIC}")
    assert (ran.code, vendors.calls) == (2, [])
    assert "ANTHROPIC_API_KEY is not set" in ran.err


def test_address_of_ones_own_server_is_not_a_vendors(panel: Any, vendors: Vendors) -> None:
    """Beside a server of one's own, a vendor is asked at its own address, and its key goes nowhere else."""
    own = ["--base-url", f"{vendors.url}/v1", "--model", "openai-compatible:qwen"]
    ran = panel("review", TOOL, *own, "--roster", f"builder,skeptic=anthropic:{ANTHROPIC}")
    assert ran.code == 0
    paths = {body["model"]: (path, key) for path, key, body in vendors.calls}
    assert paths["qwen"] == ("/v1/chat/completions", "Bearer not-needed")
    assert paths[ANTHROPIC][0] == "/v1/messages"


def test_usage_and_price_are_kept(panel: Any, vendors: Vendors, tmp_path: Path) -> None:
    """A review says what each seat and all of them consumed, and what that cost at the model's price."""
    ran = panel("review", TOOL, TOOLS / "skillclaw.yaml", "--model", f"openai:{OPENAI}")
    assert len(vendors.calls) == 10
    assert "5,000 tokens in · 1,000 out · $0.0100" in ran.out
    assert "In all: 10,000 tokens in · 2,000 out · $0.0200" in ran.err
    document = json.loads((tmp_path / "outputs/reviews/smollm3.json").read_text())
    usage = document["summary"]["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (5 * READ, 5 * WROTE)
    assert usage["cost_usd"] == pytest.approx(5 * (READ * 1e-6 + WROTE * 5e-6))


def test_key_may_be_in_a_file(panel: Any, vendors: Vendors, monkeypatch: Any, tmp_path: Path) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    path = tmp_path / "key"
    monkeypatch.setenv("OPENAI_API_KEY_FILE", str(path))
    ran = panel("review", TOOL, "--model", f"openai:{OPENAI}")
    assert (ran.code, "OPENAI_API_KEY_FILE" in ran.err) == (2, True)
    path.write_text("sk-in-a-file\n")
    assert panel("review", TOOL, "--model", f"openai:{OPENAI}").code == 0
    assert vendors.calls[0][1] == "Bearer sk-in-a-file"
    path.write_text("two words")
    ran = panel("review", TOOL, "--model", f"openai:{OPENAI}")
    assert (ran.code, "two words" in ran.err) == (2, False)


@pytest.mark.parametrize("command", ["review", "compare"])
def test_dry_run_asks_nobody_and_writes_nothing(
    command: str, panel: Any, vendors: Vendors, tmp_path: Path
) -> None:
    """A dry run says calls, tokens, cost and whether one seat is asked first, without a call or a file."""
    tools = [TOOL, TOOLS / "skillclaw.yaml"]
    ran = panel(
        command, *tools, "--model", f"openai:{OPENAI}", "--dry-run", "--out", "out", "--record", "rec"
    )
    assert (ran.code, vendors.calls, list(tmp_path.iterdir())) == (0, [], [])
    for said in ("Tools    2", "Calls    10 to 20", "Cost     about $", "Cache    off: "):
        assert said in ran.out
    [outlook] = json.loads(panel(command, *tools, "--model", f"openai:{OPENAI}", "--dry-run", "--json").out)
    assert outlook["total"]["calls"] == {"least": 10, "most": 20}


def test_dry_run_fails_where_the_run_would(panel: Any, monkeypatch: Any) -> None:
    """A run that could not begin has no forecast: what is missing is said instead."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    ran = panel("review", TOOL, "--model", "openai", "--dry-run")
    assert (ran.code, "OPENAI_API_KEY is not set" in ran.err) == (2, True)


def test_cache_is_warmed_where_other_tools_fill_the_wait(
    panel: Any, vendors: Vendors, monkeypatch: Any
) -> None:
    """With more seats than calls in flight, the first seat of a panel is told to keep the listing; alone it is not worth it."""
    tools = [TOOL, TOOLS / "skillclaw.yaml"]
    panel("review", *tools, "--model", f"anthropic:{ANTHROPIC}", "--concurrency", "2", "-q")
    assert all("cache_control" in str(body) for _, _, body in vendors.calls)
    vendors.calls.clear()
    panel("review", TOOL, "--model", f"anthropic:{ANTHROPIC}", "--fresh", "-q")
    assert not any("cache_control" in str(body) for _, _, body in vendors.calls)
    monkeypatch.setenv("PANEL_CACHE", "warm")
    panel("review", TOOL, "--model", f"anthropic:{ANTHROPIC}", "--fresh", "-q")
    assert "cache_control" in str(vendors.calls[-1])


def test_stopped_recording_is_replayed_as_far_as_it_goes(
    panel: Any, vendors: Vendors, tmp_path: Path
) -> None:
    command = ("review", TOOL, "--model", f"openai:{OPENAI}", "--record", "rec", "-q")
    panel(*command)
    kept = sorted((tmp_path / "rec").glob("smollm3.*.json"))
    entry = json.loads(kept[0].read_text())
    failure = {"kind": "down", "message": "the account cannot pay", "attempts": 1, "lost_calls": 0}
    kept[0].write_text(json.dumps(entry | {"completion": None, "failure": failure}))
    ran = panel("review", TOOL, "--model", "replay:rec", "--json")
    assert (ran.code, json.loads(ran.out)["summary"]["takes_given"]) == (3, 4)
    assert len(vendors.calls) == 5


def test_vendors_key_goes_to_its_vendor_when_several_are_asked(panel: Any, vendors: Vendors) -> None:
    """An address that is given beside models of two vendors is neither's."""
    models = f"openai:{OPENAI},anthropic:{ANTHROPIC}"
    ran = panel("review", TOOL, "--models", models, "--base-url", "http://127.0.0.1:9/v1")
    assert (ran.code, len(vendors.calls)) == (0, 10)


def test_own_key_is_not_sent_where_a_folder_says(panel: Any, monkeypatch: Any, tmp_path: Path) -> None:
    """A settings file that lies in the folder may not send the key of one's own server to another machine."""
    monkeypatch.setenv("PANEL_API_KEY", "sk-own-EXAMPLE")
    (tmp_path / "panel.yaml").write_text(
        "model: openai-compatible:m\nbase_url: https://elsewhere.example/v1\n"
    )
    ran = panel("review", TOOL)
    assert (ran.code, "would send your openai-compatible key to" in ran.err) == (2, True)


def test_report_that_cannot_be_written_is_still_shown(panel: Any, vendors: Vendors, tmp_path: Path) -> None:
    """When a report cannot be written the review is printed all the same, the earlier one stays in force, and the code is 74."""
    command = ("review", TOOL, "--model", f"openai:{OPENAI}", "--format", "json", "--fresh", "--json")
    panel(*command)
    report = tmp_path / "outputs/reviews/smollm3.json"
    before = report.read_bytes()
    (tmp_path / "outputs/reviews/earlier").write_text("in the way")
    ran = panel(*command)
    assert (ran.code, json.loads(ran.out)["summary"]["takes_given"]) == (74, 5)
    assert report.read_bytes() == before
    assert len(vendors.calls) == 10


def test_dry_run_of_stored_reviews_asks_for_nothing(panel: Any, vendors: Vendors, monkeypatch: Any) -> None:
    """Stored reviews are compared without a model, so that there is nothing to forecast, and no key is missed."""
    panel("review", TOOL, TOOLS / "skillclaw.yaml", "--model", f"openai:{OPENAI}", "-q")
    assert vendors.calls
    monkeypatch.delenv("OPENAI_API_KEY")
    stored = ("outputs/reviews/smollm3.json", "outputs/reviews/skillclaw.json")
    ran = panel("compare", *stored, "--model", "openai", "--dry-run")
    assert (ran.code, ran.out) == (0, "Nothing would be asked: all reviews are there already.\n")


def test_same_model_in_the_roster_shares_the_limits(panel: Any, vendors: Vendors, tmp_path: Path) -> None:
    """A seat that names the panel's own model goes through the same gate as the others, with a warm cache too."""
    (tmp_path / "panel.yaml").write_text("cache: warm\nconcurrency: 1\n")
    roster = f"builder,skeptic=anthropic:{ANTHROPIC},founder"
    panel("review", TOOL, "--model", f"anthropic:{ANTHROPIC}", "--roster", roster, "-q")
    assert (len(vendors.calls), vendors.most_in_flight) == (3, 1)
