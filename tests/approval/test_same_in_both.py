"""Every action through `panel queue` and through the browser, on copies of one store: order, findings, messages and events are the same."""

from __future__ import annotations

import asyncio
import io
import json
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import pytest

import builders
from cli.conftest import database, panel, stage, tools
from panel.core.actor import Actor, Role
from panel.core.draft_state import Action
from panel.settings.resolve import resolve
from panel.store import open_store
from panel.web.app import configured_app
from panel.web.auth import SingleUser
from store.editing import ADA, TESTED, do, drafted, priced
from store.samples import events_of, review
from web.conftest import Browser
from web.pages import clean, parsed, words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    import httpx2

    from cli.conftest import Ran
    from cli.stage import Stage
    from panel.approval import ApprovalService
    from panel.store import RecordedEvent, Store

    T = TypeVar("T")

__all__ = ["database", "panel", "stage", "tools"]

KIM = Actor(name="Kim", role=Role.PUBLISHER)
SOURCE = "https://lantern.example/pricing"
PRICED, CLEAN, EXPERIENCE, LOCKED, SENT_BACK, ASKED = range(1, 7)


class Step(NamedTuple):
    """An action: the words of a command, and the address and fields of a form."""

    draft: int
    command: tuple[str, ...]
    action: str
    fields: dict[str, str]
    refused: bool = False


def step(draft: int, command: str, action: str, *, refused: bool = False, **fields: str) -> Step:
    name, *options = command.split(" ")
    return Step(draft, (name, str(draft), *options), action, fields, refused)


# `HASH` is the version that is shown, `FORM` a form with another score.
STEPS = (
    step(PRICED, "publish", "publish", refused=True),
    step(PRICED, "approve --seen HASH", "approve", refused=True),
    step(
        PRICED, "resolve 1 --supported ftp://x", "resolve", kind="supported", source="ftp://x", refused=True
    ),
    step(PRICED, "resolve 1 --opinion", "resolve", kind="opinion"),
    step(PRICED, "undo", "undo"),
    step(PRICED, f"resolve 1 --supported {SOURCE}", "resolve", kind="supported", source=SOURCE),
    step(PRICED, "edit --file FORM --reason Slip", "edit", score="71", reason="Slip"),
    step(PRICED, "approve --seen HASH", "approve"),
    step(PRICED, "resolve 1 --opinion", "resolve", kind="opinion", refused=True),
    step(PRICED, "publish", "publish"),
    step(PRICED, "approve --seen HASH", "approve", refused=True),
    step(PRICED, "undo", "undo", refused=True),
    step(PRICED, "retract --reason Withdrawn", "retract", reason="Withdrawn"),
    step(PRICED, "reopen", "open"),
    step(PRICED, "request-changes --reason Shorter", "request_changes", reason="Shorter"),
    step(PRICED, "approve --seen HASH", "approve", refused=True),
    step(PRICED, "reopen", "open"),
    step(CLEAN, "approve --seen HASH", "approve"),
    step(CLEAN, "edit --file FORM", "edit", score="71"),
    step(CLEAN, "reject --reason No", "reject", reason="No"),
    step(CLEAN, "edit --file FORM", "edit", score="72", persona="builder", refused=True),
    step(EXPERIENCE, "resolve 1 --opinion", "resolve", kind="opinion", refused=True),
    step(LOCKED, "reject --reason No", "reject", reason="No", refused=True),
    step(LOCKED, "rerun builder", "rerun_seat", persona="builder", refused=True),
    step(LOCKED, "take-over", "take_over"),
    step(LOCKED, "reject --reason No", "reject", reason="No"),
    step(ASKED, "rerun poet", "rerun_seat", persona="poet", refused=True),
    step(ASKED, "rerun skeptic", "rerun_seat", persona="skeptic"),
    step(ASKED, "undo", "undo"),
)


def run_in(database: Path, work: Callable[[Store], Awaitable[T]]) -> T:
    async def opened() -> T:
        database.parent.mkdir(parents=True, exist_ok=True)
        async with open_store(database) as store:
            return await work(store)

    return asyncio.run(opened())


async def seed(store: Store) -> None:
    for kept in (
        priced(),
        clean("Sextant"),
        review(builders.tool("Rook"), builders.take(text=TESTED)),
        clean("Anvil"),
        clean("Torch"),
    ):
        await drafted(store, kept)
    await store.locks.lock(LOCKED, ADA)
    await do(store, SENT_BACK, "request_changes", KIM)


