from __future__ import annotations

import asyncio
import csv
import io
import json
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller

from panel.store import open_store
from publishing import published, spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cli.conftest import Ran

URL = "https://reviews.example"
pytestmark = pytest.mark.usefixtures("filled", "next_week")

THIS_WEEK = "{0[0]:04}-W{0[1]:02}".format(datetime.now(UTC).isocalendar())
READERS = ("kim@example.org", "ada@example.org", "lee@example.org")


class Listening(Controller):
    """Listens at any port that is free."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # it has no types


class MailServer:
    """A mail server on loopback that keeps what it gets.

    Attributes:
        refused: addresses that it takes no mail for, with its replies.
        refused_later: addresses whose mail it refuses once it has read it.
        most: mails after which it hangs up; None for never.
    """

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.raw: list[bytes] = []
        self.refused: dict[str, str] = {}
        self.refused_later: set[str] = set()
        self.most: int | None = None
        self._controller = Listening(self, hostname="127.0.0.1", port=0)
        self._controller.start()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._controller.port}"

    async def handle_RCPT(  # noqa: N802 - its name in aiosmtpd
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - likewise
        if self.most is not None and len(self.got) >= self.most:
            return "421 closing down"
        if self.refused_later.intersection(envelope.rcpt_tos):
            return "550 not like this"
        self.raw.append(envelope.content)
        self.got.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=default)))
        return "250 OK"

    def to(self) -> list[str]:
        return [address for addresses, _ in self.got for address in addresses]

    def close(self) -> None:
        self._controller.stop()


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A mail server, and the settings that lead there."""
    server = MailServer()
    monkeypatch.setenv("PANEL_SMTP_URL", server.url)
    monkeypatch.setenv("PANEL_MAIL_FROM", "digest@reviews.example")
    monkeypatch.setenv("PANEL_SITE_URL", URL)
    monkeypatch.setenv("PANEL_NEWSLETTER", "panel")
    yield server
    server.close()


@pytest.fixture
def next_week(monkeypatch: pytest.MonkeyPatch) -> None:
    """The week in which the reviews were published is over."""
    monkeypatch.setattr("panel.cli.newsletter._now", lambda: datetime.now(UTC) + timedelta(days=7))


@pytest.fixture
def filled(database: Path) -> Path:
    """The user's database: two reviews of this week, three who confirmed, one who did not and one who left."""

    async def fill() -> None:
        database.parent.mkdir(parents=True, exist_ok=True)
        async with open_store(database) as store:
            await published(store, spoken("Lantern", tagline="Reads <logs>"), spoken("Sextant"))
            for address in READERS:
                await store.subscribers.confirm((await store.subscribers.request(address)).id)
            await store.subscribers.request("pending@example.org")
            gone = await store.subscribers.request("gone@example.org")
            await store.subscribers.confirm(gone.id)
            await store.subscribers.leave(gone.id)

    asyncio.run(fill())
    return database


def test_an_issue_is_made(panel: Callable[..., Ran], mail: MailServer, tmp_path: Path) -> None:
    """The week's reviews become one file of HTML and one of text; nothing is sent."""
    ran = panel("digest", "--week", THIS_WEEK, "--out", "issues")
    assert ran.code == 0
    text = (tmp_path / "issues" / f"digest-{THIS_WEEK}.txt").read_text()
    for expected in (
        "Sextant — Ship · 3 ship / 2 skip",
        "Builder (AI persona), 70/100 · ship",
        "Approved by Kim.",
        f"{URL}/tools/lantern/",
    ):
        assert expected in text, expected
    assert all(len(line) <= 76 for line in text.splitlines() if URL not in line)
    page = (tmp_path / "issues" / f"digest-{THIS_WEEK}.html").read_text()
    assert "Reads &lt;logs&gt;" in page
    assert "<img" not in page
    assert mail.got == []


