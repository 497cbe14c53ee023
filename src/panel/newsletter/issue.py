"""An issue of the newsletter: the reviews of a week, as HTML that loads nothing and as plain text, mailed to each subscriber once."""

from __future__ import annotations

import re
import textwrap
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import PackageLoader

from panel.atomic_files import write_whole
from panel.core.frozen import Frozen
from panel.core.review import PanelReview
from panel.core.text import one_line
from panel.errors import RunStopped, StorageError
from panel.newsletter.mail import MailDeferred, MailMessage, MailRefused, MailServerDown, connect
from panel.newsletter.subscribers import leave_token
from panel.report.html import environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from jinja2 import Environment

    from panel.newsletter.mail import MailServer
    from panel.store import Publication, Store, Subscriber

LINE_CHARS = 76
EXCERPT_CHARS = 220
RESUME = "readers who got the issue do not get it again; run the same command once the mail server is back"


class Week(NamedTuple):
    """A week of ISO 8601, from Monday to Sunday in UTC."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Week:
        """Return the week of a text such as `2026-W47`.

        Raises:
            ValueError: there is no such week.
        """
        found = re.fullmatch(r"(\d{4})-W(\d{2})", text)
        if not found:
            raise ValueError("expected a week, such as 2026-W47")
        week = cls(int(found[1]), int(found[2]))
        try:
            date.fromisocalendar(week.year, week.number, 1)
        except ValueError as error:
            weeks = date(week.year, 12, 28).isocalendar().week  # that day is always in the last week
            raise ValueError(f"there is no such week; {week.year} has weeks W01 to W{weeks}") from error
        return week

    @classmethod
    def last_before(cls, moment: datetime) -> Week:
        """Return the last week that had ended at a time."""
        year, number, _ = (moment.astimezone(UTC) - timedelta(days=7)).isocalendar()
        return cls(year, number)

    @property
    def end(self) -> date:
        """The Monday after it."""
        return date.fromisocalendar(self.year, self.number, 1) + timedelta(days=7)

    def __str__(self) -> str:
        return f"{self.year:04}-W{self.number:02}"

    def includes(self, moment: datetime) -> bool:
        """Return whether a time is in the week."""
        return moment.astimezone(UTC).isocalendar()[:2] == (self.year, self.number)


class IssueItem(Frozen):
    """A review in an issue, with the editor who approved it and the address of its page."""

    review: PanelReview
    approved_by: str
    href: str

    @property
    def name(self) -> str:
        """The tool's name."""
        return one_line(self.review.tool.name)


class Issue(Frozen):
    """An issue of the newsletter of a site.

    `week` is such as `2026-W47`, `url` the address of the site without a slash at its end. The latest review comes first.
    """

    site: str
    week: str
    url: str
    items: tuple[IssueItem, ...]

    @property
    def title(self) -> str:
        """Its subject: `Panel reviews, 2026-W47: SmolLM3, SkillClaw and 3 more`."""
        names = [item.name for item in self.items]
        more = len(names) - 2
        listed = f"{', '.join(names[:2])} and {more} more" if more > 0 else " and ".join(names)
        return f"{self.site}, {self.week}: {listed}"


class SendResult(NamedTuple):
    """Number of messages that were sent, and refused addresses with the server's reasons."""

    delivered: int
    refused: list[str]


async def read_issue(store: Store, week: Week, *, url: str, site: str) -> Issue:
    """Return the issue of a week: the reviews that were published in it and are still on the site.

    Raises:
        StorageError: a review was altered.
    """
    latest: dict[str, Publication] = {}
    last = 0
    while page := await store.publications.live(after=last):
        for one in page:
            # The site shows the latest review of a tool.
            name = one.shown.review.tool.canonical
            latest[name] = max(latest.get(name, one), one, key=lambda review: review.at)
        last = page[-1].draft
    found = [one for one in latest.values() if week.includes(one.at)]
    found.sort(key=lambda one: one.at, reverse=True)
    items = []
    for one in found:
        review = one.shown.review
        href = f"{url}/tools/{review.tool.slug}/"
        items.append(IssueItem(review=review, approved_by=one.approved_by, href=href))
    return Issue(site=site, week=str(week), url=url, items=tuple(items))


