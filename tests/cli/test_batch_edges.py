"""What batches do at their edges: failed seats of an earlier run, stale reports, other folders, budgets that change."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cli.stage import INVALID, Stage
from cli.test_batch import MANY, MODEL, ROOT, TOOLS, after, entry, jsonl, rows, signalled
from panel.core.completion import ModelConfig
from panel.core.prompt import Prompt
from panel.errors import ProviderTimeout
from panel.orchestrator.run_storage import StoredRun
from panel.providers.middleware.answer_cache import AnswerCache
from panel.providers.middleware.budget import Budget
from panel.providers.middleware.rate_limit import CallLimits, RateLimiter
from panel.providers.middleware.stack import wrap_hosted
from panel.store import open_store
from parts import InstantStop, scripted, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.conftest import Ran
    from panel.store import Spending

CENT = 0.01
TINY = "0.00001"
TWO = (TOOLS / "smollm3.yaml", TOOLS / "skillclaw.yaml")
JSON = ("--out", "out", "--format", "json")


@pytest.fixture
def batch(panel: Callable[..., Ran]) -> Callable[..., Ran]:
    """Run a batch with OpenAI's model."""
    return lambda *words: panel("batch", "run", *words, *MODEL)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A list of a few tools that cost the same."""
    return jsonl(tmp_path / "tools.jsonl", *map(entry, range(MANY)))


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """A list of one tool."""
    return jsonl(tmp_path / "tools.jsonl", entry(0))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Path]:
    """Go to an empty folder."""

    def go() -> Path:
        folder = tmp_path / "elsewhere"
        folder.mkdir()
        monkeypatch.chdir(folder)
        return folder

    return go


def report(folder: Path, slug: str = "tool-0") -> Any:
    return json.loads((folder / "out" / "reviews" / f"{slug}.json").read_text("utf-8"))


def block(folder: Path) -> Path:
    """Put a file where earlier reports are kept aside, so that no report can take the place of another."""
    path = folder / "out" / "reviews" / "earlier"
    path.write_text("in the way")
    return path


# Failed seats of drafts that are there already.


@pytest.mark.parametrize("first", [("batch", "run"), ("review",)], ids=["batch", "review"])
def test_failed_seats_of_an_earlier_run_count(
    first: tuple[str, ...], panel: Any, batch: Any, one: Path, stage: Stage
) -> None:
    """A batch over a tool that was drafted with a failed seat ends with 3, counts that seat, and can be retried."""
    stage.parts = {"skeptic": INVALID}
    assert panel(*first, one, *MODEL).code == 3
    ran = batch(one)
    assert (ran.code, "failed     1 seat: 1 invalid" in ran.out) == (3, True)
    stage.asked, stage.parts = [], {}
    assert (panel("batch", "retry", "2").code, stage.critics) == (0, ["skeptic"])
    assert panel("batch", "resume", "2").code == 0


def test_reports_of_an_earlier_runs_draft_are_written_by_resume(
    panel: Any, batch: Any, one: Path, stage: Stage, tmp_path: Path
) -> None:
    stage.parts = {"skeptic": INVALID}
    batch(one)
    batch(one, *JSON)
    (tmp_path / "out" / "reviews" / "tool-0.json").unlink()
    assert panel("batch", "resume", "2").code == 3
    assert report(tmp_path)["summary"]["takes_given"] == 4


def test_a_cancelled_run_can_be_retried(
    panel: Any, batch: Any, listed: Path, stage: Stage, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("panel.store.RENEW_SECONDS", 0.01)
    stage.parts = {"skeptic": INVALID}
    after(14, signalled, stage)
    batch(listed, "--concurrency", "1")
    panel("batch", "cancel", "1")
    assert rows(database, "SELECT state FROM runs") == [("stopped",)]

    def beats() -> int:
        return int(rows(database, "SELECT lease_beat FROM runs WHERE id = 1")[0][0])

    def renewed() -> None:
        beat = beats()
        while beats() < beat + 2:
            pass

    stage.asked, stage.parts = [], {}
    after(1, renewed, stage)
    ran = panel("batch", "retry", "1", "--concurrency", "1")
    assert (ran.code, set(stage.critics), len(stage.asked)) == (0, {"skeptic"}, 2)


# Budgets.


def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANEL_BUDGET", TINY)


def _settings_file(_monkeypatch: pytest.MonkeyPatch) -> None:
    Path("panel.yaml").write_text(f"budget: {TINY}\n", "utf-8")


@pytest.mark.parametrize("limit", [_environment, _settings_file])
def test_a_retry_takes_the_budget_in_force_now(
    limit: Callable[[pytest.MonkeyPatch], None],
    panel: Any,
    batch: Any,
    listed: Path,
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage.parts = {"skeptic": INVALID}
    assert batch(listed, "--budget", "9").code == 3
    stage.asked, stage.parts = [], {}
    limit(monkeypatch)
    ran = panel("batch", "retry", "1")
    assert (ran.code, stage.asked, "the budget of $0.0000" in ran.err) == (75, [], True)


def test_a_retry_without_a_budget_has_none(panel: Any, batch: Any, one: Path, stage: Stage) -> None:
    """The budget that a run was begun with does not stop its retry, however much of it is spent."""
    stage.parts = {"skeptic": INVALID}
    assert batch(one, "--budget", "9").code == 3
    stage.parts = {}
    panel("batch", "retry", "1")
    assert json.loads(panel("batch", "status", "2", "--json").out)["budget"] is None


def test_a_budget_given_to_resume_is_kept(panel: Any, batch: Any, listed: Path, stage: Stage) -> None:
    """A budget that a resume was given is that of the run from then on: in its status, and when it is resumed again."""
    assert batch(listed, "--budget", TINY).code == 75
    after(3, signalled, stage)
    assert panel("batch", "resume", "1", "--budget", "9", "--concurrency", "1").code == 130
    assert json.loads(panel("batch", "status", "1", "--json").out)["budget"]["usd"] == 9
    assert panel("batch", "resume", "1").code == 0
    assert set(Counter(stage.asked).values()) == {1}


@pytest.mark.parametrize(
    ("settings", "calls"),
    [({}, 4), ({"RETRIES": "0"}, 1), ({"RETRIES": "1"}, 2)],
    ids=["default", "no retries", "one retry"],
)
def test_an_intent_says_how_often_it_may_be_asked(
    settings: dict[str, str],
    calls: int,
    batch: Any,
    one: Path,
    stage: Stage,
    database: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"PANEL_{name}", value)
    batch(one)
    assert len(stage.asked) == 5
    assert rows(database, "SELECT most_calls, count(*) FROM calls GROUP BY most_calls") == [(calls, 5)]


def test_a_killed_process_may_have_paid_for_every_attempt(tmp_path: Path) -> None:
    """A call that a process left open counts at the worst price of all its attempts, so never below what was paid."""
    prompt = Prompt(label="lantern.builder", system="RULES", shared="", own="SEAT", answer_schema={})
    budget, halt = Budget(1.0), InstantStop()
    inner = scripted(ProviderTimeout("slow"), ProviderTimeout("slow"), asyncio.Event())

    def worst(*_: object) -> float:
        return CENT

    async def killed() -> Spending:
        async with open_store(tmp_path / "panel.db") as store:
            run = StoredRun(store, await store.runs.create("batch", {}))
            limiter = RateLimiter(CallLimits(4), halt)
            wrapped = wrap_hosted(inner, limiter, timeout=60, attempts=4, budget=(budget, worst))
            provider = AnswerCache(wrapped, run, halt, worst_case=worst, most_calls=4)
            call = asyncio.create_task(provider.complete(prompt, ModelConfig(model="some-model")))
            await until(lambda: inner.calls == 3)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            return await store.run_stats.spent(run.run)

    spent = asyncio.run(killed())
    assert spent.lost_calls == 1
    assert spent.at_risk_usd == pytest.approx(4 * CENT)
    assert budget.paid == pytest.approx(3 * CENT)
    assert spent.most_usd >= budget.paid


# Other folders, and another environment.


def test_a_folder_of_personas_is_found_from_elsewhere(
    panel: Any, batch: Any, listed: Path, stage: Stage, tmp_path: Path, elsewhere: Callable[[], Path]
) -> None:
    """A run that was begun beside a folder of personas goes on with those from any other folder."""
    shutil.copytree(ROOT / "personas", tmp_path / "personas")
    skeptic = tmp_path / "personas" / "skeptic.md"
    text = skeptic.read_text("utf-8")
    assert "depends on it." in text
    skeptic.write_text(text.replace("depends on it.", "does."), "utf-8")
    after(3, signalled, stage)
    batch(listed, "--concurrency", "1")
    elsewhere()
    assert panel("batch", "resume", "1").code == 0
    assert (len(stage.asked), set(Counter(stage.asked).values())) == (5 * MANY, {1})


def test_a_replay_is_found_from_elsewhere(panel: Any, tmp_path: Path, elsewhere: Callable[[], Path]) -> None:
    """A run that is answered from a folder that was named relatively goes on from any other folder."""
    shutil.copytree(ROOT / "fixtures" / "replies" / "seed", tmp_path / "replies")
    words = ("--model", "replay:replies", *JSON)
    assert panel("batch", "run", TOOLS / "smollm3.yaml", *words).code == 0
    written = report(tmp_path, "smollm3")
    (tmp_path / "out" / "reviews" / "smollm3.json").unlink()
    folder = elsewhere()
    assert panel("batch", "resume", "1").code == 0
    assert report(tmp_path, "smollm3") == written
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("variable", "value"), [("PANEL_RECORD", "rec"), ("PANEL_BASE_URL", "http://127.0.0.1:9/v1")]
)
def test_what_was_not_set_stays_so(
    variable: str,
    value: str,
    panel: Any,
    batch: Any,
    listed: Path,
    stage: Stage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A setting that a run was begun without is not taken from the environment in which it is resumed."""
    after(3, signalled, stage)
    batch(listed, "--concurrency", "1")
    monkeypatch.setenv(variable, value)
    assert panel("batch", "resume", "1").code == 0
    assert (len(stage.asked), set(Counter(stage.asked).values())) == (5 * MANY, {1})
    assert list(tmp_path.iterdir()) == [listed]


