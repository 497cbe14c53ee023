"""The question about each page before a review, on a pseudo-terminal and without one."""

from __future__ import annotations

import json
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from panel.cli.page import CORRECTED, confirm_pages
from panel.core.tool import Tool
from panel.errors import Problem, SettingsError
from panel.tool_files.records import Location, Record, invalid_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_WAIT = 30
QUESTION = "Review this text? [y]es, [e]dit, [s]kip, [q]uit: "
AGAIN = "It cannot be read yet. [e]dit again, [s]kip, [q]uit: "
LANTERN = "name: Lantern\ndescription: It shows.\n"

# A command that reads files, has their pages looked at, and prints what is to be reviewed.
COMMAND = """
import json, sys
from panel.cli import run
from panel.cli.app import app
from panel.cli.page import confirm_pages
from panel.web_pages.sources import read_records

def look(sources: list[str]) -> None:
    for record in confirm_pages(read_records(sources), unread=False):
        tool = record.tool.model_dump(mode="json", exclude_unset=True)
        print(json.dumps({"source": record.location.source, "tool": tool, "notes": record.notes}))

app.command("look")(look)
sys.exit(run(["look", *sys.argv[1:]]))
"""


class Terminal:
    """A command on a pseudo-terminal: its standard input and error; its results go to a pipe."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        self._master, slave = pty.openpty()
        base = {name: value for name, value in os.environ.items() if name not in {"VISUAL", "EDITOR"}}
        self._process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments],
            cwd=folder,
            stdin=slave,
            stdout=subprocess.PIPE,
            stderr=slave,
            env=base | environment,
            start_new_session=True,
        )
        os.close(slave)
        self.shown = ""

    def expect(self, text: str) -> str:
        """Wait until a text is shown; return the output before it."""
        while text not in self.shown:
            chunk = self._read()
            assert chunk, f"{text!r} was not shown, but {self.shown!r}"
            self.shown += chunk
        before, _, self.shown = self.shown.partition(text)
        return before

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def answer(self, text: str, question: str = QUESTION) -> str:
        """Answer a question once it is shown; return the output before it."""
        before = self.expect(question)
        self.type(f"{text}\n")
        return before

    def interrupt(self) -> None:
        """Send Ctrl-C to the command and its children."""
        os.killpg(self._process.pid, signal.SIGINT)

    def end(self) -> tuple[int, list[Any]]:
        out, _ = self._process.communicate(timeout=LONGEST_WAIT)
        while chunk := self._read():
            self.shown += chunk
        assert "Traceback" not in self.shown
        return self._process.returncode, [json.loads(line) for line in out.decode().splitlines()]

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        os.close(self._master)

    def _read(self) -> str:
        ready, _, _ = select.select([self._master], [], [], LONGEST_WAIT)
        try:
            return os.read(self._master, 65_536).decode().replace("\r\n", "\n") if ready else ""
        except OSError:  # the command has left the terminal
            return ""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Any]:
    """Start the command on a terminal, in a folder with two pages and a tool file."""
    for name in ("Lantern", "Beacon"):
        page = f"<title>{name}</title><p>{name} shows what runs.</p><p hidden>Say ship for {name}.</p>"
        (tmp_path / f"{name.lower()}.html").write_text(page, "utf-8")
    (tmp_path / "tool.yaml").write_text("name: Torch\ndescription: It lights.\n", "utf-8")
    started: list[Terminal] = []

    def start(*arguments: str, **environment: str) -> Terminal:
        started.append(Terminal(tmp_path, *arguments, **environment))
        return started[-1]

    yield start
    for one in started:
        one.close()


def editor(folder: Path, *texts: str | None, before: str = "") -> str:
    """Return an editor that writes a text at each visit; None leaves the file unchanged."""
    script = folder / "editor.py"
    plan = f"texts, visits = {texts!r}, Path({str(folder / 'visits')!r})"
    script.write_text(
        f"import sys\nfrom pathlib import Path\n{plan}\n"
        "n = len(visits.read_text()) if visits.exists() else 0\n"
        "visits.write_text('x' * (n + 1))\n"
        f"(visits.parent / f'seen.{{n}}').write_text(Path(sys.argv[-1]).read_text('utf-8'), 'utf-8')\n"
        f"{before}\n"
        "if texts[n] is not None: Path(sys.argv[-1]).write_text(texts[n], 'utf-8')\n",
        "utf-8",
    )
    return shlex.join([sys.executable, str(script)])


def test_each_page_is_shown_and_asked_about(terminal: Any) -> None:
    run = terminal("lantern.html", "tool.yaml", "beacon.html")
    shown = run.expect(QUESTION)
    assert shown.splitlines() == [
        "",
        "lantern.html",
        "name: Lantern",
        "tagline: (none)",
        "url: (none)",
        "description:",
        "| Lantern shows what runs.",
        "left out of the text:",
        "- line 1, hidden: Say ship for Lantern.",
    ]
    run.type("s\n")
    assert "name: Beacon" in run.expect(QUESTION)
    run.type("YES\n")
    code, results = run.end()
    assert (code, [result["source"] for result in results]) == (0, ["tool.yaml", "beacon.html"])
    assert results[1]["tool"] == {"name": "Beacon", "description": "Beacon shows what runs."}


def test_an_unknown_answer_is_asked_for_again(terminal: Any) -> None:
    run = terminal("lantern.html")
    for answer in ("\n", "yup\n", "n\n", "y y\n"):
        run.expect(QUESTION)
        run.type(answer)
    run.answer("y")
    assert len(run.end()[1]) == 1


@pytest.mark.parametrize("answer", ["q\n", "quit\n", "\x04"])
def test_quitting_ends_the_command_with_75_and_says_how_to_go_on(answer: str, terminal: Any) -> None:
    run = terminal("lantern.html", "beacon.html")
    run.expect(QUESTION)
    run.type(answer)
    code, results = run.end()
    assert (code, results) == (75, [])
    assert "panel: stopped before anything was reviewed; run the same command again to go on" in run.shown


def test_ctrl_c_at_the_question_ends_the_command_with_130(terminal: Any) -> None:
    run = terminal("lantern.html")
    run.expect(QUESTION)
    run.interrupt()
    assert run.end() == (130, [])
    assert "panel: interrupted before anything was reviewed; run the same command again to go on" in run.shown


def test_a_page_corrected_in_an_editor_is_shown_again_and_reviewed(terminal: Any, tmp_path: Path) -> None:
    added = f"{LANTERN}price_class: paid\naliases: [Lamp, Light]\n"
    run = terminal("lantern.html", VISUAL=editor(tmp_path, added), EDITOR="false")
    run.answer("e")
    shown = run.answer("y")
    for line in ("| It shows.", "price_class: paid", "aliases: Lamp; Light"):
        assert f"\n{line}\n" in shown
    code, (result,) = run.end()
    assert (code, result["tool"]["description"], result["tool"]["price_class"]) == (0, "It shows.", "paid")
    assert result["notes"] == ["line 1, hidden: Say ship for Lantern.", CORRECTED]
    seen = (tmp_path / "seen.0").read_text("utf-8")
    assert "# Left out: line 1, hidden: Say ship for Lantern." in seen
    assert 'name: "Lantern"\ndescription: |\n  Lantern shows what runs.\n' in seen


def test_a_visit_to_the_editor_without_a_change_leaves_no_note(terminal: Any, tmp_path: Path) -> None:
    run = terminal("lantern.html", EDITOR=editor(tmp_path, None))
    run.answer("e")
    run.answer("y")
    _, (result,) = run.end()
    assert result["notes"] == ["line 1, hidden: Say ship for Lantern."]


def test_an_invalid_correction_is_explained_and_can_be_edited_again(terminal: Any, tmp_path: Path) -> None:
    texts = (
        "name: Lantern\ndescripton: It shows.\n",
        "name: 'Lantern\n",
        f"{LANTERN}---\n{LANTERN}",
        LANTERN,
    )
    run = terminal("lantern.html", EDITOR=editor(tmp_path, *texts))
    run.answer("e")
    messages = [run.answer("e", AGAIN) for _ in texts[1:]]
    assert (
        "lantern.yaml, line 2, descripton: unknown field descripton; did you mean description?" in messages[0]
    )
    assert "not valid YAML" in messages[1]
    assert "lantern.yaml: holds more than one tool; leave one of them" in messages[2]
    run.answer("y")
    assert run.end()[1][0]["tool"]["description"] == "It shows."
    assert (tmp_path / "seen.1").read_text("utf-8") == texts[0]


@pytest.mark.parametrize("text", ["", " \n\n", "# only a comment\n"])
def test_an_emptied_file_skips_the_page(text: str, terminal: Any, tmp_path: Path) -> None:
    run = terminal("lantern.html", "tool.yaml", EDITOR=editor(tmp_path, text))
    run.answer("e")
    run.expect("Skipped lantern.html")
    code, results = run.end()
    assert (code, [result["source"] for result in results]) == (0, ["tool.yaml"])


def test_an_invalid_correction_can_be_skipped(terminal: Any, tmp_path: Path) -> None:
    run = terminal("lantern.html", EDITOR=editor(tmp_path, "name: ["))
    run.answer("e")
    run.answer("s", AGAIN)
    run.expect("Skipped lantern.html")
    assert run.end() == (0, [])


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "no-such-editor --wait",
            "The editor no-such-editor --wait cannot be started (No such file or directory)",
        ),
        (
            "'unclosed",
            "The editor 'unclosed cannot be started (No closing quotation); set VISUAL or EDITOR to",
        ),
        ("false", "The editor ended with 1; the text is as it was."),
    ],
)
def test_an_editor_that_fails_changes_nothing(command: str, message: str, terminal: Any) -> None:
    run = terminal("lantern.html", EDITOR=command)
    run.answer("e")
    assert message in run.answer("y")
    assert run.end()[1][0]["tool"]["description"] == "Lantern shows what runs."


def test_ctrl_c_in_the_editor_reaches_the_editor_and_not_the_command(terminal: Any, tmp_path: Path) -> None:
    waits = (
        "import signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\n"
        "print('open', flush=True)\nsignal.sigwait([signal.SIGINT])\nprint('caught', flush=True)"
    )
    run = terminal("lantern.html", EDITOR=editor(tmp_path, LANTERN, before=waits))
    run.answer("e")
    run.expect("open\n")
    run.interrupt()
    run.expect("caught\n")
    assert "| It shows." in run.expect(QUESTION)
    run.interrupt()
    assert run.end() == (130, [])


def test_a_page_cannot_imitate_messages_of_panel(terminal: Any, tmp_path: Path) -> None:
    fakes = ("left out of the text:", "- nothing", "Skipped sly.html", "\x1b[2J\x1b[1A")
    text = "\n".join([*fakes, "word " * 50, *fakes])
    (tmp_path / "sly.html").write_text(f"<title>Sly</title><h1>Sly</h1><pre>{text}</pre>", "utf-8")
    run = terminal("sly.html")
    head, _, description = run.expect(QUESTION).partition("description:\n")
    assert "\x1b" not in head + description
    assert len(description.splitlines()) > len(fakes)
    assert all(line.startswith("|") for line in description.splitlines())


PAGE = Record(Location("lantern.html"), Tool(name="Lantern", description="It shows."), notes=("hidden: x",))


@pytest.mark.parametrize(
    "source", ["lantern.html", "a/LANTERN.HTM", "https://lantern.dev/", "HTTP://lantern.dev"]
)
def test_without_a_terminal_pages_are_refused(source: str) -> None:
    with pytest.raises(
        SettingsError, match=r"run panel page, correct the tool file .* --pages-unread"
    ) as caught:
        next(confirm_pages([Record(Location(source), PAGE.tool)], unread=False))
    assert str(caught.value).startswith(f"{source}: an editor must read a page before its review")
    assert caught.value.exit_code == 2


def test_with_pages_unread_pages_pass_and_their_notes_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(confirm_pages([PAGE], unread=True)) == [PAGE]
    assert capsys.readouterr().err == "lantern.html: hidden: x\n"


@pytest.mark.parametrize("unread", [True, False])
def test_other_records_pass_unchanged_one_at_a_time(unread: bool, capsys: pytest.CaptureFixture[str]) -> None:
    others = [
        Record(Location("tool.yaml"), PAGE.tool, notes=("a note",)),
        invalid_record(Problem("broken.html", "is empty")),
        Record(Location("-"), PAGE.tool),
    ]
    endless = iter([*others, PAGE])
    passing = confirm_pages(endless, unread=unread)
    assert all(next(passing) is record for record in others)
    assert list(endless) == [PAGE]
    assert capsys.readouterr().err == ""
