"""Mail addresses and messages, as values: nothing here can break out of a header."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from panel.core.base import Frozen

MAX_MAIL_CHARS = 254
"""Of an address, by RFC 5321, section 4.5.3.1, less the brackets."""

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_MAX_LOCAL = 64


def mail_address(text: str) -> str:
    """Return a mail address as mail servers take it: its host in lower case, and in ASCII.

    Raises:
        ValueError: it is none.
    """
    local, at, host = text.strip().rpartition("@")
    try:
        host = host.encode("idna").decode("ascii").lower() if host else ""
    except UnicodeError:
        host = ""
    whole = f"{local}@{host}"
    usable = at and len(local) <= _MAX_LOCAL and _LOCAL.fullmatch(local) and _HOST.fullmatch(host)
    if not usable or len(whole) > MAX_MAIL_CHARS:
        raise ValueError("expected a mail address, such as kim@example.org")
    return whole


Mail = Annotated[str, AfterValidator(mail_address)]


class Message(Frozen):
    """A mail.

    Attributes:
        to: who gets it.
        subject: one line.
        text: as plain text.
        html: as HTML; empty if it is plain text alone.
        leave: the address by which whoever gets it can leave, in one click; empty if it is no newsletter.
    """

    to: Mail
    subject: str
    text: str
    html: str = ""
    leave: str = ""