# Reports that are not those of the draft.


def test_a_report_that_was_not_replaced_is_replaced_by_resume(
    panel: Any, batch: Any, one: Path, stage: Stage, tmp_path: Path
) -> None:
    """Where a run ended before it wrote a report over that of an earlier draft, resuming it does so."""
    batch(one, *JSON)
    jsonl(one, entry(0, description="Another text altogether."))
    obstacle = block(tmp_path)
    assert batch(one, *JSON).code == 74
    assert "Another text" not in json.dumps(report(tmp_path))
    obstacle.unlink()
    assert (panel("batch", "resume", "2").code, len(stage.asked)) == (0, 10)
    assert "Another text altogether." in json.dumps(report(tmp_path))


def test_a_report_of_a_revised_draft_is_replaced_by_resume(
    panel: Any, batch: Any, one: Path, stage: Stage, tmp_path: Path
) -> None:
    """Where a retry revised a draft and ended before it wrote the report, resuming the retry does so."""
    stage.parts = {"skeptic": INVALID}
    batch(one, *JSON)
    stage.parts = {}
    obstacle = block(tmp_path)
    assert panel("batch", "retry", "1").code == 74
    assert report(tmp_path)["summary"]["takes_given"] == 4
    obstacle.unlink()
    assert panel("batch", "resume", "2").code == 0
    assert report(tmp_path)["summary"]["takes_given"] == 5