def write_issue(issue: Issue, folder: Path) -> list[Path]:
    """Write an issue as HTML and as text, and return the two files.

    Raises:
        StorageError: a file cannot be written.
    """
    stem = f"digest-{issue.week}"
    texts = {folder / f"{stem}.html": issue_html(issue), folder / f"{stem}.txt": issue_text(issue)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            write_whole(file, text)
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror}; choose another folder with --out") from error
    return list(texts)


def send_test(server: MailServer, issue: Issue, to: str) -> SendResult:
    """Mail an issue to one address.

    Raises:
        MailError: the server does not take it.
    """
    with connect(server) as send:
        send(_message(issue, to, leave=""))
    return SendResult(1, [])


async def send_issue(server: MailServer, key: bytes, store: Store, issue: Issue) -> SendResult:
    """Mail an issue to every confirmed subscriber who has not got it yet; `key` signs the links to unsubscribe.

    A subscriber is reserved before the message is sent, and released if the server does not take it: nobody gets an issue twice, even
    from two commands at once, and a crash in between costs one reader the issue.

    Raises:
        RunStopped: the server takes no more mail, or deferred a message; run the command again later.
        StorageError: the store cannot be used.
    """
    subscribers, delivered = store.subscribers, 0
    refused: list[str] = []
    deferred: list[str] = []
    if not await subscribers.due(issue.week, limit=1):
        return SendResult(0, [])
    try:
        with connect(server) as send:
            async for subscriber in _reserve_each(store, issue.week):
                leave = f"{issue.url}/newsletter/leave?token={leave_token(key, subscriber)}"
                try:
                    send(_message(issue, subscriber.mail, leave))
                    delivered += 1
                except MailRefused as error:
                    refused.append(str(error))
                except MailDeferred as error:
                    await subscribers.release(subscriber)
                    deferred.append(str(error))
                except MailServerDown:
                    await subscribers.release(subscriber)
                    raise
    except MailServerDown as error:
        raise _stopped(delivered, refused, deferred, str(error)) from error
    if deferred:
        raise _stopped(delivered, refused, deferred)
    return SendResult(delivered, refused)


async def _reserve_each(store: Store, week: str) -> AsyncIterator[Subscriber]:
    last = 0
    while page := await store.subscribers.due(week, after=last):
        for subscriber in page:
            if await store.subscribers.reserve(subscriber, week):  # else another process sends it
                yield subscriber
        last = page[-1].id


def _stopped(delivered: int, refused: list[str], deferred: list[str], *reasons: str) -> RunStopped:
    outcomes = [*(f"refused {line}" for line in refused), *(f"deferred {line}" for line in deferred)]
    return RunStopped("; ".join([*reasons, f"{delivered} sent so far", *outcomes, RESUME]))


def issue_html(issue: Issue, leave: str = "") -> str:
    """Return an issue as HTML, with a link to unsubscribe if one is given."""
    return _environment().get_template("issue.html.j2").render(issue=issue, leave=leave)


def issue_text(issue: Issue, leave: str = "") -> str:
    """Return an issue as text with at most 76 characters a line, addresses aside."""
    return _environment().get_template("issue.txt.j2").render(issue=issue, leave=leave)


def _message(issue: Issue, to: str, leave: str) -> MailMessage:
    text, html = issue_text(issue, leave), issue_html(issue, leave)
    return MailMessage(to=to, subject=issue.title, text=text, html=html, leave=leave)


@cache
def _environment() -> Environment:
    made = environment(PackageLoader("panel", "newsletter/templates"))
    made.filters["wrap"] = _wrap
    made.globals |= {"line_chars": LINE_CHARS, "excerpt_chars": EXCERPT_CHARS}
    return made


def _wrap(text: str, indent: str = "") -> str:
    lines = textwrap.wrap(text, LINE_CHARS - len(indent), break_long_words=False, break_on_hyphens=False)
    return "\n".join(indent + line for line in lines)
