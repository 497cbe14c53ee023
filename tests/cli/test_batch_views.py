"""What `panel batch` shows of runs, and how it stops them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

import builders
from panel.cli.batch_rendering import (
    cancelled_lines,
    failed_seat_json,
    failed_seat_lines,
    failures_total,
    listed_data,
    listed_lines,
    status_data,
    status_lines,
)
from panel.core.frozen import digest_of
from panel.core.take import NoTakeReason
from panel.orchestrator.run_status import RunStatus, next_commands, run_state
from panel.store import (
    FAILURES,
    FailedSeat,
    ProcessId,
    RunProgress,
    RunState,
    RunSummary,
    Spending,
    Store,
    open_store,
)
from store.samples import answered, call_key, failed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

BEGUN = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
HERE = ProcessId.current()
GONE = HERE.model_copy(update={"started": "long ago"})
FAR = ProcessId(host="far", space="another boot", pid=7, started="1")
INVALID, TIMED_OUT = NoTakeReason.INVALID, NoTakeReason.TIMED_OUT
HOSTILE = "line one\x1b]0;title\x07\n\x9b31mred\rLantern · skeptic · refused\n"


def run_line(state: str = "open", holder: ProcessId | None = None, **fields: Any) -> RunSummary:
    known = {
        "id": 7,
        "kind": "batch",
        "settings": {},
        "state": RunState(state),
        "created_at": BEGUN,
        "finished_at": None if state == "open" else BEGUN,
        "holder": holder,
        "held_since": holder and BEGUN,
        "tools": 3,
        "done": 1,
        "failed_seats": 0,
        "cost_usd": 0.0,
        "answers": 0,
        "unpriced": 0,
    }
    return RunSummary(**{**known, **fields})


def run_status(line: RunSummary | None = None, **spent: Any) -> RunStatus:
    known = {
        "cost_usd": 0.0,
        "unpriced": 0,
        "input_tokens": 0,
        "output_tokens": 0,
        "lost_calls": 0,
        "at_risk_usd": 0.0,
    }
    progress = RunProgress(todo=2, done=1, drafts=1, open_calls=1, answered_calls=8, failed_calls=2)
    return RunStatus(line or run_line(), progress, Spending(**{**known, **spent}), {INVALID: 2, TIMED_OUT: 1})


def seat(**fields: Any) -> FailedSeat:
    known = {
        "draft": 12,
        "tool": "Lantern",
        "slug": "lantern",
        "persona": "skeptic",
        "reason": INVALID,
        "detail": "score: missing",
        "model": "m-1",
        "reply": "{}",
    }
    return FailedSeat(**{**known, **fields})


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the store in force will be."""
    path = tmp_path / "kept" / "panel.db"
    monkeypatch.setenv("PANEL_DATABASE_URL", str(path))
    path.parent.mkdir()
    return path


@pytest.fixture
def fill(database: Path) -> Callable[[Callable[[Store], Awaitable[None]]], None]:
    """Put something into the store in force."""

    async def opened(work: Callable[[Store], Awaitable[None]]) -> None:
        async with open_store(database) as store:
            await work(store)

    return lambda work: asyncio.run(opened(work))


async def a_batch(store: Store) -> None:
    """Run 1: one tool of two reviewed, with two failed seats, of which one got a reply."""
    settings = {"model": "openai:m-1", "roster": ["builder", "skeptic"], "budget_usd": 5.0, "endpoints": {}}
    run = await store.runs.create("batch", settings)
    prompt = digest_of("question")
    outcomes = builders.take(), builders.no_take("invalid", "score: missing"), builders.no_take("timed_out")
    kept = builders.review(*outcomes)
    source = builders.provenance(prompt_digest=prompt)
    seats = tuple(one.model_copy(update={"provenance": source}) for one in kept.seats)
    await store.runs.add_tools(run, [builders.tool(), builders.tool("Sextant")])
    await store.drafts.put(
        kept.model_copy(update={"seats": seats}), run, await store.tools.put(builders.tool())
    )
    asked = call_key(run=run, prompt_digest=prompt, model=builders.MODEL, worst_usd=0.5)
    await store.calls.settle(await store.calls.begin(asked), answered(HOSTILE + "word " * 400))
    await store.calls.settle(await store.calls.begin(asked), failed(lost_calls=1))


async def several_runs(store: Store) -> None:
    await a_batch(store)
    for kind in ("review", "retry", "compare", "batch"):
        await store.runs.create(kind, {})