def test_a_slug_stays_the_runs_own(panel: Any, batch: Any, stage: Stage, tmp_path: Path) -> None:
    """Tools that were filed apart in a run stay so when one of them is reviewed by itself before the run is resumed."""
    pair = ({"name": "A B", "description": "x one"}, {"name": "A-B", "description": "y two"})
    after(3, signalled, stage)
    batch(jsonl(tmp_path / "tools.jsonl", *pair), "--concurrency", "1", *JSON)
    third = jsonl(tmp_path / "tools-2.jsonl", {"name": "A-B", "description": "z three"})
    assert panel("review", third, *MODEL, "--no-color", "-q").code == 0
    assert panel("batch", "resume", "1").code == 0
    written = [report(tmp_path, path.stem) for path in (tmp_path / "out" / "reviews").glob("*.json")]
    assert sorted(one["review"]["tool"]["name"] for one in written) == ["A B", "A-B"]


# What is refused, left out, or left behind.


@pytest.mark.parametrize(
    ("command", "flags", "variable"),
    [
        ("review", ("--record", "rec"), ""),
        ("compare", ("--record", "rec"), ""),
        ("review", (), "rec"),
        ("compare", (), "rec"),
        ("batch run", (), "rec"),
    ],
)
def test_a_recording_is_never_made_anew(
    command: str,
    flags: tuple[str, ...],
    variable: str,
    panel: Any,
    stage: Stage,
    tmp_path: Path,
    own_world: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`--fresh` where answers are recorded is refused in one line with 2, before anything is asked or kept."""
    if variable:
        monkeypatch.setenv("PANEL_RECORD", variable)
    ran = panel(*command.split(), *TWO, *MODEL, "--fresh", *flags)
    assert (ran.code, ran.out, stage.asked) == (2, "", [])
    assert "--fresh and a recording exclude each other: record anew in another folder" in ran.err
    assert (list(tmp_path.iterdir()), list(own_world.iterdir())) == ([], [])


@pytest.mark.parametrize("command", ["review", "compare", "batch run"])
def test_a_dry_run_leaves_nothing_behind(
    command: str, panel: Any, stage: Stage, tmp_path: Path, own_world: Path
) -> None:
    """A dry run leaves no file or folder, not even the secret that the user's questions are fenced with."""
    ran = panel(*command.split(), *TWO, *MODEL, "--dry-run")
    assert (ran.code, stage.asked) == (0, [])
    assert (list(tmp_path.iterdir()), list(own_world.iterdir())) == ([], [])


def test_a_tool_of_another_name_is_not_called_drafted(batch: Any, stage: Stage, tmp_path: Path) -> None:
    """Where all tools are left out because they are known under other names, they are said to be there, not to be drafted."""
    page = {"url": "https://tool.example/"}
    batch(jsonl(tmp_path / "tools.jsonl", entry(0, **page)))
    ran = batch(jsonl(tmp_path / "tools.jsonl", entry(1, **page)))
    assert (ran.code, len(stage.asked), "drafted already" in ran.err) == (0, 5, False)
    assert "Nothing to do: all of these tools are there already; --fresh reviews them anew." in ran.err