def test_an_issue_goes_to_everybody_who_confirmed_once(panel: Callable[..., Ran], mail: MailServer) -> None:
    """Each confirmed reader gets one mail with a way out of their own, and a second send sends nothing."""
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 0, ran.err
    assert "Sent to 3 addresses." in ran.out
    assert sorted(mail.to()) == sorted(READERS)
    ways = {message["List-Unsubscribe"] for _, message in mail.got}
    assert len(ways) == 3
    _, first = mail.got[0]
    assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert first["From"] == "Panel reviews <digest@reviews.example>"
    assert first["Message-ID"].endswith("@reviews.example>")
    assert [part.get_content_type() for part in first.iter_parts()] == ["text/plain", "text/html"]
    assert first["List-Unsubscribe"].strip("<>") in first.get_body(("plain",)).get_content().replace(
        "=\n", ""
    )
    assert json.loads(panel("digest", "--week", THIS_WEEK, "--send", "--json").out)["sent"] == 0
    assert len(mail.got) == 3


def test_mail_programs_find_the_way_out(panel: Callable[..., Ran], mail: MailServer) -> None:
    """The address by which a reader leaves stands in one unencoded line of the header, and the whole mail is ASCII with short lines below it."""
    panel("digest", "--week", THIS_WEEK, "--send")
    head, _, body = mail.raw[0].partition(b"\r\n\r\n")
    [way] = [line for line in head.split(b"\r\n") if line.startswith(b"List-Unsubscribe: ")]
    assert way.startswith(f"List-Unsubscribe: <{URL}/newsletter/leave?token=".encode())
    assert way.endswith(b">")
    assert mail.raw[0].isascii()
    assert max(map(len, body.split(b"\r\n"))) <= 78


