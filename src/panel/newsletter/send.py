"""Sending an issue: to every confirmed subscriber, once each, however often the command is stopped and repeated."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from panel.errors import RunStopped
from panel.newsletter.issue import issue_html, issue_text
from panel.newsletter.links import leave_link
from panel.newsletter.mail import MailDeferred, MailMessage, MailRefused, MailServerDown, connect

if TYPE_CHECKING:
    from panel.newsletter.issue import Issue
    from panel.newsletter.mail import MailConnection, MailServer
    from panel.store import Store, Subscriber

RESUME = "readers who got the issue do not get it again; run the same command once the mail server is back"


class SendResult(NamedTuple):
    """Number of messages that were sent, and refused addresses with the server's reasons."""

    delivered: int
    refused: list[str]


def send_test(server: MailServer, issue: Issue, to: str) -> SendResult:
    """Mail an issue to one address.

    Raises:
        MailRefused: the server takes no mail for it.
        MailDeferred: the server may take it later.
        MailServerDown: the server takes no mail at all.
    """
    with connect(server) as connection:
        connection.send(_message(issue, to, ""), datetime.now(UTC))
    return SendResult(1, [])


async def send_issue(server: MailServer, key: bytes, store: Store, issue: Issue) -> SendResult:
    """Mail an issue to every confirmed subscriber who has not got it yet.

    A subscriber is reserved before the message is sent, and released if the server does not take it: nobody gets an issue twice, even
    from two commands at once, and a crash in between costs one reader the issue.

    Args:
        server: sends the messages.
        key: signs the links to unsubscribe.
        store: has the subscribers.
        issue: what is sent.

    Raises:
        RunStopped: the server takes no more mail, or deferred a message; run the command again later.
        StorageError: the store cannot be used.
    """
    sending, last = _Sending(key, store, issue), 0
    try:
        with ExitStack() as stack:
            connection = None
            while page := await store.subscribers.due(issue.week, after=last):
                connection = connection or stack.enter_context(connect(server))
                for subscriber in page:
                    await sending.send(connection, subscriber)
                last = page[-1].id
    except MailServerDown as error:
        raise RunStopped("; ".join([str(error), *sending.progress(), RESUME])) from error
    if sending.deferred:
        raise RunStopped("; ".join([*sending.progress(), RESUME]))
    return SendResult(sending.delivered, sending.refused)


class _Sending:
    """Progress of sending an issue."""

    def __init__(self, key: bytes, store: Store, issue: Issue) -> None:
        self._key = key
        self._subscribers = store.subscribers
        self._issue = issue
        self.delivered = 0
        self.refused: list[str] = []
        self.deferred: list[str] = []

    async def send(self, connection: MailConnection, subscriber: Subscriber) -> None:
        if not await self._subscribers.reserve(subscriber, self._issue.week):
            return  # another process sends it
        leave = leave_link(self._issue.url, self._key, subscriber)
        try:
            connection.send(_message(self._issue, subscriber.mail, leave), datetime.now(UTC))
        except MailRefused as error:
            self.refused.append(str(error))
        except MailDeferred as error:
            self.deferred.append(str(error))
            await self._subscribers.release(subscriber)
        except MailServerDown:
            await self._subscribers.release(subscriber)
            raise
        else:
            self.delivered += 1

    def progress(self) -> list[str]:
        refused = [f"refused {line}" for line in self.refused]
        return [f"{self.delivered} sent so far", *refused, *(f"deferred {line}" for line in self.deferred)]


def _message(issue: Issue, to: str, leave: str) -> MailMessage:
    return MailMessage(
        to=to,
        subject=issue.title,
        text=issue_text(issue, leave),
        html=issue_html(issue, leave),
        leave=leave,
    )
