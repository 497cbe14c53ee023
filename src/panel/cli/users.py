"""`panel users`: accounts of the people who work with drafts."""

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

    from panel.core.actor import Actor
    from panel.settings.resolve import Resolved
    from panel.store import Store, User

ADD_HELP = """Add an account.

A drafter edits drafts and resolves findings; an editor also approves, rejects and requests changes; a publisher also publishes and
retracts. NAME appears on the pages that this user approves. The password is asked for twice; it has 12 characters or more.

With accounts, users sign in in the browser. In the terminal PANEL_EDITOR must name an account, and no password is asked: whoever can run
panel on this machine, and reach its database, is trusted.

Examples:

  panel users add Kim --role editor

  pass show panel/kim | panel users add Kim --role editor --password-stdin
"""
LIST_HELP = """List the accounts.

Examples:

  panel users list

  panel users list --json
"""
ROLE_HELP = """Change a user's role, at once.

Examples:

  panel users role Kim publisher
"""
NEW_LOGIN_HELP = """Change a user's password, and sign them out everywhere.

Examples:

  panel users password Kim
"""
DISABLE_HELP = """Disable an account, and sign the user out everywhere. Their past actions keep their name.

Examples:

  panel users disable Kim
"""
ENABLE_HELP = """Enable an account again.

Examples:

  panel users enable Kim
"""
FIRST = (
    "From now on only users with accounts can work with drafts. If panel serve is running, start it again."
)
NO_PUBLISHER = "Nobody can publish yet: panel users add NAME --role publisher"
_MAX_PASSWORD_BYTES = 8_000

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

RoleName = Literal["drafter", "editor", "publisher"]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input, one line.")
]


