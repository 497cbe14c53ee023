"""Mail messages, and their delivery to a mail server by SMTP."""

from __future__ import annotations

import os
import smtplib
import ssl
from contextlib import contextmanager
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, make_msgid
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from panel.core.frozen import Frozen
from panel.core.mail import MailAddress
from panel.errors import PanelError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from email.policy import EmailPolicy, Policy

    from panel.settings.model import Settings

PASSWORD = "PANEL_SMTP_PASSWORD"  # noqa: S105 - the name of a variable
TIMEOUT_SECONDS = 30

SHUTTING_DOWN, PERMANENT = 421, 500
"""Replies of RFC 5321, section 4.2: the server closes the connection; from 500 on, failures are permanent."""


class MailRefused(PanelError):
    """The server takes no mail for this address."""

    exit_code = 75


class MailDeferred(PanelError):
    """The server may take mail for this address later."""

    exit_code = 75


class MailServerDown(PanelError):
    """The server cannot be reached, or takes no mail at all."""

    exit_code = 75


class MailMessage(Frozen):
    """A mail message.

    Attributes:
        html: empty for a message of plain text alone.
        leave: link that unsubscribes its reader in one click; empty if it is no newsletter.
    """

    to: MailAddress
    subject: str
    text: str
    html: str = ""
    leave: str = ""


class MailServer(Frozen):
    """A mail server, and the sender of mail.

    Attributes:
        url: `smtp://USER@HOST:PORT`, or `smtps://`.
        password: of that user; empty if there is none.
        name: of the sender, as people read it.
        sender: the sender's address.
    """

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
    return MailServer(
        url=settings.smtp_url, password=_password(), name=settings.site_name, sender=settings.mail_from
    )


def _password() -> str:
    path = os.environ.get(f"{PASSWORD}_FILE", "")
    if os.environ.get(PASSWORD) or not path:
        return os.environ.get(PASSWORD, "")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise SettingsError(f"{PASSWORD}_FILE: {path} cannot be read; name a text file") from error


class MailConnection:
    """An open connection to a mail server."""

    def __init__(self, smtp: smtplib.SMTP, server: MailServer) -> None:
        self._smtp = smtp
        self._server = server

    def send(self, message: MailMessage, at: datetime) -> None:
        """Send a message that is dated `at`.

        Raises:
            MailRefused: the server does not take it for this address.
            MailDeferred: the server may take it later.
            MailServerDown: the server is gone, or takes no mail at all.
        """
        server = self._server
        try:
            self._smtp.send_message(_email(message, server, at), server.sender, [message.to])
        except smtplib.SMTPRecipientsRefused as error:
            raise _refusal(server, message.to, *error.recipients[message.to]) from error
        except smtplib.SMTPDataError as error:
            raise _refusal(server, message.to, error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, OSError) as error:
            raise _server_down(server, error) from error


@contextmanager
def connect(server: MailServer) -> Iterator[MailConnection]:
    """Connect to a mail server: encrypted if the server offers it, and always before a password is sent.

    Raises:
        MailServerDown: it cannot be reached, or refuses the user.
    """
    parts = urlsplit(server.url)
    host, port = parts.hostname or "", parts.port or 0
    try:
        if parts.scheme == "smtps":
            context = ssl.create_default_context()
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            smtp = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    except (smtplib.SMTPException, OSError) as error:
        raise _server_down(server, error) from error
    try:
        _log_in(smtp, server)
        yield MailConnection(smtp, server)
    finally:
        try:
            smtp.quit()
        except (smtplib.SMTPException, OSError):
            smtp.close()


def _log_in(smtp: smtplib.SMTP, server: MailServer) -> None:
    user = unquote(urlsplit(server.url).username or "")
    encrypted = isinstance(smtp, smtplib.SMTP_SSL)
    try:
        smtp.ehlo_or_helo_if_needed()
        if not encrypted and smtp.has_extn("starttls"):
            smtp.starttls(context=ssl.create_default_context())
            smtp.ehlo()
            encrypted = True
        if user and encrypted:
            smtp.login(user, server.password)
    except (smtplib.SMTPException, OSError) as error:
        raise _server_down(server, error) from error
    if user and not encrypted:
        raise MailServerDown(
            f"{server.label} offers no encryption, so the password was not sent; use smtps:// or another server"
        )


def _email(message: MailMessage, server: MailServer, at: datetime) -> EmailMessage:
    email = EmailMessage(_policy())
    email["Subject"] = " ".join(message.subject.split())
    email["From"] = formataddr((server.name, server.sender))
    email["To"] = message.to
    email["Date"] = format_datetime(at)
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


class _OneLineHeader(UnstructuredHeader, BaseHeader):
    """A header that is neither folded nor encoded, so that mail programs find the link in it (RFC 8058, RFC 2369)."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _policy() -> EmailPolicy[EmailMessage]:
    headers = HeaderRegistry()
    headers.map_to_type("list-unsubscribe", _OneLineHeader)
    return SMTP.clone(header_factory=headers)


def _refusal(server: MailServer, to: str, code: int, reply: bytes | str) -> PanelError:
    reason = _reason(code, reply)
    if code == SHUTTING_DOWN:
        return MailServerDown(f"{server.label}: {reason}")
    return MailRefused(f"{to}: {reason}") if code >= PERMANENT else MailDeferred(f"{to}: {reason}")


def _server_down(server: MailServer, error: Exception) -> MailServerDown:
    if isinstance(error, smtplib.SMTPResponseException):
        reason = _reason(error.smtp_code, error.smtp_error)
    else:
        system = error.strerror if isinstance(error, OSError) else None
        reason = system or str(error) or "no answer"
    return MailServerDown(f"{server.label}: {reason}")


def _reason(code: int, reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return f"{code} {' '.join(text.split())}"
