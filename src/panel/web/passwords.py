"""Passwords: kept as argon2id hashes, and compared without telling whether there is such a user."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from panel.errors import SettingsError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

FEWEST_CHARS, MOST_CHARS = 12, 1_000
AT_ONCE = 2
"""Comparisons at a time: each takes 64 MB of memory."""


def hashed(password: str) -> str:
    """Return the hash of a new password.

    The parameters are those of RFC 9106, section 4, for little memory: 64 MiB, 3 passes, 4 lanes.

    Raises:
        SettingsError: it is too short or too long, or the web extra is missing.
    """
    password = _normal(password)
    if not FEWEST_CHARS <= len(password) <= MOST_CHARS:
        raise SettingsError(f"a password has {FEWEST_CHARS} to {MOST_CHARS:,} characters; choose another one")
    return _hasher().hash(password)


class Passwords:
    """Compares passwords in threads, few at once, so that the server goes on answering."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def match(self, password: str, hash_: str | None) -> bool:
        """Whether a password is the one that a hash was made of.

        Args:
            password: what somebody typed.
            hash_: the hash; None where there is no such user, which takes as long, and never matches.
        """
        async with self._turn:
            return await asyncio.to_thread(_match, password, hash_)


def _match(password: str, hash_: str | None) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - few commands need it

    stand_in = _nobodys()
    try:
        _hasher().verify(hash_ or stand_in, _normal(password[:MOST_CHARS]))
    except (VerificationError, InvalidHashError):
        return False
    return hash_ is not None


def _normal(password: str) -> str:
    # As RFC 8265 has it, so that the same keys give the same password on every system.
    return unicodedata.normalize("NFC", password)


@cache
def _hasher() -> PasswordHasher:
    try:
        from argon2 import PasswordHasher  # noqa: PLC0415 - few commands need it
    except ModuleNotFoundError as error:
        raise SettingsError("passwords need the web extra: pip install 'panel-review[web]'") from error
    return PasswordHasher()


@cache
def _nobodys() -> str:
    return _hasher().hash(secrets.token_bytes())