@app.command("add", help=ADD_HELP)
def add(
    name: Name,
    role: Annotated[RoleName, typer.Option("--role", help="The user's role.")],
    password_stdin: FromStdin = False,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Add an account.

    JSON, of this command and those below: `{name, role, created_at, disabled_at}`. Times are ISO 8601 in UTC.
    """
    from panel.cli.console import tell
    from panel.core.text import canonical

    actor, resolved = _actor(name, role), _resolve(config)
    users = _users(resolved)
    if canonical(actor.name) in users:
        raise SettingsError(f"there is a user {actor.name} already; choose another name")
    password = _password_hash(actor.name, stdin=password_stdin)
    user = _store(resolved, actor.name, lambda store: store.users.add(actor, password))
    _print(user, f"{user.name} may sign in, as {_a_role(user)}.", as_json=as_json)
    if not users:
        tell(FIRST)
        if role != "publisher":
            tell(NO_PUBLISHER)


@app.command("list", help=LIST_HELP)
def list_users(config: options.Config = None, as_json: options.AsJson = False) -> None:
    """List the accounts, in the order in which they were added."""
    from panel.cli.console import plain_result, result_json

    users = _users(_resolve(config)).values()
    if as_json:
        result_json([_data(user) for user in users])
        return
    width = max((len(user.name) for user in users), default=0)
    lines = [f"{user.name:<{width}}  {user.role:<9}  {_since(user)}" for user in users]
    plain_result("\n".join(lines) or "There are no accounts; the setting `editor` names the only user.")


@app.command("role", help=ROLE_HELP)
def role(
    name: Name,
    role: Annotated[RoleName, typer.Argument(help="The new role.")],
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Change a user's role."""
    from panel.core.actor import Role

    user = _change(_resolve(config), name, lambda store: store.users.set_role(name, Role(role)))
    _print(user, f"{user.name} is {_a_role(user)} now.", as_json=as_json)


@app.command("password", help=NEW_LOGIN_HELP)
def password(
    name: Name,
    password_stdin: FromStdin = False,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> None:
    """Change a user's password."""
    resolved = _resolve(config)
    hashed = _password_hash(_require(resolved, name).name, stdin=password_stdin)
    user = _store(resolved, name, lambda store: store.users.set_password(name, hashed))
    _print(user, f"{user.name} has a new password, and is signed out everywhere.", as_json=as_json)


@app.command("disable", help=DISABLE_HELP)
def disable(name: Name, config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Disable an account."""
    user = _change(_resolve(config), name, lambda store: store.users.disable(name))
    _print(user, f"{user.name} may no longer sign in.", as_json=as_json)


@app.command("enable", help=ENABLE_HELP)
def enable(name: Name, config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Enable an account again."""
    user = _change(_resolve(config), name, lambda store: store.users.enable(name))
    _print(user, f"{user.name} may sign in again, as {_a_role(user)}.", as_json=as_json)


def _resolve(config: Path | None) -> Resolved:
    from panel.settings.resolve import resolve

    return resolve(options.given(), config)


def _users(resolved: Resolved) -> dict[str, User]:
    """Return the users by their names in canonical form."""
    from panel.core.text import canonical
    from panel.orchestrator.stores import inspect_store, use_store

    users = use_store(resolved, lambda store: store.users.all()) if inspect_store(resolved).exists else []
    return {canonical(user.name): user for user in users}


def _require(resolved: Resolved, name: str) -> User:
    from panel.core.text import canonical

    user = _users(resolved).get(canonical(name))
    if user is None:
        raise SettingsError(f"there is no user {name}; `panel users list` lists the accounts")
    return user


def _change(resolved: Resolved, name: str, change: Callable[[Store], Awaitable[object]]) -> User:
    _require(resolved, name)
    return _store(resolved, name, change)


def _store(resolved: Resolved, name: str, change: Callable[[Store], Awaitable[object]]) -> User:
    """Change the store, which is created if it is missing, and return the user as stored afterwards."""
    from panel.orchestrator.stores import configured_store

    async def run() -> None:
        async with configured_store(resolved) as store:
            await change(store)

    asyncio.run(run())
    return _require(resolved, name)


def _actor(name: str, role: RoleName) -> Actor:
    from pydantic import ValidationError

    from panel.core.actor import MAX_NAME_CHARS, PANEL, Actor, Role

    try:
        return Actor(name=name, role=Role(role))
    except ValidationError:
        raise SettingsError(
            f"NAME: a person's name has 1 to {MAX_NAME_CHARS} characters, and is not {PANEL}"
        ) from None


def _password_hash(name: str, *, stdin: bool) -> str:
    from panel.web.passwords import hash_password

    return hash_password(_piped_password() if stdin else _typed_password(name))


def _piped_password() -> str:
    try:
        text = sys.stdin.buffer.read(_MAX_PASSWORD_BYTES).decode()
    except UnicodeDecodeError:
        raise SettingsError("--password-stdin: the password is not UTF-8") from None
    line = text.removesuffix("\n").removesuffix("\r")
    if not line or "\n" in line:
        raise SettingsError("--password-stdin: expected the password on one line")
    return line


def _typed_password(name: str) -> str:
    from getpass import getpass

    if not sys.stdin.isatty():
        raise SettingsError("there is no terminal to ask for the password; pipe it in with --password-stdin")
    try:
        typed, again = getpass(f"Password for {name}: "), getpass("Repeat the password: ")
    except EOFError:
        raise SettingsError("no password was given; nothing was changed") from None
    if typed != again:
        raise SettingsError("the two passwords differ; nothing was changed")
    return typed


def _print(user: User, line: str, *, as_json: bool) -> None:
    from panel.cli.console import plain_result, result_json

    if as_json:
        result_json(_data(user))
    else:
        plain_result(line)


def _data(user: User) -> dict[str, Any]:
    return user.model_dump(mode="json", include={"name", "role", "created_at", "disabled_at"})


def _since(user: User) -> str:
    if user.disabled_at:
        return f"disabled on {user.disabled_at:%Y-%m-%d}"
    return f"added on {user.created_at:%Y-%m-%d}"


def _a_role(user: User) -> str:
    return f"{'an' if user.role == 'editor' else 'a'} {user.role}"
