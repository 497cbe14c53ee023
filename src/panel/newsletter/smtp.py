"""Mail is handed to a server here, and nowhere else."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import contextmanager
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, make_msgid
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from panel.core.base import Frozen
from panel.errors import PanelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from email.policy import EmailPolicy, Policy

    from panel.core.mail import Message

SECONDS = 30
"""What a mail server may take to answer."""

CLOSING, FOR_GOOD = 421, 500
"""Replies of RFC 5321, section 4.2: the server hangs up; it is no use to try again."""


class MailRefused(PanelError):
    """The server takes no mail for this address."""

    exit_code = 75


class MailPutOff(PanelError):
    """The server takes mail for this address later, perhaps."""

    exit_code = 75


class MailDown(PanelError):
    """The server cannot be reached, or takes no mail at all."""

    exit_code = 75


class Post(Frozen):
    """Where mail is handed over, and from whom it is.

    Attributes:
        url: `smtp://USER@HOST:PORT`, or `smtps://`.
        password: of that user; empty if there is none.
        name: who it is from, as people read it.
        sender: their address.
    """

    url: str
    password: str = ""
    name: str
    sender: str


class Line:
    """An open line to a mail server.

    Args:
        server: the server.
        post: from whom mail is.
    """

    def __init__(self, server: smtplib.SMTP, post: Post) -> None:
        self._server = server
        self._post = post

    def send(self, message: Message, at: datetime) -> None:
        """Hand over a message.

        Args:
            message: the message.
            at: the time that it bears.

        Raises:
            MailRefused: the server does not want it for this address.
            MailPutOff: it may want it later.
            MailDown: the server is gone, or wants no mail at all.
        """
        try:
            self._server.send_message(_composed(message, self._post, at), self._post.sender, [message.to])
        except smtplib.SMTPRecipientsRefused as error:
            raise _refusal(self._post, message.to, *error.recipients[message.to]) from error
        except smtplib.SMTPDataError as error:
            raise _refusal(self._post, message.to, error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, OSError) as error:
            raise MailDown(_down(self._post, error)) from error


@contextmanager
def line_to(post: Post) -> Iterator[Line]:
    """Open a line to a mail server: encrypted where the server offers it, and always with a password.

    Raises:
        MailDown: it cannot be reached, or does not let us in.
    """
    server = _dialled(post)
    try:
        _let_in(server, post)
        yield Line(server, post)
    finally:
        _hang_up(server)


def _dialled(post: Post) -> smtplib.SMTP:
    parts = urlsplit(post.url)
    host, port = parts.hostname or "", parts.port or 0
    try:
        if parts.scheme == "smtps":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
        return smtplib.SMTP(host, port, timeout=SECONDS)
    except (smtplib.SMTPException, OSError) as error:
        raise MailDown(_down(post, error)) from error


def _let_in(server: smtplib.SMTP, post: Post) -> None:
    user = unquote(urlsplit(post.url).username or "")
    encrypted = isinstance(server, smtplib.SMTP_SSL)
    try:
        server.ehlo_or_helo_if_needed()
        if not encrypted and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
            encrypted = True
        if user and encrypted:
            server.login(user, post.password)
    except (smtplib.SMTPException, OSError) as error:
        raise MailDown(_down(post, error)) from error
    if user and not encrypted:
        raise MailDown(
            f"{_place(post)} offers no encryption, so that the password is not sent; use smtps:// or another server"
        )


def _hang_up(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()


def _composed(message: Message, post: Post, at: datetime) -> EmailMessage:
    made = EmailMessage(_policy())
    made["Subject"] = " ".join(message.subject.split())
    made["From"] = formataddr((post.name, post.sender))
    made["To"] = message.to
    made["Date"] = format_datetime(at)
    made["Message-ID"] = make_msgid(domain=post.sender.rpartition("@")[2])
    made["Auto-Submitted"] = "auto-generated"
    if message.leave:
        made["List-Unsubscribe"] = f"<{message.leave}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    # Not every server takes letters beyond ASCII as they are.
    made.set_content(message.text, cte="quoted-printable")
    if message.html:
        made.add_alternative(message.html, subtype="html", cte="quoted-printable")
    return made


class _Whole(UnstructuredHeader, BaseHeader):
    """A header on one line, however long: mail programs find no address in an encoded one (RFC 8058, RFC 2369)."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _policy() -> EmailPolicy[EmailMessage]:
    headers = HeaderRegistry()
    headers.map_to_type("list-unsubscribe", _Whole)
    return SMTP.clone(header_factory=headers)


def _refusal(post: Post, to: str, code: int, words: bytes | str) -> PanelError:
    why = _why(code, words)
    if code == CLOSING:
        return MailDown(f"{_place(post)}: {why}")
    return MailRefused(f"{to}: {why}") if code >= FOR_GOOD else MailPutOff(f"{to}: {why}")


def _down(post: Post, error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        why = _why(error.smtp_code, error.smtp_error)
    else:
        why = (error.strerror if isinstance(error, OSError) and error.strerror else str(error)) or "no answer"
    return f"{_place(post)}: {why}"


def _place(post: Post) -> str:
    return f"the mail server {urlsplit(post.url).netloc.rpartition('@')[2]}"


def _why(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {' '.join(text.split())}"
