"""`panel users`, with a real store."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Ran

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody
FIRST = (
    "From now on only users with accounts can work with drafts. If panel serve is running, start it again.\n"
    "Nobody can publish yet: panel users add NAME --role publisher\n"
)


@pytest.fixture
def piped(panel: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """Run `panel users` with a password on standard input."""

    def piped(*arguments: str, password: bytes = PASSWORD.encode()) -> Ran:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(password)))
        return panel("users", *arguments, "--password-stdin")

    return piped


def listed(panel: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(panel("users", "list", "--json").out)
    return rows


def test_without_a_database_there_are_no_users_and_none_is_made(panel: Any, database: Path) -> None:
    assert panel("users", "list").out == "There are no accounts; the setting `editor` names the only user.\n"
    assert listed(panel) == []
    for command in (("role", "Kim", "editor"), ("disable", "Kim"), ("enable", "Kim"), ("password", "Kim")):
        ran = panel("users", *command)
        assert (ran.code, ran.err) == (
            2,
            "panel: there is no user Kim; `panel users list` lists the accounts\n",
        )
    assert not database.exists()


def test_users_are_listed_in_the_order_in_which_they_were_added(piped: Any, panel: Any) -> None:
    ran = piped("add", "Kim", "--role", "editor")
    assert (ran.code, ran.out, ran.err) == (0, "Kim may sign in, as an editor.\n", FIRST)
    ran = piped("add", "Ada\u200b", "--role", "drafter", "--json", password=b"another horse battery\r\n")
    added = json.loads(ran.out)
    assert (added["name"], added["role"], added["disabled_at"], ran.err) == ("Ada", "drafter", None, "")
    assert [row["name"] for row in listed(panel)] == ["Kim", "Ada"]
    lines = panel("users", "list").out.splitlines()
    assert [line.split()[:3] for line in lines] == [["Kim", "editor", "added"], ["Ada", "drafter", "added"]]


def test_an_account_can_be_changed_by_its_name_in_any_case(piped: Any, panel: Any) -> None:
    piped("add", "Kim", "--role", "editor")
    assert panel("users", "role", "kim", "publisher").out == "Kim is a publisher now.\n"
    assert panel("users", "disable", "KIM").out == "Kim may no longer sign in.\n"
    (row,) = listed(panel)
    assert (row["role"], row["disabled_at"] is None) == ("publisher", False)
    assert "disabled on" in panel("users", "list").out
    assert panel("users", "enable", "Kim").out == "Kim may sign in again, as a publisher.\n"
    assert json.loads(panel("users", "role", "Kim", "editor", "--json").out)["role"] == "editor"
    ran = piped("password", "kim")
    assert ran.out == "Kim has a new password, and is signed out everywhere.\n"


@pytest.mark.parametrize(
    ("password", "words"),
    [
        (b"eleven char", "a password has 12 to 1,000 characters; choose another one"),
        (b"", "--password-stdin: expected the password on one line"),
        (b"two lines of\nwords", "--password-stdin: expected the password on one line"),
        (b"\xff" * 12, "--password-stdin: the password is not UTF-8"),
    ],
)
def test_a_password_that_cannot_be_used_is_refused(
    password: bytes, words: str, piped: Any, database: Path
) -> None:
    ran = piped("add", "Kim", "--role", "editor", password=password)
    assert (ran.code, ran.err) == (2, f"panel: {words}\n")
    assert not database.exists()


@pytest.mark.parametrize("name", ["", " ", "panel", "x" * 121])
def test_a_name_that_cannot_be_a_persons_is_refused(name: str, piped: Any) -> None:
    ran = piped("add", name, "--role", "editor")
    words = "panel: NAME: a person's name has 1 to 120 characters, and is not panel\n"
    assert (ran.code, ran.err) == (2, words)


def test_a_second_account_of_a_name_is_refused_before_the_password(piped: Any, panel: Any) -> None:
    piped("add", "Kim", "--role", "editor")
    for name in ("kim", "K\u200bim", " Kim "):
        ran = panel("users", "add", name, "--role", "publisher")
        assert ran.code == 2
        assert "there is a user" in ran.err
    assert len(listed(panel)) == 1


def test_a_role_must_be_one_of_three(piped: Any) -> None:
    assert piped("add", "Kim", "--role", "admin").code == 2
    assert piped("add", "Kim").code == 2


def test_without_a_terminal_the_password_must_be_piped_in(
    panel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    ran = panel("users", "add", "Kim", "--role", "editor")
    words = "panel: there is no terminal to ask for the password; pipe it in with --password-stdin\n"
    assert (ran.code, ran.err) == (2, words)


@pytest.mark.parametrize(
    ("typed", "code", "words"),
    [
        ((PASSWORD, PASSWORD), 0, FIRST),
        ((PASSWORD, PASSWORD.upper()), 2, "panel: the two passwords differ; nothing was changed\n"),
        (("\x04", ""), 2, "panel: no password was given; nothing was changed\n"),
    ],
)
def test_a_password_is_typed_twice_and_never_shown(
    typed: tuple[str, str], code: int, words: str, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "panel", "users", "add", "Kim", "--role", "editor"],
        cwd=tmp_path,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stderr
    said = b""
    for prompt, text in zip((b"Password for Kim: ", b"Repeat the password: "), typed, strict=True):
        while text and not said.endswith(prompt):
            said += os.read(process.stderr.fileno(), 1_000)
        os.write(ours, text.encode() + (b"" if text in {"", "\x04"} else b"\n"))
    _, err = process.communicate(timeout=30)
    os.close(ours)
    os.close(theirs)
    assert (process.returncode, PASSWORD in err.decode()) == (code, False)
    assert err.decode().endswith(words)
