"""Passwords: hashed with argon2id, and compared in the same time whether or not the user exists."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from panel.errors import SettingsError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MIN_CHARS, MAX_CHARS = 12, 1_000
_PARALLEL = 2
"""Comparisons at a time; each takes 64 MiB of memory."""


def hash_password(password: str) -> str:
    """Return the hash of a new password, with the low-memory parameters of RFC 9106, section 4.

    Raises:
        SettingsError: it is too short or too long, or the web extra is missing.
    """
    password = _normalize(password)
    if not MIN_CHARS <= len(password) <= MAX_CHARS:
        raise SettingsError(f"a password has {MIN_CHARS} to {MAX_CHARS:,} characters; choose another one")
    return _hasher().hash(password)


class PasswordChecker:
    """Compares passwords in threads, few at a time, so that the server stays responsive."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(_PARALLEL)

    async def match(self, password: str, stored: str | None) -> bool:
        """Return whether a password belongs to a stored hash; for an unknown user, None takes as long and never matches."""
        async with self._slots:
            return await asyncio.to_thread(_match, password, stored)


def _match(password: str, stored: str | None) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - few commands need it

    placeholder = _placeholder_hash()
    try:
        _hasher().verify(stored or placeholder, _normalize(password[:MAX_CHARS]))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def _normalize(password: str) -> str:
    # RFC 8265: the same keys give the same password on every system.
    return unicodedata.normalize("NFC", password)


@cache
def _hasher() -> PasswordHasher:
    try:
        from argon2 import PasswordHasher  # noqa: PLC0415 - few commands need it
    except ModuleNotFoundError as error:
        raise SettingsError("passwords need the web extra: pip install 'panel-review[web]'") from error
    return PasswordHasher()


@cache
def _placeholder_hash() -> str:
    return _hasher().hash(secrets.token_bytes())
