"""Passwords."""

from __future__ import annotations

import pytest

from panel.errors import SettingsError
from panel.web.passwords import PasswordChecker, hash_password
from web.conftest import PASSWORD

pytestmark = pytest.mark.anyio


WRONG = "wrong horse battery"


async def test_passwords_are_hashed_with_argon2id(hash_: str) -> None:
    assert hash_.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    passwords = PasswordChecker()
    composed, decomposed = "crème brûlée!", "cre\u0300me bru\u0302le\u0301e!"
    assert await passwords.match(decomposed, hash_password(composed))
    assert await passwords.match(PASSWORD, hash_)
    assert not await passwords.match(WRONG, hash_)
    assert not await passwords.match(PASSWORD, None)
    assert not await passwords.match(PASSWORD, "no hash")


@pytest.mark.parametrize("password", ["", "elevenchars", "e\u0301" * 11, "x" * 1_001])
async def test_short_passwords_are_refused(password: str) -> None:
    with pytest.raises(SettingsError, match="a password has 12 to 1,000 characters; choose another one"):
        hash_password(password)
