"""Signed links in the newsletter's mails: one confirms a sign-up within some days, the other unsubscribes at any time."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from panel.store import Subscriber

CONFIRM_WITHIN = timedelta(days=3)
SIGNATURE_CHARS = 32
"""Hexadecimal digits of HMAC-SHA256: 128 bits, the least that RFC 2104 advises."""

_PURPOSE = b"links of the newsletter"
_TOKEN = re.compile(rf"([0-9]{{1,18}})\.([0-9a-f]{{{SIGNATURE_CHARS}}})")


def signing_key(secret: bytes) -> bytes:
    """Return the key of 32 bytes that links are signed with, derived from the user's secret."""
    return hmac.new(secret, _PURPOSE, hashlib.sha256).digest()


def confirm_token(key: bytes, subscriber: Subscriber) -> str:
    """Return the token that confirms the latest sign-up of a subscriber."""
    return _token(key, "confirm", subscriber.id, subscriber.mail, subscriber.asked_at.isoformat())


def confirms(token: str, key: bytes, subscriber: Subscriber, now: datetime) -> bool:
    """Return whether a token confirms the latest sign-up of a subscriber, and is not too late."""
    return _equal(token, confirm_token(key, subscriber)) and now - subscriber.asked_at <= CONFIRM_WITHIN


def leave_token(key: bytes, subscriber: Subscriber) -> str:
    """Return the token that unsubscribes a subscriber."""
    return _token(key, "leave", subscriber.id, subscriber.mail.lower())


def leave_link(url: str, key: bytes, subscriber: Subscriber) -> str:
    """Return the link that unsubscribes a subscriber from the newsletter of a site."""
    return f"{url}/newsletter/leave?token={leave_token(key, subscriber)}"


def leaves(token: str, key: bytes, subscriber: Subscriber) -> bool:
    """Return whether a token unsubscribes a subscriber."""
    return _equal(token, leave_token(key, subscriber))


def subscriber_number(token: str) -> int | None:
    """Return the number of the subscriber that a token, forged or not, is about; None if it is no token."""
    found = _TOKEN.fullmatch(token)
    return int(found[1]) if found else None


def _token(key: bytes, purpose: str, number: int, *details: str) -> str:
    signed = "\0".join([purpose, str(number), *details]).encode()
    return f"{number}.{hmac.new(key, signed, hashlib.sha256).hexdigest()[:SIGNATURE_CHARS]}"


def _equal(token: str, expected: str) -> bool:
    return hmac.compare_digest(token.encode(), expected.encode())