@pytest.mark.parametrize(
    ("state", "holder", "shown"),
    [
        ("open", None, "open"),
        ("open", HERE, "working"),
        ("open", GONE, "open"),
        ("open", FAR, "held"),
        ("stopped", None, "stopped"),
        ("stopped", HERE, "stopping"),
        ("done", None, "done"),
        ("making", None, "making"),
    ],
)
def test_the_state_of_a_run_says_whether_it_is_worked_on(
    state: str, holder: ProcessId | None, shown: str
) -> None:
    """A run is working while a live process holds it, and stopping while one has yet to notice that it should."""
    assert run_state(run_line(state, holder)) == shown


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        (run_line(), ["panel batch resume 7"]),
        (run_line("stopped", failed_seats=2), ["panel batch resume 7"]),
        (run_line("open", HERE), []),
        (run_line("open", FAR), ["panel batch resume 7"]),
        (run_line("done"), ["panel queue next"]),
        (
            run_line("done", failed_seats=2),
            ["panel batch failures 7", "panel batch retry 7", "panel queue next"],
        ),
        (run_line("done", kind="retry", settings={"of": 3}), ["panel batch status 3"]),
        (run_line("done", kind="review", failed_seats=1), ["panel batch failures 7", "panel queue next"]),
        (run_line("open", kind="review"), []),
        (run_line("making"), []),
    ],
)
def test_the_next_command_is_the_one_that_helps(line: RunSummary, commands: list[str]) -> None:
    """What is not done is resumed, failures of what is done are looked at and retried, and otherwise nothing is left to do."""
    assert next_commands(line) == commands


def test_the_list_fits_a_narrow_terminal() -> None:
    """The table of large runs fits 80 columns, and says when prices are missing from a sum."""
    large: dict[str, Any] = {
        "tools": 10_000,
        "done": 10_000,
        "failed_seats": 50_000,
        "cost_usd": 1234.5,
        "answers": 50_000,
    }
    lines = listed_lines(
        [
            run_line(id=12_345, **large, unpriced=3),
            run_line("stopped", HERE, id=2, kind="compare"),
            run_line("done", answers=4, unpriced=4),
        ]
    )
    assert lines == [
        "  run  kind     begun (UTC)       state             tools  failed          cost",
        "12345  batch    2026-11-22 09:30  open      10,000/10,000  50,000  $1,234.50 +?",
        "    2  compare  2026-11-22 09:30  stopping            1/3       0         $0.00",
        "    7  batch    2026-11-22 09:30  done                1/3       0       unknown",
        "",
        "+?: the price of some answers is not known",
    ]
    assert max(map(len, lines)) <= 80


def test_an_unknown_cost_is_null() -> None:
    """For programs, a run whose answers have no known price has no cost, and one without answers cost nothing."""
    assert listed_data(run_line(answers=4, unpriced=4))["cost_usd"] is None
    assert listed_data(run_line())["cost_usd"] == 0


def test_status_tells_what_is_asked_and_how_far_it_is() -> None:
    """The status of a run names its models, roster, progress, failures by reason, calls, cost, budget and what to do."""
    settings = {
        "model": "openai:m-1",
        "models": ["openai:m-1", "anthropic:m-2"],
        "roster": ["builder", "skeptic"],
        "sources": ["a.csv"],
        "budget_usd": 5.0,
    }
    desk = GONE.model_copy(update={"host": "desk"})
    costs = {"cost_usd": 3.2, "unpriced": 4, "lost_calls": 3, "at_risk_usd": 0.5}
    assert status_lines(run_status(run_line("stopped", desk, settings=settings), **costs), 90) == [
        "Run 7 · batch · stopped",
        "",
        "model      openai:m-1, anthropic:m-2",
        "roster     builder, skeptic",
        "sources    a.csv",
        "begun      2026-11-22 09:30:00 UTC",
        "stopped    2026-11-22 09:30:00 UTC",
        f"held by    {desk} since 2026-11-22 09:30:00 UTC, which has ended",
        "tools      1 of 3 done",
        "drafts     1",
        "failed     3 seats: 2 invalid, 1 timed out",
        "calls      8 answered, 2 failed, 1 open",
        "cost       $3.20",
        "           answers without a known price: 4",
        "           calls without an answer that may be billed: 3, both together $0.5000 at most",
        "budget     $5.00, of which $1.30 is left",
        "",
        "next: panel batch resume 7",
    ]


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ({"unpriced": 4, "at_risk_usd": 0.5}, "answers without a known price: 4, $0.5000 at most"),
        ({"unpriced": 4}, "answers without a known price: 4"),
        ({"lost_calls": 3}, "calls without an answer that may be billed: 3, at an unknown price"),
        (
            {"lost_calls": 3, "at_risk_usd": 0.5},
            "calls without an answer that may be billed: 3, $0.5000 at most",
        ),
    ],
)
def test_status_says_what_is_not_in_the_cost(costs: dict[str, Any], said: str) -> None:
    """Answers without a price and calls without an answer are counted beside the cost, at their worst if that is known."""
    assert f"           {said}" in status_lines(run_status(run_line("stopped"), **costs), 90)


