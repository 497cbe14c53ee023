"""The queue from a terminal, over a real store."""

from __future__ import annotations

import asyncio
import io
import json
import re
import sys
import tempfile
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

import builders
from panel.core.actor import Actor, Role
from panel.store import open_store
from store.editing import PRICED, TESTED, do, drafted, priced
from store.samples import lock_of, review

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from cli.conftest import Ran
    from cli.stage import Stage
    from panel.store import Store

    T = TypeVar("T")

ADA = Actor(name="Ada", role=Role.DRAFTER)
BEFORE, AFTER = "It costs $9 a month", "It costs little"


def at(database: Path, work: Callable[[Store], Awaitable[T]]) -> T:
    async def done() -> T:
        database.parent.mkdir(parents=True, exist_ok=True)
        async with open_store(database) as store:
            return await work(store)

    return asyncio.run(done())


@pytest.fixture
def draft(database: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """A draft in which the builder names a price that is not in the listing; Kim is at work."""
    monkeypatch.setenv("PANEL_EDITOR", "Kim")
    return at(database, lambda store: drafted(store, priced()))


@pytest.fixture(autouse=True)
def own_forms(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Forms are kept in the test's own folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def queue(panel: Callable[..., Ran], draft: int) -> Callable[..., Ran]:
    """Run `panel queue`."""
    assert draft == 1
    return lambda *words: panel("queue", *words)


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Type lines into standard input."""

    def typing(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return typing


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """Have the user's editor replace one text by another in whatever it is given."""

    def editor(old: str, new: str) -> None:
        script = tmp_path / "editor.py"
        script.write_text(
            f"import sys, pathlib\npath = pathlib.Path(sys.argv[1])\n"
            f"path.write_text(path.read_text('utf-8').replace({old!r}, {new!r}), 'utf-8')\n",
            "utf-8",
        )
        monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")

    return editor


def shown(queue: Any) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(queue("show", 1, "--json").out)
    return data


def kinds(queue: Any) -> list[str]:
    return [event["kind"] for event in json.loads(queue("history", 1, "--json").out)]


def approved(queue: Any) -> None:
    assert queue("resolve", 1, 1, "--opinion").code == 0
    assert queue("approve", 1, "--seen", shown(queue)["hash"][:12]).code == 0


def test_the_way_from_a_draft_to_a_publication(queue: Any) -> None:
    assert "1 finding must be resolved before approval" in queue("show", 1).out
    ticked = queue("resolve", 1, 1, "--supported", "https://lantern.example/pricing")
    assert ticked.out == "Resolved “$9 a month” in Lantern (draft 1): in review.\n"
    digest = re.search(r"^hash ([0-9a-f]{12})$", queue("show", 1).out, re.MULTILINE)
    assert digest
    assert (
        queue("approve", 1, "--seen", digest[1]).out
        == "Approved Lantern (draft 1): approved. Next: panel queue publish 1\n"
    )
    assert (
        queue("publish", 1).out
        == "Published Lantern (draft 1): published. Readers see it after the next panel site build.\n"
    )
    retracted = queue("retract", 1, "--reason", "It was withdrawn.")
    assert (
        retracted.out
        == "Retracted Lantern (draft 1): retracted. Readers see it after the next panel site build.\n"
    )
    assert kinds(queue) == ["drafted", "tick", "approve", "publish", "retract"]


def test_a_draft_is_not_approved_with_an_unresolved_finding(queue: Any) -> None:
    ran = queue("approve", 1, "--seen", shown(queue)["hash"])
    assert ran.code == 4
    assert ran.err == (
        "panel: draft 1 has 1 finding to resolve before approval:\n"
        "[1] Builder: Unsupported price: “$9 a month”\n"
        "Resolve each of them, or cut it with an edit.\n"
    )


def test_experience_can_only_be_cut(queue: Any, database: Path) -> None:
    at(database, lambda store: drafted(store, review(builders.tool("Rook"), builders.take(text=TESTED))))
    ran = queue("resolve", 2, 1, "--opinion")
    assert (ran.code, "can only be cut; edit the text" in ran.err) == (4, True)


def test_an_approval_off_a_terminal_needs_the_hash(queue: Any) -> None:
    ran = queue("approve", 1)
    assert ran.code == 2
    assert "read it with `panel queue show 1`, and give the hash in its last line" in ran.err


@pytest.mark.parametrize(("seen", "code"), [("abc", 2), ("0" * 12, 4)])
def test_an_approval_of_another_version_is_refused(queue: Any, seen: str, code: int) -> None:
    queue("resolve", 1, 1, "--opinion")
    assert queue("approve", 1, "--seen", seen).code == code
    assert "approve" not in kinds(queue)


def test_only_an_approved_draft_is_published(queue: Any) -> None:
    ran = queue("publish", 1)
    assert (ran.code, "draft 1 is drafted; approve it first" in ran.err) == (4, True)


def test_an_edit_in_an_editor_is_kept_with_the_original(queue: Any, editor: Any) -> None:
    editor(BEFORE, AFTER)
    ran = queue("edit", 1, "--reason", "There is no price in the listing.")
    assert (ran.code, ran.out) == (0, "Edited Lantern (draft 1): in review.\n")
    text = queue("show", 1).out
    assert "edited by Kim" in text
    assert re.search(r"\[-\$9 a\s+month-\]\s+\{\+little\+\}", text)
    (event,) = [one for one in json.loads(queue("history", 1, "--json").out) if one["kind"] == "edit"]
    assert event["reason"] == "There is no price in the listing."
    assert event["payload"]["edits"][0]["original"]["value"] == PRICED


def test_an_unchanged_form_leaves_no_event(queue: Any, editor: Any) -> None:
    editor("nothing of the kind", "")
    assert queue("edit", 1).out.startswith("Nothing was changed in Lantern")
    assert kinds(queue) == ["drafted"]


def test_everything_can_be_edited_by_a_form(queue: Any, tmp_path: Path) -> None:
    form = queue("edit", 1, "--print").out
    for old, new in (
        ("verdict: ship", "verdict: skip"),
        ("score: 70", "score: 30"),
        ("evidence: []", 'evidence:\n      - "reads log files"'),
        ("There is nothing here to build on.", "There is nothing in it for a builder."),
        ("price_class: unknown", "price_class: paid"),
        (
            "facts: []",
            (
                "facts:\n    - claim: It costs $9 a month.\n      source: https://lantern.example/pricing\n"
                "      checked_on: 2026-11-20"
            ),
        ),
    ):
        assert old in form
        form = form.replace(old, new, 1)
    path = tmp_path / "form.yaml"
    path.write_text(form, "utf-8")
    assert queue("edit", 1, "--file", path).code == 0
    data = shown(queue)
    first = data["review"]["seats"][0]["outcome"]
    assert (first["verdict"], first["score"], first["evidence"]) == ("skip", 30, ["reads log files"])
    assert data["review"]["seats"][2]["outcome"]["detail"] == "There is nothing in it for a builder."
    assert data["review"]["tool"]["price_class"] == "paid"
    assert data["missing"] == []
    assert {mark["field"] for mark in data["marks"]} == {
        "verdict", "score", "evidence", "detail", "price_class", "facts",
    }  # fmt: skip


def test_a_form_from_standard_input(queue: Any, typing: Any) -> None:
    typing(queue("edit", 1, "--print").out.replace("score: 70", "score: 71"))
    assert queue("edit", 1, "--file", "-").code == 0
    assert shown(queue)["review"]["seats"][0]["outcome"]["score"] == 71


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("score: 70", "score: 170", "form.yaml, line 11, takes.builder.score: "),
        ("verdict: ship", "verdict: maybe", "form.yaml, line 10, takes.builder.verdict: "),
        (
            "  builder:",
            "  poet:",
            "takes.poet: is not part of the form; here it has builder, skeptic, futurist",
        ),
        (
            "price_class: unknown",
            "name: Rook",
            "tool.name: is not part of the form; here it has price_class, facts",
        ),
        ("takes:", "takes", "not valid YAML"),
    ],
)
def test_a_form_that_cannot_be_used(queue: Any, tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "form.yaml"
    path.write_text(queue("edit", 1, "--print").out.replace(old, new, 1), "utf-8")
    ran = queue("edit", 1, "--file", path)
    assert (ran.code, said in ran.err) == (2, True), ran.err
    assert kinds(queue) == ["drafted"]


def test_a_form_of_an_earlier_version_is_refused_with_its_texts(queue: Any, tmp_path: Path) -> None:
    form = queue("edit", 1, "--print").out
    for name, score in (("first", "score: 71"), ("second", "score: 72")):
        (tmp_path / f"{name}.yaml").write_text(form.replace("score: 70", score), "utf-8")
    assert queue("edit", 1, "--file", tmp_path / "first.yaml").code == 0
    ran = queue("edit", 1, "--file", tmp_path / "second.yaml")
    assert ran.code == 4
    assert "builder, score: 72" in ran.err


def test_a_refused_form_is_kept_in_a_file(queue: Any, editor: Any, typing: Any) -> None:
    editor("score: 70", "score: 700")
    typing("")
    ran = queue("edit", 1)
    assert ran.code == 2
    kept = re.search(
        r"Your form is kept in (\S+\.yaml); correct it, then: panel queue edit 1 --file", ran.err
    )
    assert kept
    with closing(open(kept[1], encoding="utf-8")) as file:  # noqa: PTH123 - its name is in a message
        assert "score: 700" in file.read()


@pytest.mark.parametrize(
    ("command", "state"), [("reject", "rejected"), ("request-changes", "changes requested")]
)
def test_a_rejection_needs_a_reason_and_can_be_undone(queue: Any, command: str, state: str) -> None:
    ran = queue(command, 1)
    assert (ran.code, "give a reason: --reason TEXT" in ran.err) == (2, True)
    assert f": {state}" in queue(command, 1, "--reason", "It says nothing.").out
    assert "Undid the last step of Lantern" in queue("undo", 1).out
    assert shown(queue)["state"] in {"drafted", "in_review"}


def test_a_locked_draft_must_be_taken_over(queue: Any, database: Path) -> None:
    at(database, lambda store: store.locks.lock(1, ADA))
    ran = queue("resolve", 1, 1, "--opinion")
    assert (ran.code, "draft 1 is reserved for Ada" in ran.err) == (4, True)
    assert queue("take-over", 1).code == 0
    assert queue("resolve", 1, 1, "--opinion").code == 0
    assert kinds(queue) == ["drafted", "take_over", "tick"]


def test_the_list_has_a_row_for_each_draft(queue: Any, database: Path) -> None:
    at(database, lambda store: drafted(store, review(builders.tool("A" * 120, category="Logs"))))
    ran = queue("list")
    rows = ran.out.splitlines()
    assert rows[0].split() == ["id", "tool", "state", "panel", "to", "do", "cost", "age"]
    assert "2 ship / 0 skip" in rows[1]
    assert max(map(len, rows)) <= 80
    assert rows[-1] == "2 drafted"
    assert [line["id"] for line in json.loads(queue("list", "--json").out)["drafts"]] == [1, 2]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["--search", "rook"], [2]),
        (["--category", "Logs"], [2]),
        (["--flag", "price"], [1]),
        (["--split", "unanimous", "--order", "newest"], [2, 1]),
        (["--persona", "Builder", "--verdict", "skip"], []),
        (["--cost-over", "100"], []),
        (["--older-than", "1"], []),
        (["--state", "approved"], []),
    ],
)
def test_lists_are_narrowed(queue: Any, database: Path, words: list[str], ids: list[int]) -> None:
    at(database, lambda store: drafted(store, review(builders.tool("Rook", category="Logs"))))
    assert [line["id"] for line in json.loads(queue("list", "--json", *words).out)["drafts"]] == ids


