"""`panel serve`, as a process and as a command that refuses to begin."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_WAIT = 30
UNGUARDED = "without accounts, whoever reaches the server could approve; add one first: panel users add NAME"
PASSWORD = b"correct horse battery"


@contextmanager
def serving(*flags: str, where: Path, **more: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Run `panel serve` on any port that is free, and wait until it says where."""
    process = subprocess.Popen(
        [sys.executable, "-m", "panel", "serve", "--port", "0", *flags],
        cwd=where,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **more},
    )
    try:
        assert process.stderr
        line = process.stderr.readline()
        found = re.search(r"http://\S+?:\d+", line)
        assert found, line + process.stderr.read()
        yield process, found[0], line
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_queue_is_served_until_a_signal(number: int, code: int, tmp_path: Path) -> None:
    with serving(where=tmp_path, PANEL_EDITOR="Kim") as (process, url, line):
        assert line == f"Serving the queue at {url} as Kim. Press Ctrl-C to stop.\n"
        assert url.startswith("http://127.0.0.1:")
        answer = httpx2.get(f"{url}/nowhere")
        assert (answer.status_code, "Page not found" in answer.text) == (404, True)
        process.send_signal(number)
        out, err = process.communicate(timeout=LONGEST_WAIT)
        assert (process.returncode, out) == (code, "")
        assert err == "Finishing open requests; press Ctrl-C again to leave at once.\npanel: interrupted\n"


def test_the_queue_can_be_opened_in_a_browser(tmp_path: Path) -> None:
    opened, script = tmp_path / "opened", tmp_path / "browser"
    os.mkfifo(opened)
    script.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    script.chmod(0o700)
    with serving("--open", where=tmp_path, PANEL_EDITOR="Kim", BROWSER=f"{script} %s") as (_, url, _):
        assert opened.read_text() == f"{url}\n"


def test_a_second_signal_ends_open_requests(tmp_path: Path) -> None:
    with serving(where=tmp_path, PANEL_EDITOR="Kim") as (process, url, _):
        kind = "application/x-www-form-urlencoded"
        head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: 9\r\n"
        with closing(socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))) as half:
            half.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
            assert b"100 Continue" in half.recv(100)  # the server waits for the form
            process.send_signal(signal.SIGINT)
            assert process.stderr
            assert "Finishing" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=LONGEST_WAIT)
        assert (process.returncode, err) == (130, "panel: interrupted\n")


def test_with_accounts_the_server_may_listen_anywhere_and_asks_for_a_sign_in(
    panel: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_world: Path
) -> None:
    monkeypatch.setenv("PANEL_DATA_DIR", str(own_world / "data"))
    piped = subprocess.run(
        [sys.executable, "-m", "panel", "users", "add", "Kim", "--role", "editor", "--password-stdin"],
        cwd=tmp_path,
        input=PASSWORD,
        capture_output=True,
        check=False,
    )
    assert piped.returncode == 0
    assert panel("users", "list").code == 0
    flags = ("--host", "0.0.0.0", "--allow-host", "Reviews.example")  # noqa: S104 - what is tried
    with serving(*flags, where=tmp_path) as (process, url, line):
        assert line == f"Serving the queue at {url}. Press Ctrl-C to stop.\n"
        assert process.stderr
        assert "over HTTPS only" in process.stderr.readline()
        page = httpx2.get(f"{url}/", headers={"accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/login?next=%2F")
        for host, status in (("reviews.example", 200), ("0.0.0.0", 400), ("exfil.invalid", 400)):  # noqa: S104 - likewise
            assert httpx2.get(f"{url}/login", headers={"host": host}).status_code == status


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--host", "0.0.0.0"), f"--host 0.0.0.0: {UNGUARDED}"),  # noqa: S104 - what is refused
        (("--host", "::"), f"--host ::: {UNGUARDED}"),
        (("--allow-host", "reviews.example"), f"--allow-host reviews.example: {UNGUARDED}"),
        (
            ("--allow-host", "a.example:443"),
            "--allow-host a.example:443: expected a name without a port, such as reviews.example.org",
        ),
        (
            ("--proxy-header", "X-User"),
            "--proxy-header and --proxy-address go together; give both, or neither",
        ),
        (
            ("--proxy-address", "127.0.0.1"),
            "--proxy-header and --proxy-address go together; give both, or neither",
        ),
        (
            ("--proxy-header", "X-User", "--proxy-address", "proxy"),
            "--proxy-address proxy: expected an IP address, such as 127.0.0.1",
        ),
        (
            ("--proxy-header", "X User", "--proxy-address", "127.0.0.1"),
            "--proxy-header X User: expected the name of a header, such as X-Remote-User",
        ),
    ],
)
def test_a_server_without_sign_in_refuses_other_machines(
    flags: tuple[str, ...], words: str, panel: Any, monkeypatch: pytest.MonkeyPatch, database: Path
) -> None:
    monkeypatch.setenv("PANEL_EDITOR", "Kim")
    ran = panel("serve", "--port", "0", *flags)
    assert (ran.code, ran.err, ran.out) == (2, f"panel: {words}\n", "")
    assert not database.exists()


def test_without_accounts_an_editor_must_be_named(panel: Any, database: Path) -> None:
    ran = panel("serve", "--port", "0")
    assert (ran.code, "set PANEL_EDITOR" in ran.err, database.exists()) == (2, True, False)


def test_a_port_that_is_taken_is_refused(panel: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PANEL_EDITOR", "Kim")
    with serving(where=tmp_path) as (_, url, _):
        port = url.rpartition(":")[2]
        ran = panel("serve", "--port", port)
    words = f"panel: port {port} is taken; end what uses it, or choose another with --port\n"
    assert (ran.code, ran.err) == (2, words)


@pytest.mark.parametrize("missing", ["uvicorn", "starlette", "argon2", "python_multipart"])
def test_a_missing_package_names_the_web_extra(
    missing: str, panel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    ran = panel("serve")
    assert (ran.code, ran.err) == (
        2,
        "panel: the web pages need the web extra: pip install 'panel-review[web]'\n",
    )


def test_a_proxy_may_sign_people_in(tmp_path: Path) -> None:
    proxy = ("--proxy-header", "X-Remote-User", "--proxy-address", "192.0.2.1")
    with serving(*proxy, "--host", "0.0.0.0", where=tmp_path) as (_, url, line):  # noqa: S104 - what is allowed
        assert line == f"Serving the queue at {url}. Press Ctrl-C to stop.\n"
        assert httpx2.get(f"{url}/", headers={"x-remote-user": "Kim"}).status_code == 401
