"""The newsletter's subscribers: the signed links in their mails, and their list as CSV."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import re
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from panel.store import Store, Subscriber

CONFIRM_WITHIN = timedelta(days=3)
SIGNATURE_CHARS = 32
"""Hexadecimal digits of HMAC-SHA256: 128 bits, the least that RFC 2104 advises."""
COLUMNS = ("mail", "asked_at", "confirmed_at", "last_issue")

_TOKEN = re.compile(rf"([0-9]{{1,18}})\.([0-9a-f]{{{SIGNATURE_CHARS}}})")
_FORMULA = (*tuple("=+-@\t\r\n"), "\uff1d", "\uff0b", "\uff0d", "\uff20")


def signing_key(secret: bytes) -> bytes:
    """Return the key of 32 bytes that links are signed with, derived from the user's secret."""
    return hmac.new(secret, b"links of the newsletter", hashlib.sha256).digest()


def confirm_token(key: bytes, subscriber: Subscriber) -> str:
    """Return the token that confirms the latest sign-up of a subscriber."""
    return _token(key, "confirm", subscriber.id, subscriber.mail, subscriber.asked_at.isoformat())


def confirms(token: str, key: bytes, subscriber: Subscriber, now: datetime) -> bool:
    """Return whether a token confirms the latest sign-up of a subscriber, and is not too late."""
    return _equal(token, confirm_token(key, subscriber)) and now - subscriber.asked_at <= CONFIRM_WITHIN


def leave_token(key: bytes, subscriber: Subscriber) -> str:
    """Return the token that unsubscribes a subscriber, at any time."""
    return _token(key, "leave", subscriber.id, subscriber.mail.lower())


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


async def all_subscribers(store: Store) -> list[Subscriber]:
    """Return everybody who ever signed up."""
    found: list[Subscriber] = []
    while page := await store.subscribers.page(after=found[-1].id if found else 0):
        found += page
    return found


def confirmed_csv(subscribers: Iterable[Subscriber]) -> str:
    """Return those who confirmed and did not leave as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for subscriber in subscribers:
        row = subscriber.model_dump(mode="json")
        if row["state"] == "confirmed":
            writer.writerow([safe_cell(row[name] or "") for name in COLUMNS])
    return out.getvalue()


def safe_cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: with an apostrophe, which spreadsheets drop on import."""
    return f"'{text}" if text.startswith(_FORMULA) else text