def test_status_takes_settings_of_any_shape() -> None:
    """Settings that are missing, or that another version kept in another shape, break nothing."""
    for settings in ({}, {"model": None, "roster": "builder", "budget_usd": "much", "sources": {"a": 1}}):
        lines = status_lines(run_status(run_line(settings=settings)), 80)
        assert "budget     no limit" in lines
        assert status_data(run_status(run_line(settings=settings)))["budget"] is None
    lines = status_lines(
        run_status(run_line("done", kind="retry", settings={"of": 3, "reasons": ["invalid"]})), 80
    )
    assert "asks again seats of run 3 that failed: invalid" in lines


def test_status_says_what_to_do_when_a_run_is_at_its_end() -> None:
    """The last line of a run that is done leads to its drafts, and that of one that was never made in full to another run."""
    assert status_lines(run_status(run_line("done")), 80)[-1] == "next: panel queue next"
    assert status_lines(run_status(run_line("making")), 80)[-1].endswith("begin a new run: panel batch run")


def test_what_is_left_of_a_budget_is_never_below_nothing() -> None:
    """Calls that may be billed count against the budget in full, and nothing more than all of it can be gone."""
    assert run_status(run_line(settings={"budget_usd": 5}), cost_usd=1.0, at_risk_usd=1.5).left == 2.5
    assert run_status(run_line(settings={"budget_usd": 5}), cost_usd=4.0, at_risk_usd=1.5).left == 0


def test_a_cancelled_run_says_what_happens_now() -> None:
    """Who is at work is named; what nobody works on is stopped at once; each can be resumed."""
    for line, changed, said in (
        (run_line("stopped", HERE), True, f"run 7 is told to stop: {HERE} finishes"),
        (run_line("stopped", FAR), True, "run 7 is told to stop: process 7 on far, if it lives, finishes"),
        (run_line("stopped"), True, "run 7 is stopped; what was answered is kept"),
        (run_line("stopped"), False, "run 7 was stopped already"),
    ):
        assert said in cancelled_lines(line, changed=changed)
        assert cancelled_lines(line, changed=changed).endswith("\nto resume: panel batch resume 7")


def test_a_long_reply_is_cut_unless_it_is_asked_for_whole() -> None:
    """A reply is shown in six lines and how many more there are; raw, each of its lines stands as long as it is."""
    long = seat(reply="\n".join(f"line {n} {'x' * 90}" for n in range(5)))
    cut = failed_seat_lines(long, 60)
    assert cut[:2] == ["Lantern · skeptic · invalid · draft 12", "  score: missing"]
    assert len(cut) == 2 + 6 + 1
    assert cut[-1] == "  … 4 more lines; --raw shows all"
    assert max(map(len, cut)) <= 60
    raw = failed_seat_lines(long, 60, raw=True)
    assert raw[2:] == [f"  | line {n} {'x' * 90}" for n in range(5)]


@pytest.mark.parametrize(("reply", "said"), [(None, "  no reply came"), (" \n", "  the reply is empty")])
def test_a_seat_without_words_says_so(reply: str | None, said: str) -> None:
    assert failed_seat_lines(seat(reply=reply), 80)[-1] == said


@pytest.mark.parametrize("raw", [False, True])
def test_no_line_of_a_reply_passes_for_one_of_panels(*, raw: bool) -> None:
    told = failed_seat_lines(seat(reply="a\rb\x0bc\x85d\u2028Lantern · skeptic"), 80, raw=raw)
    assert told[2:] == ["  | a", "  | b", "  | c", "  | d", "  | Lantern · skeptic"]