def test_a_long_list_says_how_to_go_on(queue: Any, database: Path) -> None:
    at(database, lambda store: drafted(store, review(builders.tool("Rook"))))
    more = re.search(r"more: the same with (--after \S+)", queue("list", "--limit", 1).out)
    assert more
    assert [line["id"] for line in json.loads(queue("list", "--json", *more[1].split()).out)["drafts"]] == [2]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list", "--state", "gone"], "--state: 'gone' is not a choice; choose one of drafted, in_review"),
        (["list", "--after", "7"], "this page of the queue cannot be found; begin with the first"),
        (["show", 7], "there is no draft 7"),
        (["resolve", 1, 9, "--opinion"], "draft 1 has no finding 9"),
        (["resolve", 1, 1], "give either --supported URL or --opinion"),
        (["resolve", 1, 1, "--supported", "ftp://x"], "--supported: must start with http:// or https://"),
    ],
)
def test_usage_errors_are_one_line(queue: Any, words: list[Any], said: str) -> None:
    ran = queue(*words)
    assert (ran.code, said in ran.err) == (2, True), ran.err


def test_changes_need_a_name(queue: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PANEL_EDITOR")
    assert queue("show", 1).code == 0
    ran = queue("resolve", 1, 1, "--opinion")
    assert (ran.code, "PANEL_EDITOR" in ran.err) == (2, True)


def test_control_codes_of_a_listing_do_not_reach_the_terminal(queue: Any, database: Path) -> None:
    text = (
        "It reads log files and rings a bell \x1b[31m while it does so, which nobody asked for \x07 at all."
    )
    at(database, lambda store: drafted(store, review(builders.tool("Rook"), builders.take(text=text))))
    assert "\x1b" not in queue("show", 2).out + queue("edit", 2, "--print").out
    assert "\x07" not in queue("show", 2).out


def test_the_walk_resolves_findings_and_decides(queue: Any, typing: Any) -> None:
    typing("f\ns\nnot an address\ns\nhttps://lantern.example/pricing\na\n")
    ran = queue("next")
    assert ran.code == 0
    assert ran.out.endswith("No more drafts wait.\n")
    assert kinds(queue) == ["drafted", "tick", "approve"]


def test_the_walk_goes_on_after_a_refusal(queue: Any, typing: Any) -> None:
    typing("a\n?\nr\nIt says nothing.\n")
    ran = queue("next")
    assert "draft 1 has 1 finding to resolve before approval" in ran.err
    assert shown(queue)["state"] == "rejected"


def test_the_walk_passes_over_locked_drafts(queue: Any, typing: Any, database: Path) -> None:
    at(database, lambda store: drafted(store, review(builders.tool("Rook"))))
    at(database, lambda store: store.locks.lock(1, ADA))
    typing("s\n")
    ran = queue("next")
    assert ("Draft 2" in ran.out, "Draft 1" in ran.out) == (True, False)
    assert at(database, lambda store: lock_of(store, 2)) is None


def test_the_walk_ends_with_the_input(queue: Any, typing: Any, database: Path) -> None:
    typing("f\no\n")
    assert queue("next").code == 0
    assert kinds(queue) == ["drafted", "tick"]
    assert at(database, lambda store: lock_of(store, 1)) is None


def test_a_seat_is_asked_again(queue: Any, panel: Any, stage: Stage, tools: list[Path]) -> None:
    assert panel("review", tools[0], "--model", "openai:gpt-6.1-terra", "-q").code == 0
    stage.score = 33
    assert queue("rerun", 2, "Skeptic").code == 0
    seats = json.loads(queue("show", 2, "--json").out)["review"]["seats"]
    assert [seat["outcome"]["score"] for seat in seats] == [71, 33, 71, 71, 71]
    (event,) = [one for one in json.loads(queue("history", 2, "--json").out) if one["kind"] == "rerun_seat"]
    assert event["payload"]["review"]["seats"][1]["outcome"]["score"] == 71


def test_no_seat_of_a_locked_draft_is_asked_again(queue: Any, stage: Stage, database: Path) -> None:
    at(database, lambda store: store.locks.lock(1, ADA))
    assert queue("rerun", 1, "builder").code == 4
    assert stage.asked == []


def test_an_edit_after_approval_needs_another_one(queue: Any, typing: Any) -> None:
    approved(queue)
    typing(queue("edit", 1, "--print").out.replace("score: 70", "score: 71"))
    assert "in review" in queue("edit", 1, "--file", "-").out
    assert queue("publish", 1).code == 4


def test_a_finding_is_named_by_its_id(queue: Any) -> None:
    (finding,) = [found for found in shown(queue)["findings"] if found["number"]]
    assert queue("resolve", 1, finding["id"][:3], "--opinion").code == 2
    assert queue("resolve", 1, finding["id"][:8], "--opinion").code == 0
    assert shown(queue)["missing"] == []


def test_a_stale_form_from_an_editor_is_kept(queue: Any, tmp_path: Path, monkeypatch: Any) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(queue("edit", 1, "--print").out.replace("score: 80", "score: 81"), "utf-8")
    script = tmp_path / "editor.py"
    script.write_text(
        "import pathlib, subprocess, sys\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "path.write_text(path.read_text('utf-8').replace('score: 70', 'score: 72'), 'utf-8')\n"
        f"subprocess.run([sys.executable, '-m', 'panel', 'queue', 'edit', '1', '--file', {str(other)!r}], check=True)\n",
        "utf-8",
    )
    monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")
    ran = queue("edit", 1)
    kept = re.search(r"Your form is kept in (\S+\.yaml); read the draft as it is now", ran.err)
    assert (ran.code, kept is not None, "builder, score: 72" in ran.err) == (4, True, True), ran.err
    assert kept
    assert "score: 72" in (tmp_path / kept[1]).read_text("utf-8")
    assert [seat["outcome"].get("score") for seat in shown(queue)["review"]["seats"]] == [70, 81, None]


def test_a_stale_form_from_standard_input_is_kept(queue: Any, typing: Any, tmp_path: Path) -> None:
    form = queue("edit", 1, "--print").out
    typing(form.replace("score: 80", "score: 81"))
    assert queue("edit", 1, "--file", "-").code == 0
    typing(form.replace("score: 70", "score: 72"))
    ran = queue("edit", 1, "--file", "-")
    kept = re.search(r"Your form is kept in (\S+\.yaml)", ran.err)
    assert ran.code == 4
    assert kept
    assert "score: 72" in (tmp_path / kept[1]).read_text("utf-8")


def test_an_edit_releases_the_draft(queue: Any, typing: Any, database: Path) -> None:
    form = queue("edit", 1, "--print").out
    for score in ("71", "700"):
        typing(form.replace("score: 70", f"score: {score}"))
        queue("edit", 1, "--file", "-")
        assert at(database, lambda store: lock_of(store, 1)) is None


def test_the_walk_prints_the_state_of_each_draft_as_json(queue: Any, typing: Any, database: Path) -> None:
    at(database, lambda store: drafted(store, review(builders.tool("Rook"), builders.take())))
    typing("s\na\n")
    ran = queue("next", "--json")
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert [(line["draft"], line["state"], line["missing"]) for line in lines] == [
        (1, "drafted", 1),
        (2, "approved", 0),
    ]
    assert "Draft 2 · Rook · drafted" in ran.err


def test_the_walk_reopens_a_draft_that_was_sent_back(queue: Any, typing: Any) -> None:
    queue("resolve", 1, 1, "--opinion")
    queue("request-changes", 1, "--reason", "Say more.")
    typing("a\no\na\n")
    ran = queue("next")
    assert "waits for changes; to approve, reopen it first" in ran.err
    assert kinds(queue)[-3:] == ["request_changes", "open", "approve"]


def test_the_walk_cuts_a_finding_with_an_edit(queue: Any, typing: Any, editor: Any) -> None:
    editor(BEFORE, AFTER)
    typing("f\ne\na\n")
    ran = queue("next")
    assert kinds(queue) == ["drafted", "edit", "approve"]
    assert ran.out.count("{+little+}") == 1


def test_the_walk_undoes_and_requests_changes(queue: Any, typing: Any) -> None:
    typing("f\no\nu\nc\nSay where the price is from.\n")
    ran = queue("next")
    assert "Lantern (draft 1): in review.\n" in ran.err
    assert "Lantern (draft 1): drafted, 1 finding to resolve.\n" in ran.err
    history = json.loads(queue("history", 1, "--json").out)
    assert [event["kind"] for event in history][-4:] == ["tick", "undo", "open", "request_changes"]
    assert history[-1]["reason"] == "Say where the price is from."


def test_the_walk_asks_a_seat_again(
    queue: Any, panel: Any, stage: Stage, typing: Any, tools: list[Path]
) -> None:
    assert panel("review", tools[0], "--model", "openai:gpt-6.1-terra", "-q").code == 0
    stage.score = 33
    typing("s\ng\npoet\ng\nskeptic\nq\n")
    ran = queue("next")
    assert "poet has no seat in draft 2" in ran.err
    assert "Skeptic: 33/100" in ran.out


def test_a_drafter_may_not_approve(queue: Any, database: Path, monkeypatch: Any) -> None:
    at(database, lambda store: store.users.add(ADA, "hash"))
    assert queue("resolve", 1, 1, "--opinion").code == 4
    monkeypatch.setenv("PANEL_EDITOR", "Ada")
    assert queue("resolve", 1, 1, "--opinion").code == 0
    ran = queue("approve", 1, "--seen", shown(queue)["hash"])
    assert (ran.code, "a drafter may not approve" in ran.err) == (4, True)


def test_a_rejected_draft_can_be_reopened(queue: Any) -> None:
    queue("reject", 1, "--reason", "It says nothing.")
    assert ": in review" in queue("reopen", 1).out
    assert (queue("reopen", 1).code, kinds(queue)) == (0, ["drafted", "reject", "open"])
    queue("resolve", 1, 1, "--opinion")
    assert queue("reopen", 1).code == 4


def test_a_live_version_is_named_while_the_draft_is_corrected(queue: Any, typing: Any) -> None:
    approved(queue)
    queue("publish", 1)
    typing(queue("edit", 1, "--print").out.replace("score: 70", "score: 71"))
    queue("edit", 1, "--file", "-")
    assert "On the site as Kim approved it" in queue("show", 1).out
    assert shown(queue)["live"] is True


def test_the_list_orders_drafts_of_all_waiting_states_together(queue: Any, database: Path) -> None:
    for name in ("Rook", "Torch", "日本語ツール"):
        at(database, lambda store, name=name: drafted(store, review(builders.tool(name))))  # type: ignore[misc]
    queue("request-changes", 1, "--reason", "Say more.")
    queue("reject", 2, "--reason", "It says nothing.")
    found: list[int] = []
    after: list[Any] = []
    for _ in range(3):
        page = json.loads(queue("list", "--json", "--limit", 1, "--order", "newest", *after).out)
        found += [line["id"] for line in page["drafts"]]
        after = ["--after", page["after"]]
    assert (found, after) == ([4, 3, 1], ["--after", None])
    assert page["counts"]["rejected"] == 1


def test_there_is_no_queue_without_a_database(panel: Any, database: Path) -> None:
    ran = panel("queue", "list")
    assert (ran.code, "there is no database yet" in ran.err, database.exists()) == (2, True, False)


def test_the_walk_shows_a_draft_again_that_changed_meanwhile(
    queue: Any, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def meddle(store: Store) -> None:
        await store.locks.take_over(1, ADA)
        await do(store, 1, "edit", ADA)
        await store.locks.release(1, ADA)

    class Meddled(io.BytesIO):
        def readline(self, *_: Any) -> bytes:
            line = super().readline()
            if line == b"?\n":
                at(database, meddle)
            return line

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Meddled(b"?\nq\n")))
    ran = queue("next")
    assert "Somebody changed it meanwhile." in ran.err
    assert "edited by Ada" in ran.out
    assert "approve" not in kinds(queue)


def test_a_resolution_may_be_bound_to_a_version(queue: Any) -> None:
    digest = shown(queue)["hash"]
    assert queue("resolve", 1, 1, "--opinion", "--seen", "0" * 12).code == 4
    assert queue("resolve", 1, 1, "--opinion", "--seen", digest[:12]).code == 0
    assert shown(queue)["hash"] != digest


def test_requested_changes_are_shown(queue: Any) -> None:
    queue("request-changes", 1, "--reason", "Cut the price.")
    assert "Kim: Cut the price." in queue("show", 1).out
