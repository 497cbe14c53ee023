"""Words that prove that a link came from us: a number, what it is good for, and a signature."""

from __future__ import annotations

import hashlib
import hmac
import re

SIGNATURE_CHARS = 32
"""Of the hexadecimal digits of HMAC-SHA256: 128 bits, as many as RFC 2104 advises at least."""

_TOKEN = re.compile(rf"([0-9]{{1,18}})\.([0-9a-f]{{{SIGNATURE_CHARS}}})")


def token(secret: bytes, purpose: str, number: int, *more: str) -> str:
    """Return a token.

    Args:
        secret: what it is signed with.
        purpose: what it is good for.
        number: whom it is about.
        more: what else must be the same when it is shown again.
    """
    told = "\0".join([purpose, str(number), *more]).encode()
    return f"{number}.{hmac.new(secret, told, hashlib.sha256).hexdigest()[:SIGNATURE_CHARS]}"


def number_of(text: str) -> int | None:
    """Return the number that a token is about, true or not; None if it is no token."""
    found = _TOKEN.fullmatch(text)
    return int(found[1]) if found else None


def is_token(text: str, secret: bytes, purpose: str, number: int, *more: str) -> bool:
    """Whether a text is that token, in constant time."""
    return hmac.compare_digest(text.encode(), token(secret, purpose, number, *more).encode())