def test_the_json_of_a_seat_is_ascii() -> None:
    """A reply comes back whole from JSON that holds no character that could steer a terminal."""
    text = failed_seat_json(seat(reply=HOSTILE))
    assert json.loads(text)["reply"] == HOSTILE
    assert all(char == "\n" or " " <= char <= "~" for char in text)


def test_the_last_line_counts_what_was_shown() -> None:
    """Below the seats stands how many there are by reason, and how to ask them again once the run is done."""
    assert failures_total(run_line("done"), {INVALID: 1}, FAILURES) == [
        "1 seat of run 7 failed: 1 invalid",
        "ask again: panel batch retry 7",
    ]
    assert failures_total(run_line(), {INVALID: 2}, FAILURES) == ["2 seats of run 7 failed: 2 invalid"]
    assert failures_total(run_line(), {}, FAILURES) == ["no seat of run 7 failed"]
    assert failures_total(run_line(), {}, (TIMED_OUT,)) == [
        "no seat of run 7 failed for this reason: timed out"
    ]


def test_no_store_is_no_runs(panel: Any, database: Path) -> None:
    """Before the first review the list is empty, a run is not there, and neither makes a database."""
    assert (panel("batch", "list").code, panel("batch", "list", "--json").out) == (0, "[]\n")
    assert panel("batch", "list").out.startswith("no runs yet")
    for command in ("status", "failures", "cancel"):
        ran = panel("batch", command, 1)
        assert (ran.code, ran.out) == (2, "")
        assert (
            ran.err
            == f"panel: {database}: there is no database yet; any review makes it: panel review FILE\n"
        )
    assert list(database.parent.iterdir()) == []


@pytest.mark.parametrize("number", [9, 2**70])
def test_a_run_that_is_not_there_is_a_mistake(panel: Any, fill: Any, number: int) -> None:
    """A number that no run has ends with 2 and a line that says where to look."""
    fill(a_batch)
    for command in ("status", "failures", "cancel"):
        ran = panel("batch", command, number)
        assert ran.code == 2
        assert ran.err == f"panel: there is no run {number}; `panel batch list --all` shows which there are\n"


def test_the_list_shows_batches_and_on_request_all(panel: Any, fill: Any) -> None:
    """Reviews and comparisons are listed with --all only; the latest run comes first."""
    fill(several_runs)
    rows = json.loads(panel("batch", "list", "--json").out)
    assert [row["run"] for row in rows] == [5, 3, 1]
    assert rows[-1] == {
        "run": 1,
        "kind": "batch",
        "state": "open",
        "begun_at": rows[-1]["begun_at"],
        "ended_at": None,
        "tools": 2,
        "done": 1,
        "failed_seats": 2,
        "cost_usd": 0.25,
        "unpriced_answers": 0,
    }
    assert [row["kind"] for row in json.loads(panel("batch", "list", "--all", "--json").out)] == [
        "batch",
        "compare",
        "retry",
        "review",
        "batch",
    ]


def test_the_list_says_how_to_see_older_runs(panel: Any, fill: Any) -> None:
    """A list that is cut off ends with the command for the next page, which ends with the last run."""
    fill(several_runs)
    ran = panel("batch", "list", "--all", "--limit", 3)
    assert ran.out.endswith("\n\nolder ones: panel batch list --all --limit 3 --before 3\n")
    rest = panel("batch", "list", "--all", "--limit", 3, "--before", 3)
    assert "older ones" not in rest.out
    assert [line.split()[0] for line in rest.out.splitlines()] == ["run", "2", "1"]
    assert panel("batch", "list", "--before", 1).out == "no runs before run 1\n"


def test_status_for_programs_says_the_same(panel: Any, fill: Any) -> None:
    """The JSON of a run holds its settings, counts, cost and budget, with what calls without an answer may cost."""
    fill(a_batch)
    told = json.loads(panel("batch", "status", 1, "--json").out)
    assert told["settings"] == {"model": "openai:m-1", "roster": ["builder", "skeptic"], "budget_usd": 5.0}
    assert told["tools"] == {"all": 2, "done": 1, "todo": 1}
    assert told["failed_seats"] == {"invalid": 1, "timed_out": 1}
    assert told["calls"] == {"answered": 1, "failed": 1, "open": 0}
    assert told["cost"] == {
        "known_usd": 0.25,
        "unpriced_answers": 0,
        "unanswered_calls": 1,
        "unanswered_usd_at_most": 0.5,
    }
    assert told["budget"] == {"usd": 5.0, "left_usd": 4.25}
    assert (told["holder"], told["next"]) == (None, ["panel batch resume 1"])
    assert "budget     $5.00, of which $4.25 is left" in panel("batch", "status", 1).out.splitlines()


