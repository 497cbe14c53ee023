"""Mail messages, and their delivery to a mail server by SMTP."""

from __future__ import annotations

import os
import smtplib
import ssl
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, make_msgid
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from panel.core.addresses import MailAddress
from panel.core.frozen import Frozen
from panel.errors import PanelError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.policy import Policy

    from panel.settings.fields import Settings

PASSWORD = "PANEL_SMTP_PASSWORD"  # noqa: S105 - the name of a variable
TIMEOUT_SECONDS = 30
SHUTTING_DOWN, PERMANENT = 421, 500
"""Replies of RFC 5321, section 4.2: the server closes the connection; from 500 on, failures are permanent."""


class MailError(PanelError):
    """A message was not delivered."""

    exit_code = 75


class MailRefused(MailError):
    """The server takes no mail for this address."""


class MailDeferred(MailError):
    """The server may take mail for this address later."""


class MailServerDown(MailError):
    """The server cannot be reached, or takes no mail at all."""


class MailMessage(Frozen):
    """A mail message, as text and perhaps as HTML; `leave` is the link that unsubscribes its reader, empty if it is no newsletter."""

    to: MailAddress
    subject: str
    text: str
    html: str = ""
    leave: str = ""


class MailServer(Frozen):
    """A mail server, `smtp://USER@HOST:PORT` or `smtps://`, with the password of that user, and the name and address of the sender."""

    url: str
    password: str = ""
    name: str
    sender: str

    @property
    def label(self) -> str:
        """The server in messages, without its user."""
        return f"the mail server {urlsplit(self.url).netloc.rpartition('@')[2]}"


def mail_server(settings: Settings) -> MailServer:
    """Return the configured mail server. Its password is read from the environment.

    Raises:
        SettingsError: a setting is missing, or the password file cannot be read.
    """
    if settings.smtp_url is None:
        raise SettingsError(
            "smtp_url: not set; name the mail server, such as smtp://USER@mail.example.org:587"
        )
    if settings.mail_from is None:
        raise SettingsError("mail_from: not set; name the sender's address, such as digest@example.org")
    password, path = os.environ.get(PASSWORD, ""), os.environ.get(f"{PASSWORD}_FILE", "")
    if path and not password:
        try:
            password = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise SettingsError(f"{PASSWORD}_FILE: {path} cannot be read; name a text file") from error
    url, sender = settings.smtp_url, settings.mail_from
    return MailServer(url=url, password=password, name=settings.site_name, sender=sender)


@contextmanager
def connect(server: MailServer) -> Iterator[Callable[[MailMessage], None]]:
    """Connect to a mail server, encrypted if the server offers it and always before a password is sent; yield a function that sends.

    It raises MailRefused if the server does not take a message for its address, and MailDeferred if it may take it later.

    Raises:
        MailServerDown: the server cannot be reached, refuses the user, or takes no mail at all.
    """
    parts = urlsplit(server.url)
    host, port = parts.hostname or "", parts.port or 0
    context = ssl.create_default_context()
    encrypted, user = parts.scheme == "smtps", unquote(parts.username or "")
    with _server_errors(server):
        smtp = (
            smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
            if encrypted
            else smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
        )
    try:
        with _server_errors(server):
            smtp.ehlo_or_helo_if_needed()
            if not encrypted and smtp.has_extn("starttls"):
                smtp.starttls(context=context)
                smtp.ehlo()
                encrypted = True
            if user and encrypted:
                smtp.login(user, server.password)
        if user and not encrypted:
            raise MailServerDown(
                f"{server.label} offers no encryption, so the password was not sent; use smtps:// or another server"
            )
        yield partial(_send, smtp, server)
    finally:
        with suppress(smtplib.SMTPException, OSError):
            smtp.quit()
        smtp.close()


def _send(smtp: smtplib.SMTP, server: MailServer, message: MailMessage) -> None:
    to = message.to
    reply: bytes | str
    with _server_errors(server):
        try:
            smtp.send_message(_email(message, server), server.sender, [to])
        except smtplib.SMTPRecipientsRefused as error:
            code, reply = error.recipients[to]
        except smtplib.SMTPDataError as error:
            code, reply = error.smtp_code, error.smtp_error
        else:
            return
    if code == SHUTTING_DOWN:
        raise MailServerDown(f"{server.label}: {_reason(code, reply)}")
    kind = MailRefused if code >= PERMANENT else MailDeferred
    raise kind(f"{to}: {_reason(code, reply)}")


@contextmanager
def _server_errors(server: MailServer) -> Iterator[None]:
    try:
        yield
    except smtplib.SMTPResponseException as error:
        raise MailServerDown(f"{server.label}: {_reason(error.smtp_code, error.smtp_error)}") from error
    except (smtplib.SMTPException, OSError) as error:
        system = error.strerror if isinstance(error, OSError) else None
        raise MailServerDown(f"{server.label}: {system or str(error) or 'no answer'}") from error


def _reason(code: int, reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return f"{code} {' '.join(text.split())}"


class _OneLineHeader(UnstructuredHeader, BaseHeader):
    """A header that is neither folded nor encoded, so that mail programs find the link in it (RFC 8058, RFC 2369)."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _OneLineHeader)
_POLICY = SMTP.clone(header_factory=_HEADERS)


def _email(message: MailMessage, server: MailServer) -> EmailMessage:
    email = EmailMessage(_POLICY)
    email["Subject"] = " ".join(message.subject.split())
    email["From"] = formataddr((server.name, server.sender))
    email["To"] = message.to
    email["Date"] = format_datetime(datetime.now(UTC))
    email["Message-ID"] = make_msgid(domain=server.sender.rpartition("@")[2])
    email["Auto-Submitted"] = "auto-generated"
    if message.leave:
        email["List-Unsubscribe"] = f"<{message.leave}>"
        email["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    # Some servers do not take 8-bit text.
    email.set_content(message.text, cte="quoted-printable")
    if message.html:
        email.add_alternative(message.html, subtype="html", cte="quoted-printable")
    return email
