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
from publishing import make_review, publish

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
    """A mail server and the settings for it."""
    server = MailServer()
    monkeypatch.setenv("PANEL_SMTP_URL", server.url)
    monkeypatch.setenv("PANEL_MAIL_FROM", "digest@reviews.example")
    monkeypatch.setenv("PANEL_SITE_URL", URL)
    monkeypatch.setenv("PANEL_NEWSLETTER", "panel")
    yield server
    server.close()


@pytest.fixture
def next_week(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is in the week after the reviews were published."""
    monkeypatch.setattr("panel.cli.newsletter._now", lambda: datetime.now(UTC) + timedelta(days=7))


@pytest.fixture
def filled(database: Path) -> Path:
    """The user's database: two reviews of this week, three confirmed subscribers, one pending and one who left."""

    async def fill() -> None:
        database.parent.mkdir(parents=True, exist_ok=True)
        async with open_store(database) as store:
            await publish(store, make_review("Lantern", tagline="Reads <logs>"), make_review("Sextant"))
            for address in READERS:
                await store.subscribers.confirm((await store.subscribers.request(address)).id)
            await store.subscribers.request("pending@example.org")
            gone = await store.subscribers.request("gone@example.org")
            await store.subscribers.confirm(gone.id)
            await store.subscribers.leave(gone.id)

    asyncio.run(fill())
    return database


def test_an_issue_is_written_as_html_and_text(
    panel: Callable[..., Ran], mail: MailServer, tmp_path: Path
) -> None:
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
    """Each mail has its own link to unsubscribe; a second send sends nothing."""
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


def test_mail_programs_find_the_link_to_unsubscribe(panel: Callable[..., Ran], mail: MailServer) -> None:
    """It is in one unencoded header line; the mail is ASCII, with short lines in its body."""
    panel("digest", "--week", THIS_WEEK, "--send")
    head, _, body = mail.raw[0].partition(b"\r\n\r\n")
    [way] = [line for line in head.split(b"\r\n") if line.startswith(b"List-Unsubscribe: ")]
    assert way.startswith(f"List-Unsubscribe: <{URL}/newsletter/leave?token=".encode())
    assert way.endswith(b">")
    assert mail.raw[0].isascii()
    assert max(map(len, body.split(b"\r\n"))) <= 78


def test_a_week_that_is_not_over_is_not_sent(
    panel: Callable[..., Ran], mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only as a test."""
    monkeypatch.setattr("panel.cli.newsletter._now", lambda: datetime.now(UTC))
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 2
    assert f"--week {THIS_WEEK}: is not over before" in ran.err
    assert mail.got == []
    assert panel("digest", "--week", THIS_WEEK, "--test", "editor@reviews.example").code == 0


def test_a_stopped_send_continues(panel: Callable[..., Ran], mail: MailServer) -> None:
    """Exit code 75; nobody gets the issue twice."""
    mail.most = 1
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 75
    assert "1 sent so far; readers who got the issue do not get it again" in ran.err
    mail.most = None
    assert panel("digest", "--week", THIS_WEEK, "--send").code == 0
    assert sorted(mail.to()) == sorted(READERS)


def test_a_refused_address_is_skipped(panel: Callable[..., Ran], mail: MailServer) -> None:
    """Exit code 3."""
    mail.refused = {"ada@example.org": "550 nobody of that name"}
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 3
    assert "Refused: ada@example.org: 550 nobody of that name" in ran.out
    assert sorted(mail.to()) == ["kim@example.org", "lee@example.org"]


def test_a_deferred_mail_is_sent_by_the_next_command(panel: Callable[..., Ran], mail: MailServer) -> None:
    """Exit code 75."""
    mail.refused = {"kim@example.org": "450 come back later"}
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 75
    assert "2 sent so far; deferred kim@example.org: 450 come back later" in ran.err
    mail.refused = {}
    assert panel("digest", "--week", THIS_WEEK, "--send").code == 0
    assert sorted(mail.to()) == sorted(READERS)


def test_a_mail_that_is_refused_after_reading_is_skipped(panel: Callable[..., Ran], mail: MailServer) -> None:
    mail.refused_later = {"kim@example.org"}
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 3
    assert "Refused: kim@example.org: 550 not like this" in ran.out
    assert sorted(mail.to()) == ["ada@example.org", "lee@example.org"]


def test_refusals_are_reported_when_a_send_stops(panel: Callable[..., Ran], mail: MailServer) -> None:
    mail.refused = {"kim@example.org": "550 nobody of that name"}
    mail.most = 0
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 75
    assert "0 sent so far; refused kim@example.org: 550 nobody of that name" in ran.err


def test_a_tool_reviewed_twice_is_in_the_issue_once(
    panel: Callable[..., Ran], filled: Path, mail: MailServer
) -> None:
    """With the review that is on the site."""

    async def again() -> None:
        async with open_store(filled) as store:
            await publish(store, make_review("Lantern", 20, 30, 40))

    asyncio.run(again())
    issue = json.loads(panel("digest", "--week", THIS_WEEK, "--json").out)
    assert issue["reviews"] == 2
    assert "Lantern — Skip · 0 ship / 3 skip" in Path(issue["files"][1]).read_text()
    assert mail.got == []


def test_a_test_goes_to_one_address(panel: Callable[..., Ran], mail: MailServer) -> None:
    """It counts for nobody, and has no link to unsubscribe."""
    assert panel("digest", "--week", THIS_WEEK, "--test", "editor@reviews.example").code == 0
    assert mail.to() == ["editor@reviews.example"]
    assert mail.got[0][1]["List-Unsubscribe"] is None
    assert "Sent to 3 addresses." in panel("digest", "--week", THIS_WEEK, "--send").out


def test_a_week_without_reviews_has_no_issue(
    panel: Callable[..., Ran], mail: MailServer, tmp_path: Path
) -> None:
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
def test_invalid_options_are_refused(
    panel: Callable[..., Ran], mail: MailServer, words: tuple[str, ...], line: str
) -> None:
    ran = panel("digest", *words)
    assert ran.code == 2
    assert line in ran.err
    assert mail.got == []


def test_missing_settings_are_named(
    panel: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No file is written."""
    assert "site_url: not set" in panel("digest").err
    monkeypatch.setenv("PANEL_SITE_URL", URL)
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert (ran.code, list(tmp_path.iterdir())) == (2, [])
    assert "smtp_url: not set" in ran.err


@pytest.mark.usefixtures("mail")
def test_an_unreachable_mail_server_stops_the_send(
    panel: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message has no user and no password."""
    monkeypatch.setenv("PANEL_SMTP_URL", "smtp://user@127.0.0.1:1")
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 75
    assert "the mail server 127.0.0.1:1: Connection refused" in ran.err
    assert "user" not in ran.err


def test_a_password_is_not_sent_in_clear(
    panel: Callable[..., Ran], mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PANEL_SMTP_URL", mail.url.replace("smtp://", "smtp://user@"))
    monkeypatch.setenv("PANEL_SMTP_PASSWORD", "secret")
    ran = panel("digest", "--week", THIS_WEEK, "--send")
    assert ran.code == 75
    assert "offers no encryption" in ran.err
    assert mail.got == []


def test_subscribers_are_listed_exported_and_deleted(panel: Callable[..., Ran], tmp_path: Path) -> None:
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