def test_a_week_that_goes_on_is_not_sent(
    panel: Callable[..., Ran], mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An issue of a week that is not over is refused, because who got it would miss what comes; a test of it is sent."""
    monkeypatch.setattr("panel.cli.newsletter._now", lambda: datetime.now(UTC))
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 2
    assert f"--week {THIS_WEEK}: is not over before" in ran.err
    assert mail.got == []
    assert panel("digest", "--week", THIS_WEEK, "--test", "editor@reviews.example").code == 0


def test_a_send_that_was_stopped_goes_on(panel: Callable[..., Ran], mail: MailServer) -> None:
    """When the server hangs up, the command ends with 75 and says how to go on; nobody gets the issue twice."""
    mail.most = 1
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 75
    assert "1 sent so far; readers who got the issue do not get it again" in ran.err
    mail.most = None
    assert panel("digest", "--week", THIS_WEEK, "--send").code == 0
    assert sorted(mail.to()) == sorted(READERS)


def test_a_refused_address_holds_nobody_up(panel: Callable[..., Ran], mail: MailServer) -> None:
    """An address that the server does not take is told, exit code 3, and everybody else gets the issue."""
    mail.refused = {"ada@example.org": "550 nobody of that name"}
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 3
    assert "Refused: ada@example.org: 550 nobody of that name" in ran.out
    assert sorted(mail.to()) == ["kim@example.org", "lee@example.org"]


def test_an_address_that_is_put_off_gets_it_later(panel: Callable[..., Ran], mail: MailServer) -> None:
    """An address that the server puts off is told, exit code 75, and gets the issue when the command is run again; nobody else does."""
    mail.refused = {"kim@example.org": "450 come back later"}
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 75
    assert "2 sent so far; deferred kim@example.org: 450 come back later" in ran.err
    mail.refused = {}
    assert panel("digest", "--week", THIS_WEEK, "--send").code == 0
    assert sorted(mail.to()) == sorted(READERS)


def test_a_mail_that_is_refused_holds_nobody_up(panel: Callable[..., Ran], mail: MailServer) -> None:
    """A mail that the server refuses once it has read it is told, and everybody behind it gets the issue."""
    mail.refused_later = {"kim@example.org"}
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 3
    assert "Refused: kim@example.org: 550 not like this" in ran.out
    assert sorted(mail.to()) == ["ada@example.org", "lee@example.org"]


def test_refusals_are_told_when_a_send_stops(panel: Callable[..., Ran], mail: MailServer) -> None:
    """What was refused before the server hung up is told with that."""
    mail.refused = {"kim@example.org": "550 nobody of that name"}
    mail.most = 0
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 75
    assert "0 sent so far; refused kim@example.org: 550 nobody of that name" in ran.err


def test_a_tool_reviewed_twice_is_in_the_issue_once(
    panel: Callable[..., Ran], filled: Path, mail: MailServer
) -> None:
    """Of a tool that was reviewed twice in a week the issue has the review that is on the site."""

    async def again() -> None:
        async with open_store(filled) as store:
            await published(store, spoken("Lantern", 20, 30, 40))

    asyncio.run(again())
    told = json.loads(panel("digest", "--week", THIS_WEEK, "--json").out)
    assert told["reviews"] == 2
    assert "Lantern — Skip · 0 ship / 3 skip" in Path(told["files"][1]).read_text()
    assert mail.got == []


def test_a_test_goes_to_one_address(panel: Callable[..., Ran], mail: MailServer) -> None:
    """A test goes where it is told to, counts for nobody, and has no way out in it."""
    assert panel("digest", "--week", THIS_WEEK, "--test", "editor@reviews.example").code == 0
    assert mail.to() == ["editor@reviews.example"]
    assert mail.got[0][1]["List-Unsubscribe"] is None
    assert "Sent to 3 addresses." in panel("digest", "--week", THIS_WEEK, "--send").out


def test_a_week_without_reviews_has_no_issue(
    panel: Callable[..., Ran], mail: MailServer, tmp_path: Path
) -> None:
    """A week in which nothing was published makes no file and no mail."""
    ran = panel("digest", "--week", "2020-W01", "--send")
    assert (ran.code, ran.out) == (0, "Nothing was published in 2020-W01; there is no issue.\n")
    assert list(tmp_path.iterdir()) == []
    assert mail.got == []


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--week", "last"), "--week last: expected a week, such as 2026-W47"),
        (("--week", "2025-W53"), "--week 2025-W53: there is no such week; 2025 has weeks W01 to W52"),
        (("--send", "--test", "a@b.example"), "exclude each other"),
        (("--week", THIS_WEEK, "--test", "nobody"), "--test nobody: expected a mail address"),
    ],
)
def test_what_cannot_be_sent_is_told(
    panel: Callable[..., Ran], mail: MailServer, words: tuple[str, ...], line: str
) -> None:
    """A wrong week or address gets one line and exit code 2."""
    ran = panel("digest", *words)
    assert ran.code == 2
    assert line in ran.err
    assert mail.got == []


def test_settings_that_mail_needs_are_told(
    panel: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without the site's address there is no issue; without a mail server none is sent, and no file is written."""
    assert "site_url: not set" in panel("digest").err
    monkeypatch.setenv("PANEL_SITE_URL", URL)
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert (ran.code, list(tmp_path.iterdir())) == (2, [])
    assert "smtp_url: not set" in ran.err


@pytest.mark.usefixtures("mail")
def test_a_server_that_is_away_is_told(panel: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    """A mail server that does not answer ends the send with 75 and its name, without its user or password."""
    monkeypatch.setenv("PANEL_SMTP_URL", "smtp://user@127.0.0.1:1")
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 75
    assert "the mail server 127.0.0.1:1: Connection refused" in ran.err
    assert "user" not in ran.err


def test_a_password_is_not_sent_in_clear(
    panel: Callable[..., Ran], mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a server offers no encryption, nobody signs in."""
    monkeypatch.setenv("PANEL_SMTP_URL", mail.url.replace("smtp://", "smtp://user@"))
    monkeypatch.setenv("PANEL_SMTP_PASSWORD", "secret")
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 75
    assert "offers no encryption" in ran.err
    assert mail.got == []


def test_readers_are_listed_exported_and_forgotten(panel: Callable[..., Ran], tmp_path: Path) -> None:
    """All who asked are listed; those who confirmed are exported; whoever wants it is forgotten."""
    assert "pending@example.org  pending" in panel("subscribers", "list").out
    listed = json.loads(panel("subscribers", "list", "--json").out)
    assert {one["state"] for one in listed} == {"pending", "confirmed", "left"}
    rows = list(csv.DictReader(io.StringIO(panel("subscribers", "export").out)))
    assert [row["mail"] for row in rows] == list(READERS)
    assert panel("subscribers", "export", "readers.csv").code == 0
    assert (tmp_path / "readers.csv").read_bytes().startswith(b'"mail","asked_at"')
    assert (
        panel("subscribers", "forget", "kim@example.org").out == "Deleted everything about kim@example.org.\n"
    )
    assert panel("subscribers", "forget", "kim@example.org").code == 2
    assert panel("subscribers", "forget", "kim").code == 2