class TerminalSide:
    """`panel queue` on its copy of the store."""

    def __init__(self, queue: Callable[..., Ran], folder: Path) -> None:
        self._queue = queue
        self._folder = folder

    def take(self, step: Step) -> str:
        values = {"HASH": self._hash, "FORM": self._form}
        arguments = [values[word](step) if word in values else word for word in step.command]
        ran = self._queue(*arguments)
        assert (ran.code != 0) == step.refused, ran.err
        return ran.err.removeprefix("panel: ") if step.refused else ran.out

    def text(self, *arguments: object) -> str:
        return self._queue(*arguments).out

    def messages(self, *arguments: object) -> str:
        return self._queue(*arguments).err

    def _hash(self, step: Step) -> str:
        shown: dict[str, Any] = json.loads(self.text("show", step.draft, "--json"))
        return str(shown["hash"])

    def _form(self, step: Step) -> str:
        form = self.text("edit", step.draft, "--print")
        path = self._folder / "form.yaml"
        path.write_text(re.sub(r"score: 7\d", f"score: {step.fields['score']}", form, count=1), "utf-8")
        return str(path)


class BrowserSide:
    """The browser's queue on its copy of the store."""

    def __init__(self, database: Path) -> None:
        self._database = database

    def take(self, step: Step) -> str:
        return self.use(lambda browser, service: self._take(browser, service, step))

    def use(self, work: Callable[[Browser, ApprovalService], Awaitable[T]]) -> T:
        async def with_browser(store: Store) -> T:
            app = configured_app(resolve({}, None), store, SingleUser(KIM), frozenset())
            async with Browser(app) as browser:
                return await work(browser, app.state.services.approval)

        return run_in(self._database, with_browser)

    async def _take(self, browser: Browser, service: ApprovalService, step: Step) -> str:
        path = f"/drafts/{step.draft}/{step.action}"
        page = parsed(await browser.get(f"/drafts/{step.draft}"))
        fields = {**fields_of(page, path, step), **step.fields}
        if step.action == "resolve":
            fields["finding"] = (await service.view(step.draft)).numbered[0].finding.id
        answer = await browser.post(path, data=fields)
        assert (answer.status_code != 303) == step.refused, answer.text
        if step.refused:
            return "\n".join(words(line) for line in parsed(answer).xpath("//*[@role='alert']/p"))
        page = parsed(await browser.get(answer.headers["location"]))
        (notice,) = page.xpath("//*[@data-announce]")
        return str(notice.text)


def fields_of(page: Any, path: str, step: Step) -> dict[str, str]:
    """Return the fields of the form for an action; of any form that names the shown version where the page offers none."""
    offered = [form for form in page.forms if form.get("action") == path]
    if step.action == "edit":
        offered = [form for form in offered if form.fields.get("persona") == "builder"]
    form = next((each for each in [*offered, *page.forms] if "seen" in each.fields), None)
    named = (
        {name: form.fields[name] for name in ("csrf", "seen", "seen_resolutions")} if form is not None else {}
    )
    return {**named, **(dict(offered[0].fields) if offered else {})}


def normalized(message: str) -> list[str]:
    """Return the lines of a message without case, final stops, the time of day, and what only the command line has: hints, names of flags."""
    text = re.sub(r" Next: panel queue publish \d+", "", message.partition("\nWhat you wrote:")[0])
    text = re.sub(r"\d\d:\d\d:\d\d", "TIME", text).replace("--supported:", "source:")
    return [line.strip().rstrip(".").lower() for line in text.strip().splitlines()]


