"""The queue on a pseudo-terminal: questions, the user's editor, and Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

import builders
from panel.store import open_store
from store.editing import approval, drafted, priced
from store.samples import lock_of, review

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from panel.approval import DraftView
    from panel.store import Store

    T = TypeVar("T")

LONGEST_WAIT = 30
KEYS = "[a]pprove [e]dit [f]indings [r]eject [c]hange a[g]ain [s]kip [u]ndo [q]uit [?]"


class Terminal:
    """`panel queue` on a pseudo-terminal of 80 columns."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self._master, slave = pty.openpty()
        base = {name: value for name, value in os.environ.items() if name not in {"VISUAL", "EDITOR"}}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "panel", "queue", *arguments],
            cwd=folder,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=base | {"COLUMNS": "80", "TERM": "xterm-256color", "PANEL_EDITOR": "Kim"} | environment,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = ""
        self._left = ""

    def expect(self, text: str) -> str:
        """Wait until a text is shown; return what stands before it since the last one."""
        while text not in self._left:
            chunk = self._read()
            assert chunk, f"{text!r} was not shown, but {self._left!r}"
            self._left += chunk
        before, _, self._left = self._left.partition(text)
        return before

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def interrupt(self) -> None:
        """Send what Ctrl-C sends."""
        os.killpg(self._process.pid, signal.SIGINT)

    def end(self) -> tuple[int, str]:
        """Return the exit code and what was shown since the last text that was waited for."""
        while chunk := self._read():
            self._left += chunk
        assert "Traceback" not in self.seen
        return self._process.wait(LONGEST_WAIT), self._left

    def close(self) -> None:
        self._process.kill()
        self._process.wait(LONGEST_WAIT)
        os.close(self._master)

    def _read(self) -> str:
        ready, _, _ = select.select([self._master], [], [], LONGEST_WAIT)
        try:
            chunk = os.read(self._master, 65_536).decode(errors="replace") if ready else ""
        except OSError:  # the command has left the terminal
            return ""
        self.seen += chunk.replace("\r\n", "\n")
        return chunk.replace("\r\n", "\n")


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Start a command of the queue on a terminal, with a temporary folder of its own."""
    started: list[Terminal] = []

    def start(*arguments: str, **environment: str) -> Terminal:
        started.append(Terminal(tmp_path, *arguments, **{"TMPDIR": str(tmp_path), **environment}))
        return started[-1]

    yield start
    for one in started:
        one.close()


def at(database: Path, work: Callable[[Store], Awaitable[T]]) -> T:
    async def done() -> T:
        database.parent.mkdir(parents=True, exist_ok=True)
        async with open_store(database) as store:
            return await work(store)

    return asyncio.run(done())


def view(database: Path) -> DraftView:
    return at(database, lambda store: approval(store).view(1))


def editor_of(folder: Path, *replacements: tuple[str, str]) -> str:
    """Return an editor that replaces a text by another, each time it is opened the next of them."""
    script = folder / "editor.py"
    script.write_text(
        "import pathlib, sys\n"
        f"pairs, count = {replacements!r}, pathlib.Path(__file__).with_suffix('.count')\n"
        "turn = len(count.read_text()) if count.exists() else 0\n"
        "count.write_text('x' * (turn + 1))\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "path.write_text(path.read_text('utf-8').replace(*pairs[turn]), 'utf-8')\n",
        "utf-8",
    )
    return f"{sys.executable} {script}"


def test_an_approval_is_asked_for_after_the_draft_was_shown(terminal: Any, database: Path) -> None:
    at(database, lambda store: drafted(store, review(None, builders.take())))
    first = terminal("approve", "1")
    assert "Draft 1 · Lantern · drafted" in first.expect("Approve this in your name? [y]es, [n]o:")
    first.type("n\n")
    assert first.end()[0] == 0
    assert view(database).current.approval is None
    second = terminal("approve", "1")
    second.expect("Approve this in your name?")
    second.type("y\n")
    code, said = second.end()
    assert (code, "Approved Lantern (draft 1): approved. Next: panel queue publish 1" in said) == (0, True)


def test_unresolved_findings_are_listed_in_place_of_the_question(terminal: Any, database: Path) -> None:
    at(database, lambda store: drafted(store, priced()))
    code, said = terminal("approve", "1").end()
    assert (code, "[1] Builder: Unsupported price: “$9 a month”" in said) == (4, True)
    assert "in your name" not in said


def test_no_line_is_longer_than_the_terminal_and_none_is_coloured(terminal: Any, database: Path) -> None:
    at(database, lambda store: drafted(store, priced(builders.tool("A" * 30, description="word " * 400))))
    walking = terminal("next")
    shown = walking.expect(KEYS)
    walking.type("f\n")
    shown += walking.expect("[s]upported by a source")
    assert max(map(len, shown.splitlines())) <= 80
    assert len(f"{KEYS} a") <= 80
    assert "\x1b" not in shown


def test_ctrl_c_leaves_the_walk_and_releases_the_draft(terminal: Any, database: Path) -> None:
    at(database, drafted)
    walking = terminal("next")
    walking.expect(KEYS)
    assert at(database, lambda store: lock_of(store, 1)) is not None
    walking.interrupt()
    code, said = walking.end()
    assert (code, said.strip().splitlines()[-1]) == (130, "panel: interrupted")
    assert at(database, lambda store: lock_of(store, 1)) is None


def test_a_form_that_cannot_be_used_is_opened_again(terminal: Any, database: Path, tmp_path: Path) -> None:
    at(database, drafted)
    editor = editor_of(tmp_path, ("score: 70", "score: 700"), ("score: 700", "score: 71"))
    editing = terminal("edit", "1", VISUAL=editor)
    assert "takes.builder.score" in editing.expect("It cannot be used yet. [e]dit again, [q]uit:")
    editing.type("e\n")
    editing.expect("Why, for the draft's history? Enter for no reason:")
    editing.type("It was a slip.\n")
    assert editing.end()[0] == 0
    after = view(database)
    assert [(edit.author, edit.reason) for edit in after.current.edits] == [("Kim", "It was a slip.")]
    assert not list(tmp_path.glob("panel-draft-*"))


def test_ctrl_c_keeps_what_was_typed_in_the_editor(terminal: Any, database: Path, tmp_path: Path) -> None:
    at(database, drafted)
    editing = terminal("edit", "1", VISUAL=editor_of(tmp_path, ("score: 70", "score: 700")))
    editing.expect("[e]dit again, [q]uit:")
    editing.interrupt()
    code, said = editing.end()
    (kept,) = tmp_path.glob("panel-draft-*")
    assert (code, str(kept) in said.replace("\n", "")) == (130, True)
    assert "score: 700" in kept.read_text("utf-8")
    assert at(database, lambda store: lock_of(store, 1)) is None


def test_an_editor_that_cannot_be_started_leaves_nothing_behind(
    terminal: Any, database: Path, tmp_path: Path
) -> None:
    at(database, lambda store: drafted(store, review()))
    code, said = terminal("edit", "1", VISUAL="no-such-editor").end()
    assert (code, "set VISUAL or EDITOR" in said) == (2, True)
    assert not list(tmp_path.glob("panel-draft-*"))
