"""`panel users`: who may work with drafts."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from panel.cli import options
from panel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from panel.core.draft_rules import Actor, Role
    from panel.settings.resolve import Resolved
    from panel.store import Store, User

ADD_HELP = """Add somebody who may work with drafts.

A drafter edits and ticks; an editor also approves, rejects and requests changes; a publisher also publishes and retracts. NAME is what pages
print under what they approve. The password is asked for twice; it has 12 characters or more.

Once there are accounts, people sign in in the browser. In the terminal PANEL_EDITOR must name one of them, and nobody asks for a password there: whoever can
run panel on this machine, and reach its database, is trusted.

Examples:

  panel users add Kim --role editor

  pass show panel/kim | panel users add Kim --role editor --password-stdin
"""
LIST_HELP = """List who may work with drafts.

Examples:

  panel users list

  panel users list --json
"""
ROLE_HELP = """Give somebody another role, at once.

Examples:

  panel users role Kim publisher
"""
RENEW_HELP = """Give somebody another password, and sign them out everywhere.

Examples:

  panel users password Kim
"""
DISABLE_HELP = """Let somebody in no longer, and sign them out everywhere. What they did stays under their name.

Examples:

  panel users disable Kim
"""
ENABLE_HELP = """Let somebody in again.

Examples:

  panel users enable Kim
"""
FIRST = "From now on drafts are for people with accounts alone. If panel serve is running, start it again."
UNPUBLISHED = "Nobody can publish yet: panel users add NAME --role publisher"
_MOST_BYTES = 8_000

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

RoleName = Literal["drafter", "editor", "publisher"]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Their name.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input, one line.")
]


@app.command("add", help=ADD_HELP)
def add(
    name: Name,
    role: Annotated[RoleName, typer.Option("--role", help="What they are trusted with.")],
    password_stdin: FromStdin = False,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Add somebody.

    JSON, of this command and those below: `{name, role, created_at, disabled_at}`. Times are ISO 8601 in UTC.
    """
    from panel.cli.console import tell

    actor, resolved = _actor(name, role), _resolved(config)
    people = _people(resolved)
    if _of(people, actor.name):
        raise SettingsError(f"there is a user {actor.name} already; choose another name")
    hash_ = _hashed(actor.name, stdin=password_stdin)
    user = _done(resolved, actor.name, lambda store: store.users.add(actor, hash_))
    _told(user, f"{user.name} may sign in, as {_a(user.role)}.", as_json=as_json)
    if not people:
        tell(FIRST)
        if role != "publisher":
            tell(UNPUBLISHED)


@app.command("list", help=LIST_HELP)
def list_users(config: options.Config = None, as_json: options.AsJson = False) -> None:
    """List everybody, in the order they were added."""
    from panel.cli.console import plain_result, result_json

    people = _people(_resolved(config))
    if as_json:
        result_json([_data(user) for user in people])
    elif people:
        plain_result("\n".join(_lines(people)))
    else:
        plain_result("There are no accounts; the setting `editor` says who works with drafts.")