@pytest.fixture
def sides(
    database: Path,
    panel: Callable[..., Ran],
    stage: Stage,
    tools: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[TerminalSide, BrowserSide, Path, Path]:
    """Both sides, with the paths of their stores."""
    monkeypatch.setenv("PANEL_EDITOR", "Kim")
    run_in(database, seed)
    assert panel("review", tools[0], "--model", "openai:gpt-6.1-terra", "-q").code == 0
    stage.score = 33
    copy = tmp_path / "copy.db"
    shutil.copy(database, copy)
    terminal = TerminalSide(lambda *arguments: panel("queue", *arguments), tmp_path)
    return terminal, BrowserSide(copy), database, copy


def test_every_action_says_and_does_the_same(sides: tuple[TerminalSide, BrowserSide, Path, Path]) -> None:
    terminal, browser, *databases = sides
    assert {Action.named(each.action) for each in STEPS} == set(Action)
    for each in STEPS:
        assert normalized(terminal.take(each)) == normalized(browser.take(each)), each
    first, second = (run_in(path, all_events) for path in databases)
    assert first == second
    assert sum(map(len, first.values())) > len(STEPS) / 2


async def all_events(store: Store) -> dict[int, list[Any]]:
    return {
        draft: [facts_of(event) for event in await events_of(store, draft)]
        for draft in range(PRICED, ASKED + 1)
    }


def facts_of(event: RecordedEvent) -> tuple[Any, ...]:
    """Return an event without its number and time; without what differs between two answers of a model, where it holds one."""
    if event.draft == ASKED:
        return event.kind, event.actor, event.payload.get("persona"), sorted(event.payload)
    return event.kind, event.actor, event.reason, event.hash_before, event.hash_after, event.payload


def test_drafts_come_in_the_same_order(
    sides: tuple[TerminalSide, BrowserSide, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """New drafts first, then those in review, then those sent back; locked ones are passed over."""
    terminal, browser, *databases = sides
    for path in databases:
        run_in(path, lambda store: do(store, PRICED, "edit", KIM))
    typed(monkeypatch, "r\nNo.\n" * 5)
    walked = [int(number) for number in re.findall(r"^Draft (\d+) · ", terminal.text("next"), re.MULTILINE)]
    assert walked == [CLEAN, EXPERIENCE, ASKED, PRICED, SENT_BACK]
    assert browser.use(lambda opened, _: reject_all(opened, CLEAN)) == walked


async def reject_all(browser: Browser, first: int) -> list[int]:
    seen: list[int] = []
    place = f"/drafts/{first}"
    while found := re.match(r"/drafts/(\d+)", place):
        seen.append(int(found[1]))
        path = f"/drafts/{found[1]}/reject"
        page = parsed(await browser.get(f"/drafts/{found[1]}"))
        fields = fields_of(page, path, step(seen[-1], "reject", "reject"))
        answer: httpx2.Response = await browser.post(path, data={**fields, "reason": "No."})
        place = answer.headers["location"]
    return seen


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


@pytest.mark.parametrize("draft", [PRICED, EXPERIENCE])
def test_findings_and_their_resolutions_are_the_same(
    sides: tuple[TerminalSide, BrowserSide, Path, Path], monkeypatch: pytest.MonkeyPatch, draft: int
) -> None:
    terminal, browser, *_ = sides
    page = browser.use(lambda opened, _: opened.get(f"/drafts/{draft}"))
    items = parsed(page).xpath("//li[starts-with(@id, 'finding-')]")
    shown = " ".join(terminal.text("show", draft).split())
    assert len(items) == len(re.findall(r" \[\d+\] ", shown)) > 0
    for item in items:
        number, label, text = (
            words(item.xpath(path)[0]) for path in (".//*[@class='no']", ".//strong", ".//q")
        )
        advice = words(item.xpath("./p[2]")[0])
        assert f"[{number}] {label}: “{text}”. {advice}" in shown
    offered = [set(item.xpath(".//button[@name='kind']/@value")) for item in items]
    assert offered == [{"supported", "opinion"} if draft == PRICED else set()] * len(items)
    assert offered_in_walk(terminal, monkeypatch, draft) == offered


def offered_in_walk(terminal: TerminalSide, monkeypatch: pytest.MonkeyPatch, draft: int) -> list[set[str]]:
    """Return the resolutions that the walk offers for each finding of a draft."""
    typed(monkeypatch, "s\n" * [PRICED, CLEAN, EXPERIENCE].index(draft) + "f\nl\nq\n")
    asked = re.findall(r"^(.*)\[e\]dit or cut \[l\]ater", terminal.messages("next"), re.MULTILINE)
    words_of = {"supported": "[s]upported by a source", "opinion": "[o]pinion"}
    return [{kind for kind, text in words_of.items() if text in question} for question in asked]


def test_the_history_is_the_same(sides: tuple[TerminalSide, BrowserSide, Path, Path]) -> None:
    terminal, browser, *_ = sides
    for each in STEPS:
        if each.draft == PRICED:
            terminal.take(each)
            browser.take(each)
    page = parsed(browser.use(lambda opened, _: opened.get(f"/drafts/{PRICED}/history")))
    listed = [
        (words(item.xpath("./p/strong")[0]), words(item.xpath("./p[@class='by']")[0]).partition(",")[0])
        for item in reversed(page.xpath("//li[starts-with(@id, 'event-')]"))
    ]
    printed = re.findall(r"UTC  (.*?): (.*?)  review [0-9a-f]{8}", terminal.text("history", PRICED))
    assert [(step, actor) for actor, step in printed] == listed
    about = [words(span) for span in page.xpath("//ol[@class='history']/li/p[1]/span")]
    text = " ".join(terminal.text("history", PRICED).split())
    assert about
    assert all(each in text for each in about)
