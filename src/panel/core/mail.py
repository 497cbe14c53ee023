"""Mail addresses that cannot break out of a mail header."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

MAX_ADDRESS_CHARS = 254
"""By RFC 5321, section 4.5.3.1, less the brackets."""
MAX_LOCAL_CHARS = 64

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")


def mail_address(text: str) -> str:
    """Return a mail address in the form that mail servers take, its host in ASCII and lower case.

    Raises:
        ValueError: the text is no mail address.
    """
    local, at, host = text.strip().rpartition("@")
    try:
        host = host.encode("idna").decode("ascii").lower() if host else ""
    except UnicodeError:
        host = ""
    address = f"{local}@{host}"
    usable = at and len(local) <= MAX_LOCAL_CHARS and _LOCAL.fullmatch(local) and _HOST.fullmatch(host)
    if not usable or len(address) > MAX_ADDRESS_CHARS:
        raise ValueError("expected a mail address, such as kim@example.org")
    return address


MailAddress = Annotated[str, AfterValidator(mail_address)]