@app.command("role", help=ROLE_HELP)
def role(
    name: Name,
    role: Annotated[RoleName, typer.Argument(help="What they are trusted with.")],
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Give somebody another role."""
    from panel.core.draft_rules import Role

    user = _changed(config, name, lambda store: store.users.set_role(name, Role(role)))
    _told(user, f"{user.name} is {_a(user.role)} now.", as_json=as_json)


@app.command("password", help=RENEW_HELP)
def password(
    name: Name,
    password_stdin: FromStdin = False,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Give somebody another password."""
    resolved = _resolved(config)
    hash_ = _hashed(_known(resolved, name).name, stdin=password_stdin)
    user = _done(resolved, name, lambda store: store.users.set_password(name, hash_))
    _told(user, f"{user.name} has another password, and is signed out everywhere.", as_json=as_json)


@app.command("disable", help=DISABLE_HELP)
def disable(name: Name, config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Let somebody in no longer."""
    user = _changed(config, name, lambda store: store.users.disable(name))
    _told(user, f"{user.name} may no longer sign in.", as_json=as_json)


@app.command("enable", help=ENABLE_HELP)
def enable(name: Name, config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Let somebody in again."""
    user = _changed(config, name, lambda store: store.users.enable(name))
    _told(user, f"{user.name} may sign in again, as {_a(user.role)}.", as_json=as_json)


def _resolved(config: Path | None) -> Resolved:
    from panel.settings.resolve import resolve

    return resolve(options.given(), config)


def _people(resolved: Resolved) -> list[User]:
    from panel.orchestrator.stores import inspect_store, use_store

    return use_store(resolved, lambda store: store.users.all()) if inspect_store(resolved).exists else []


def _of(people: list[User], name: str) -> User | None:
    from panel.core.text import canonical

    return next((user for user in people if canonical(user.name) == canonical(name)), None)


def _known(resolved: Resolved, name: str) -> User:
    """Return somebody by name; no database is made to look for them.

    Raises:
        SettingsError: there is nobody of this name.
    """
    user = _of(_people(resolved), name)
    if user is None:
        raise SettingsError(f"there is no user {name}; `panel users list` shows who there is")
    return user


def _changed(config: Path | None, name: str, change: Callable[[Store], Awaitable[object]]) -> User:
    """Change something about somebody who is there, and return them as they are since."""
    resolved = _resolved(config)
    _known(resolved, name)
    return _done(resolved, name, change)


def _done(resolved: Resolved, name: str, change: Callable[[Store], Awaitable[object]]) -> User:
    from panel.orchestrator.stores import configured_store

    async def done() -> None:
        async with configured_store(resolved) as store:
            await change(store)

    asyncio.run(done())
    return _known(resolved, name)


def _actor(name: str, role: RoleName) -> Actor:
    from pydantic import ValidationError

    from panel.core.draft_rules import MAX_NAME_CHARS, PANEL, Actor, Role

    try:
        return Actor(name=name, role=Role(role))
    except ValidationError:
        raise SettingsError(
            f"NAME: a person's name has 1 to {MAX_NAME_CHARS} characters, and is not {PANEL}"
        ) from None


def _hashed(name: str, *, stdin: bool) -> str:
    from panel.web.passwords import hashed

    return hashed(_piped() if stdin else _typed(name))


def _piped() -> str:
    """Return a password from standard input.

    Raises:
        SettingsError: there is none, or more than a line.
    """
    try:
        text = sys.stdin.buffer.read(_MOST_BYTES).decode()
    except UnicodeDecodeError:
        raise SettingsError("--password-stdin: the password is not UTF-8") from None
    line = text.removesuffix("\n").removesuffix("\r")
    if not line or "\n" in line:
        raise SettingsError("--password-stdin: expected the password on one line")
    return line


def _typed(name: str) -> str:
    """Return a password that was typed twice, without showing it.

    Raises:
        SettingsError: there is no terminal, or the two differ.
    """
    from getpass import getpass

    if not sys.stdin.isatty():
        raise SettingsError("there is no terminal to ask for the password; pipe it in with --password-stdin")
    try:
        typed, again = getpass(f"Password for {name}: "), getpass("The same again: ")
    except EOFError:
        raise SettingsError("no password was given; nothing was changed") from None
    if typed != again:
        raise SettingsError("the two passwords differ; nothing was changed")
    return typed


def _told(user: User, words: str, *, as_json: bool) -> None:
    from panel.cli.console import plain_result, result_json

    if as_json:
        result_json(_data(user))
    else:
        plain_result(words)


def _data(user: User) -> dict[str, Any]:
    return user.model_dump(mode="json", include={"name", "role", "created_at", "disabled_at"})


def _lines(people: list[User]) -> list[str]:
    width = max(len(user.name) for user in people)
    return [f"{user.name:<{width}}  {user.role:<9}  {_since(user)}" for user in people]


def _since(user: User) -> str:
    if user.disabled_at:
        return f"disabled on {user.disabled_at:%Y-%m-%d}"
    return f"added on {user.created_at:%Y-%m-%d}"


def _a(role: Role) -> str:
    return f"{'an' if role == 'editor' else 'a'} {role}"
