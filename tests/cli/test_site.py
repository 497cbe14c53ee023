from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from panel.store import open_store
from publishing import published, spoken

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
            await published(store, spoken("Lantern", category="Logs"), spoken("Sextant", category="Logs"))

    asyncio.run(fill())
    return database


def test_a_site_is_built(panel: Callable[..., Ran], tmp_path: Path) -> None:
    """The command builds the site, says what it made and how to look at it; a second one keeps everything."""
    first = panel("site", "build", "--site-url", URL)
    assert first.code == 0
    assert first.out.startswith("2 reviews, ")
    assert "Look at it: panel site serve site" in first.out
    assert (tmp_path / "site" / "tools" / "lantern" / "index.html").is_file()
    told = json.loads(panel("site", "build", "--site-url", URL, "--json").out)
    assert (told["reviews"], told["written"], told["removed"], told["url"]) == (2, 0, 0, URL)
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
def test_what_cannot_be_built_is_told(
    panel: Callable[..., Ran], tmp_path: Path, words: tuple[str, ...], line: str
) -> None:
    """A missing or wrong address, or a folder that holds something else, gets one line and exit code 2, and nothing is written."""
    (tmp_path / "tools.yaml").write_text("name: Lantern")
    ran = panel("site", "build", *words)
    assert (ran.code, ran.out) == (2, "")
    assert line in ran.err
    assert len(ran.err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["tools.yaml"]


def test_without_a_database_there_is_nothing_to_build(
    panel: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before any review the command says how to make one."""
    monkeypatch.setenv("PANEL_DATABASE_URL", str(tmp_path / "nothing.db"))
    ran = panel("site", "build", "--site-url", URL)
    assert ran.code == 2
    assert "there is no database yet" in ran.err
    assert not (tmp_path / "site").exists()


def test_an_altered_review_stops_the_build(panel: Callable[..., Ran], filled: Path, tmp_path: Path) -> None:
    """A review that was changed in the database behind panel's back is not published: exit code 74, and the old site stays."""
    panel("site", "build", "--site-url", URL)
    before = (tmp_path / "site" / "tools" / "lantern" / "index.html").read_bytes()
    with sqlite3.connect(filled) as connection:
        connection.execute("UPDATE drafts SET review = replace(review, 'log files', 'your mind')")
    ran = panel("site", "build", "--site-url", URL, "--full")
    assert ran.code == 74
    assert "draft 1 is not what" in ran.err
    assert (tmp_path / "site" / "tools" / "lantern" / "index.html").read_bytes() == before


def test_pictures_need_the_extra(panel: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Pillow the command names the extra."""
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
        self.said = self._process.stderr.readline()
        found = re.search(r"http://\S+?(?=[,. ]*(?:with|Ctrl|$)|\.\s)", self.said)
        self.url = found[0] if found else ""

    def get(self, path: str) -> str:
        with urlopen(f"{self.url}{path}", timeout=20) as answer:  # noqa: S310 - on loopback
            text: str = answer.read().decode()
            return text

    def end(self) -> tuple[int, str]:
        self._process.send_signal(signal.SIGINT)
        _, rest = self._process.communicate(timeout=30)
        return self._process.returncode, rest


def test_a_site_is_shown(panel: Callable[..., Ran], tmp_path: Path) -> None:
    """`panel site serve` shows the built site until Ctrl-C."""
    panel("site", "build", "--site-url", URL)
    server = Server("site", "serve", "--port", 0, cwd=tmp_path)
    assert "Lantern" in server.get("/tools/lantern/")
    code, _ = server.end()
    assert code == 130


def test_a_site_is_served_with_votes(panel: Callable[..., Ran], tmp_path: Path) -> None:
    """`panel serve --public` serves the site and counts votes where the setting is on, and says so."""
    (tmp_path / "panel.yaml").write_text(f"site_url: {URL}\nvoting: true\n")
    panel("site", "build")
    server = Server("serve", "--public", "--port", 0, cwd=tmp_path)
    assert "with readers' votes" in server.said
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
def test_what_cannot_be_served_is_told(panel: Callable[..., Ran], words: tuple[str, ...], line: str) -> None:
    """Without a site, or with flags that make no sense together, the server does not start."""
    ran = panel(*words)
    assert ran.code == 2
    assert line in ran.err


def test_a_public_server_elsewhere_needs_its_name(panel: Callable[..., Ran]) -> None:
    """A server that others reach must know by which name, and a newsletter its mail server, before it starts."""
    panel("site", "build", "--site-url", URL)
    ran = panel("serve", "--public", "--host", "0.0.0.0", "--port", 0)  # noqa: S104 - refused
    assert ran.code == 2
    assert "--allow-host reviews.example.org" in ran.err


def test_a_newsletter_needs_a_mail_server(panel: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where panel takes sign-ups, the server does not start without the settings that its mail needs."""
    panel("site", "build", "--site-url", URL)
    monkeypatch.setenv("PANEL_NEWSLETTER", "panel")
    assert "smtp_url: not set" in panel("serve", "--public", "--port", 0).err
    monkeypatch.setenv("PANEL_SMTP_URL", "smtp://127.0.0.1:1")
    assert "mail_from: not set" in panel("serve", "--public", "--port", 0).err
    monkeypatch.setenv("PANEL_MAIL_FROM", "digest@reviews.example")
    assert "site_url: not set" in panel("serve", "--public", "--port", 0).err
