"""People who sign in, on both kinds of database."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from panel.core.actor import Actor, Role
from panel.errors import SettingsError, StorageError
from panel.store import open_store
from panel.store.schema import sessions
from store.editing import ADA, KIM, LEE

if TYPE_CHECKING:
    from panel.store import Store

pytestmark = pytest.mark.anyio

HOUR = 3600.0


async def _tokens(store: Store) -> list[str]:
    return await store._db.read(lambda connection: list(connection.scalars(select(sessions.c.token_hash))))


async def test_people_are_kept(store: Store) -> None:
    """Somebody who was added is found by name without case, with their role, in the order they were added."""
    assert [await store.users.add(actor, f"hash {actor.name}") for actor in (KIM, ADA, LEE)] == [1, 2, 3]
    found = await store.users.get(" kIM\n")
    assert found is not None
    assert (found.id, found.actor, found.password, found.disabled_at) == (1, KIM, "hash Kim", None)
    assert [user.name for user in await store.users.all()] == ["Kim", "Ada", "Lee"]
    assert await store.users.get("Nobody") is None
    assert await store.users.get("\0") is None


async def test_a_name_is_somebodys(store: Store) -> None:
    await store.users.add(KIM, "mine")
    with pytest.raises(SettingsError, match="there is a user KIM already; choose another name"):
        await store.users.add(Actor(name="KIM", role=Role.EDITOR), "other")
    (user,) = await store.users.all()
    assert (user.name, user.password, user.role) == ("Kim", "mine", "publisher")


async def test_of_many_who_take_a_name_one_gets_it(where: str, store: Store) -> None:
    """Of several who add a user of one name at once, one succeeds and the others are refused."""
    async with open_store(where) as other:
        asked = [(store, other)[n % 2].users.add(KIM, f"hash {n}") for n in range(6)]
        told = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(type(one).__name__ for one in told) == ["SettingsError"] * 5 + ["int"]
    assert len(await store.users.all()) == 1


async def test_a_session_is_somebodys_until_it_lapses(store: Store) -> None:
    """A session is a user's for as long as it was begun for, by the database's clock."""
    number = await store.users.add(KIM, "hash")
    await store.users.begin_session(number, "token", HOUR)
    found = await store.users.session_user("token")
    assert found is not None
    assert found.name == "Kim"
    assert await store.users.session_user("other") is None
    query = sessions.update().values(until=sessions.c.until - HOUR)
    await store._db.write(lambda connection: connection.execute(query))
    assert await store.users.session_user("token") is None


async def test_sessions_that_have_lapsed_are_forgotten(store: Store) -> None:
    number = await store.users.add(KIM, "hash")
    await store.users.begin_session(number, "lapsed", -1)
    await store.users.begin_session(number, "open", HOUR)
    await store.users.begin_session(number, "new", HOUR)
    assert sorted(await _tokens(store)) == ["new", "open"]


async def test_a_session_is_ended(store: Store) -> None:
    number = await store.users.add(KIM, "hash")
    for token in ("one", "two"):
        await store.users.begin_session(number, token, HOUR)
    await store.users.end_session("one")
    await store.users.end_session("one")
    assert await _tokens(store) == ["two"]


@pytest.mark.parametrize("how", ["password", "disable"])
async def test_sessions_end_with_a_password_and_with_an_account(store: Store, how: str) -> None:
    for token, actor in (("kim", KIM), ("ada", ADA)):
        await store.users.begin_session(await store.users.add(actor, "hash"), token, HOUR)
    await (store.users.set_password("KIM", "new") if how == "password" else store.users.disable("KIM"))
    assert await _tokens(store) == ["ada"]
    assert await store.users.session_user("kim") is None
    user = await store.users.get("Kim")
    assert user is not None
    assert (user.password, user.disabled_at is None) == (
        ("new", True) if how == "password" else ("hash", False)
    )


async def test_somebody_who_may_not_sign_in_has_no_session(store: Store) -> None:
    number = await store.users.add(KIM, "hash")
    await store.users.disable("Kim")
    await store.users.begin_session(number, "token", HOUR)
    assert await store.users.session_user("token") is None
    await store.users.enable("Kim")
    assert await store.users.session_user("token") is not None


async def test_a_role_is_known_at_once(store: Store) -> None:
    """A session that is open has the role that its user has now."""
    await store.users.begin_session(await store.users.add(KIM, "hash"), "token", HOUR)
    await store.users.set_role("kim", Role.DRAFTER)
    found = await store.users.session_user("token")
    assert found is not None
    assert found.actor.role is Role.DRAFTER


async def test_nobody_is_changed_who_is_not_there(store: Store) -> None:
    for change in (
        store.users.set_role("Kim", Role.EDITOR),
        store.users.set_password("Kim", "hash"),
        store.users.disable("Kim"),
        store.users.enable("Kim"),
    ):
        with pytest.raises(SettingsError, match="there is no user Kim; add them first"):
            await change


async def test_a_session_needs_a_user(store: Store) -> None:
    """A session of nobody is refused."""
    with pytest.raises(StorageError):
        await store.users.begin_session(7, "token", HOUR)
    assert await _tokens(store) == []
