"""An issue of the newsletter on its way: to everybody who confirmed, each once, however often the send is stopped."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from panel.cli.mailing import mail_secret, post_of
from panel.domain.mail import Message, mail_address
from panel.domain.subscription import leave_token
from panel.errors import RunStopped, SettingsError
from panel.mail import MailDown, MailRefused, line_to
from panel.report.digest import digest_html, digest_text

if TYPE_CHECKING:
    from panel.report.digest import Issue
    from panel.settings.resolve import Resolved
    from panel.store import Store

AGAIN = "whoever got the issue does not get it again; run the same command once the server is back"


class Sent(NamedTuple):
    """What became of an issue.

    Attributes:
        delivered: addresses that it was sent to.
        refused: addresses that the server does not take mail for, each with its reason.
    """

    delivered: int
    refused: list[str]


def send_test(resolved: Resolved, issue: Issue, to: str) -> Sent:
    """Mail an issue to one address.

    Raises:
        SettingsError: it is no address.
        MailRefused: the server takes no mail for it.
        MailDown: it takes no mail at all.
    """
    try:
        address = mail_address(to)
    except ValueError as error:
        raise SettingsError(f"--test {to}: {error}") from None
    with line_to(post_of(resolved)) as line:
        line.send(_message(issue, address, ""), datetime.now(UTC))
    return Sent(1, [])


async def send_issue(resolved: Resolved, store: Store, issue: Issue) -> Sent:
    """Mail an issue to everybody who confirmed and did not get it yet.

    Each is marked before the next one is sent: who is sent what twice is at most the one at whom a crash came in between.

    Raises:
        RunStopped: the server takes no more mail; run it again later.
        StorageError: the store does not answer.
    """
    secret, post = mail_secret(resolved), post_of(resolved)
    count, last, refused = 0, 0, list[str]()
    try:
        with ExitStack() as open_:
            line = None
            while page := await store.unsent(issue.week, after=last):
                line = line or open_.enter_context(line_to(post))
                for one in page:
                    leave = f"{issue.url}/newsletter/leave?token={leave_token(secret, one)}"
                    try:
                        line.send(_message(issue, one.mail, leave), datetime.now(UTC))
                        count += 1
                    except MailRefused as error:
                        refused.append(str(error))
                    await store.mark_sent(one.id, issue.week)
                last = page[-1].id
    except MailDown as error:
        raise RunStopped(f"{error}; {count} sent so far; {AGAIN}") from error
    return Sent(count, refused)


def _message(issue: Issue, to: str, leave: str) -> Message:
    return Message(
        to=to,
        subject=issue.title,
        text=digest_text(issue, leave),
        html=digest_html(issue, leave),
        leave=leave,
    )
