from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from panel.store import open_store
from publishing import make_pair, publish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Ran

pytestmark = pytest.mark.usefixtures("filled")

URL = "https://reviews.example"


@pytest.fixture
def filled(database: Path) -> Path:
    """The user's database, with two published reviews."""

    async def fill() -> None:
        database.parent.mkdir(parents=True, exist_ok=True)
        async with open_store(database) as store:
            await publish(store, *make_pair())

    asyncio.run(fill())
    return database


def test_a_site_is_built(panel: Callable[..., Ran], tmp_path: Path) -> None:
    """The second build keeps every file, and --full none."""
    first = panel("site", "build", "--site-url", URL)
    assert first.code == 0
    assert first.out.startswith("2 reviews, ")
    assert "Look at it: panel site serve site" in first.out
    assert (tmp_path / "site" / "tools" / "lantern" / "index.html").is_file()
    built = json.loads(panel("site", "build", "--site-url", URL, "--json").out)
    assert (built["reviews"], built["written"], built["removed"], built["url"]) == (2, 0, 0, URL)
    assert json.loads(panel("site", "build", "--site-url", URL, "--full", "--json").out)["kept"] == 0


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ((), "site_url: not set; state the public address of the site with --site-url"),
        (("--site-url", "reviews.example"), "--site-url: expected the address of a site"),
        (("--site-url", f"{URL}/?x=1"), "--site-url: expected the address of a site"),
        (("--site-url", URL, "--out", "tools.yaml"), "is not a site that panel made"),
        (("--site-url", URL, "--out", "."), "is not a site that panel made"),
    ],
)
def test_a_build_that_cannot_start_writes_nothing(
    panel: Callable[..., Ran], tmp_path: Path, words: tuple[str, ...], line: str
) -> None:
    """One line and exit code 2."""
    (tmp_path / "tools.yaml").write_text("name: Lantern")
    ran = panel("site", "build", *words)
    assert (ran.code, ran.out) == (2, "")
    assert line in ran.err
    assert len(ran.err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["tools.yaml"]


def test_without_a_database_there_is_nothing_to_build(
    panel: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PANEL_DATABASE_URL", str(tmp_path / "nothing.db"))
    ran = panel("site", "build", "--site-url", URL)
    assert ran.code == 2
    assert "there is no database yet" in ran.err
    assert not (tmp_path / "site").exists()


def test_an_altered_review_stops_the_build(panel: Callable[..., Ran], filled: Path, tmp_path: Path) -> None:
    """Exit code 74; the old site is unchanged."""
    panel("site", "build", "--site-url", URL)
    before = (tmp_path / "site" / "tools" / "lantern" / "index.html").read_bytes()
    with closing(sqlite3.connect(filled)) as connection, connection:
        connection.execute("UPDATE drafts SET review = replace(review, 'log files', 'your mind')")
    ran = panel("site", "build", "--site-url", URL, "--full")
    assert ran.code == 74
    assert "draft 1 does not agree with its events" in ran.err
    assert (tmp_path / "site" / "tools" / "lantern" / "index.html").read_bytes() == before


def test_pictures_need_the_extra(panel: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    ran = panel("site", "build", "--site-url", URL)
    assert (ran.code, ran.err) == (
        2,
        "panel: the site's pictures need the site extra: pip install 'panel-review[site]'\n",
    )


class Server:
    """A server in a process of its own."""

    def __init__(self, *words: object, cwd: Path) -> None:
        command = [sys.executable, "-m", "panel", *map(str, words)]
        self._process = subprocess.Popen(
            command, cwd=cwd, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        assert self._process.stderr
        self.first_line = self._process.stderr.readline()
        found = re.search(r"http://\S+?(?=[,. ]*(?:with|Ctrl|$)|\.\s)", self.first_line)
        self.url = found[0] if found else ""

    def get(self, path: str) -> str:
        with urlopen(f"{self.url}{path}", timeout=20) as answer:  # noqa: S310 - on loopback
            text: str = answer.read().decode()
            return text

    def end(self) -> tuple[int, str]:
        self._process.send_signal(signal.SIGINT)
        _, rest = self._process.communicate(timeout=30)
        return self._process.returncode, rest


def test_a_site_is_previewed_until_ctrl_c(panel: Callable[..., Ran], tmp_path: Path) -> None:
    panel("site", "build", "--site-url", URL)
    server = Server("site", "serve", "--port", 0, cwd=tmp_path)
    assert "Lantern" in server.get("/tools/lantern/")
    code, _ = server.end()
    assert code == 130


def test_a_site_is_served_with_votes(panel: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "panel.yaml").write_text(f"site_url: {URL}\nvoting: true\n")
    panel("site", "build")
    server = Server("serve", "--public", "--port", 0, cwd=tmp_path)
    assert "with readers' votes" in server.first_line
    assert json.loads(server.get("/votes?tools=lantern"))["lantern"]["total"] == 0
    code, rest = server.end()
    assert code == 130
    assert "Traceback" not in rest


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("site", "serve"), "site: holds no site; build one first"),
        (("serve", "--public"), "site: holds no site; build one first"),
        (("serve", "--public", "--open"), "--public signs nobody in"),
        (("serve", "--site", "public"), "--site public: goes with --public"),
        (
            ("serve", "--public", "--proxy-header", "X-User", "--proxy-address", "127.0.0.1"),
            "--public signs nobody in",
        ),
        (("serve", "--public", "--proxy-address", "here"), "expected an IP address"),
    ],
)
def test_a_server_does_not_start_without_a_site_or_with_contradictory_flags(
    panel: Callable[..., Ran], words: tuple[str, ...], line: str
) -> None:
    ran = panel(*words)
    assert ran.code == 2
    assert line in ran.err


def test_a_public_server_for_other_machines_needs_a_host_name(panel: Callable[..., Ran]) -> None:
    panel("site", "build", "--site-url", URL)
    ran = panel("serve", "--public", "--host", "0.0.0.0", "--port", 0)  # noqa: S104 - refused
    assert ran.code == 2
    assert "--allow-host reviews.example.org" in ran.err


def test_a_newsletter_needs_a_mail_server(panel: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    """The public server does not start without its settings."""
    panel("site", "build", "--site-url", URL)
    monkeypatch.setenv("PANEL_NEWSLETTER", "panel")
    assert "smtp_url: not set" in panel("serve", "--public", "--port", 0).err
    monkeypatch.setenv("PANEL_SMTP_URL", "smtp://127.0.0.1:1")
    assert "mail_from: not set" in panel("serve", "--public", "--port", 0).err
    monkeypatch.setenv("PANEL_MAIL_FROM", "digest@reviews.example")
    assert "site_url: not set" in panel("serve", "--public", "--port", 0).err
