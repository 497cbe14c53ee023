"""An issue of the newsletter on its way: to everybody who confirmed, each once, however often the send is stopped."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from panel.cli.mailing import mail_secret, post_of
from panel.core.mail import Message
from panel.errors import RunStopped
from panel.newsletter.issue import digest_html, digest_text
from panel.newsletter.links import leave_token
from panel.newsletter.smtp import MailDown, MailPutOff, MailRefused, line_to

if TYPE_CHECKING:
    from panel.newsletter.issue import Issue
    from panel.newsletter.smtp import Line
    from panel.settings.resolve import Resolved
    from panel.store import Store, Subscriber

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
        MailRefused: the server takes no mail for it.
        MailDown: it takes no mail at all.
    """
    with line_to(post_of(resolved)) as line:
        line.send(_message(issue, to, ""), datetime.now(UTC))
    return Sent(1, [])


async def send_issue(resolved: Resolved, store: Store, issue: Issue) -> Sent:
    """Mail an issue to everybody who confirmed and did not get it yet.

    Each is marked before the mail is handed over, and the mark is taken back if the server does not take it: nobody gets an issue twice, also
    from two commands at once; a crash in between costs one reader the issue.

    Raises:
        RunStopped: the server takes no more mail, or put somebody off; run it again later.
        StorageError: the store does not answer.
    """
    letters, last = _Letters(resolved, store, issue), 0
    try:
        with ExitStack() as open_:
            line = None
            while page := await store.subscribers.due(issue.week, after=last):
                line = line or open_.enter_context(line_to(post_of(resolved)))
                for one in page:
                    await letters.send(line, one)
                last = page[-1].id
    except MailDown as error:
        raise RunStopped("; ".join([str(error), *letters.told(), AGAIN])) from error
    if letters.put_off:
        raise RunStopped("; ".join([*letters.told(), AGAIN]))
    return Sent(letters.delivered, letters.refused)


class _Letters:
    """What became of an issue so far."""

    def __init__(self, resolved: Resolved, store: Store, issue: Issue) -> None:
        self._secret = mail_secret(resolved)
        self._store = store
        self._issue = issue
        self.delivered = 0
        self.refused: list[str] = []
        self.put_off: list[str] = []

    async def send(self, line: Line, one: Subscriber) -> None:
        """Mail the issue to somebody, unless another process does."""
        if not await self._store.subscribers.reserve(one, self._issue.week):
            return
        leave = f"{self._issue.url}/newsletter/leave?token={leave_token(self._secret, one)}"
        try:
            line.send(_message(self._issue, one.mail, leave), datetime.now(UTC))
        except MailRefused as error:
            self.refused.append(str(error))
        except MailPutOff as error:
            self.put_off.append(str(error))
            await self._store.subscribers.release(one)
        except MailDown:
            await self._store.subscribers.release(one)
            raise
        else:
            self.delivered += 1

    def told(self) -> list[str]:
        """Return what became of it, in words."""
        lines = [f"{self.delivered} sent so far"]
        lines += [f"refused {line}" for line in self.refused]
        return [*lines, *(f"put off {line}" for line in self.put_off)]


def _message(issue: Issue, to: str, leave: str) -> Message:
    return Message(
        to=to,
        subject=issue.title,
        text=digest_text(issue, leave),
        html=digest_html(issue, leave),
        leave=leave,
    )