def test_status_names_who_is_at_work(panel: Any, fill: Any) -> None:
    """A run that this process holds is at work, and the status says how to stop it."""

    async def held(store: Store) -> None:
        await store.leases.acquire(await store.runs.create("batch", {}))

    fill(held)
    holder = json.loads(panel("batch", "status", 1, "--json").out)["holder"]
    assert (holder["process"], holder["host"], holder["at_work"]) == (HERE.pid, HERE.host, True)
    out = panel("batch", "status", 1).out
    assert out.startswith("Run 1 · batch · working\n")
    assert out.endswith("next: nothing, it is at work; to stop it: panel batch cancel 1\n")


def test_failures_are_shown_with_what_the_model_said(panel: Any, fill: Any) -> None:
    """Each failed seat is shown with its reply or that none came, and nothing in a reply steers the terminal."""
    fill(a_batch)
    ran = panel("batch", "failures", 1)
    assert ran.code == 0
    assert "Lantern · skeptic · invalid · draft 1\n  score: missing\n  | line one]0;title\n" in ran.out
    assert "Lantern · futurist · timed out · draft 1\n" in ran.out
    assert "  no reply came\n" in ran.out
    assert "more lines; --raw shows all" in ran.out
    assert ran.out.endswith("\n2 seats of run 1 failed: 1 invalid, 1 timed out\n")
    assert all(char == "\n" or char.isprintable() for char in ran.out)
    raw = panel("batch", "failures", 1, "--raw").out
    assert "word " * 400 in raw
    assert all(char == "\n" or char.isprintable() for char in raw)


def test_failures_for_programs_are_whole(panel: Any, fill: Any) -> None:
    """The JSON of failures is an array of seats with their whole replies; it is empty where no seat failed."""
    fill(several_runs)
    first, second = json.loads(panel("batch", "failures", 1, "--json").out)
    assert first["reply"] == HOSTILE + "word " * 400
    assert (second["persona"], second["reason"], second["reply"]) == ("futurist", "timed_out", None)
    assert panel("batch", "failures", 2, "--json").out == "[]\n"
    assert panel("batch", "failures", 2).out == "no seat of run 2 failed\n"


def test_failures_are_chosen_by_reason(panel: Any, fill: Any) -> None:
    """--reason takes names with commas; a name that is none is refused with those that there are."""
    fill(a_batch)
    (only,) = json.loads(panel("batch", "failures", 1, "--json", "--reason", "Timed-Out, refused").out)
    assert only["reason"] == "timed_out"
    ran = panel("batch", "failures", 1, "--reason", "recused")
    assert ran.code == 2
    assert ran.err.startswith(
        "panel: --reason: 'recused' is no reason; choose from refused, invalid, truncated,"
    )


def test_cancel_stops_an_open_run(panel: Any, fill: Any, database: Path) -> None:
    """A run that is cancelled is stopped, a second time too, and the line says how to go on."""
    fill(a_batch)
    said = "run 1 is stopped; what was answered is kept\nto resume: panel batch resume 1\n"
    assert (panel("batch", "cancel", 1).out, database.exists()) == (said, True)
    assert json.loads(panel("batch", "status", 1, "--json").out)["state"] == "stopped"
    again = panel("batch", "cancel", 1)
    assert (again.code, again.out.splitlines()[0]) == (0, "run 1 was stopped already")


@pytest.mark.parametrize(
    ("kind", "state", "said"),
    [
        ("batch", "done", "run 1 is done already; there is nothing to stop"),
        ("review", "open", "run 1 is a review; stop it with Ctrl-C where it runs"),
        ("batch", "making", "run 1 has asked nothing yet; stop it with Ctrl-C where its tools are added"),
    ],
)
def test_cancel_leaves_what_it_cannot_stop_alone(
    panel: Any, fill: Any, kind: str, state: str, said: str
) -> None:
    """A run that is done, that is no batch or that is still being made is left as it is, with exit code 2."""

    async def made(store: Store) -> None:
        await store.runs.set_state(await store.runs.create(kind, {}), RunState(state))

    fill(made)
    ran = panel("batch", "cancel", 1)
    assert (ran.code, ran.err) == (2, f"panel: {said}\n")
    assert json.loads(panel("batch", "status", 1, "--json").out)["state"] == state
