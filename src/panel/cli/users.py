"""`panel users`: accounts of the people who work with drafts.

With --json a command that changes an account prints `{name, role, created_at, disabled_at}`; times are ISO 8601 in UTC.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from panel.cli.options import AsJson, Config, add_command
from panel.errors import GateError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from panel.core.actor import Actor
    from panel.settings.resolve import Resolved
    from panel.store import Store, User

FIRST = (
    "From now on only users with accounts can work with drafts. If panel serve is running, start it again."
)
NO_EDITOR = "say who you are, as pages will print it: set PANEL_EDITOR, or `editor: NAME` in panel.yaml"
NO_PUBLISHER = "Nobody can publish yet: panel users add NAME --role publisher"
_MAX_PASSWORD_BYTES = 8_000

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

RoleName = Literal["drafter", "editor", "publisher"]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input, one line.")
]


@add_command(
    app,
    "add",
    "panel users add Kim --role editor",
    "pass show panel/kim | panel users add Kim --role editor --password-stdin",
)
def add(
    name: Name,
    role: Annotated[RoleName, typer.Option("--role", help="The user's role.")],
    password_stdin: FromStdin = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Add an account.

    A drafter edits drafts and resolves findings; an editor also approves, rejects and requests changes; a publisher also publishes and
    retracts. NAME appears on the pages that this user approves. The password is asked for twice; it has 12 characters or more.

    With accounts, users sign in in the browser. In the terminal PANEL_EDITOR must name an account, and no password is asked: whoever can run
    panel on this machine, and reach its database, is trusted.
    """
    from pydantic import ValidationError

    from panel.cli.console import tell
    from panel.core.actor import MAX_NAME_CHARS, PANEL, Actor, Role

    try:
        actor = Actor(name=name, role=Role(role))
    except ValidationError:
        raise SettingsError(
            f"NAME: a person's name has 1 to {MAX_NAME_CHARS} characters, and is not {PANEL}"
        ) from None
    users = _users(config)
    if any(user.actor.is_named(actor.name) for user in users):
        raise SettingsError(f"there is a user {actor.name} already; choose another name")
    password = _password_hash(actor.name, stdin=password_stdin)
    user = _change(config, actor.name, lambda store: store.users.add(actor, password), is_new=True)
    _print(user, f"{user.name} may sign in, as {user.role.with_article}.", as_json=as_json)
    if not users:
        tell(FIRST)
        if role != "publisher":
            tell(NO_PUBLISHER)


@add_command(app, "list", "panel users list", "panel users list --json")
def list_users(config: Config = None, as_json: AsJson = False) -> None:
    """List the accounts."""
    from panel.cli.console import plain_result, result_json

    users = _users(config)
    if as_json:
        result_json([_data(user) for user in users])
        return
    width = max((len(user.name) for user in users), default=0)
    lines = []
    for user in users:
        step, day = ("disabled", user.disabled_at) if user.disabled_at else ("added", user.created_at)
        lines.append(f"{user.name:<{width}}  {user.role:<9}  {step} on {day:%Y-%m-%d}")
    plain_result("\n".join(lines) or "There are no accounts; the setting `editor` names the only user.")


@add_command(app, "role", "panel users role Kim publisher")
def role(
    name: Name,
    role: Annotated[RoleName, typer.Argument(help="The new role.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Change a user's role, at once."""
    from panel.core.actor import Role

    user = _change(config, name, lambda store: store.users.set_role(name, Role(role)))
    _print(user, f"{user.name} is {user.role.with_article} now.", as_json=as_json)


@add_command(app, "password", "panel users password Kim")
def password(
    name: Name, password_stdin: FromStdin = False, config: Config = None, as_json: AsJson = False
) -> None:
    """Change a user's password, and sign them out everywhere."""
    hashed = _password_hash(_require(config, name).name, stdin=password_stdin)
    user = _change(config, name, lambda store: store.users.set_password(name, hashed))
    _print(user, f"{user.name} has a new password, and is signed out everywhere.", as_json=as_json)


@add_command(app, "disable", "panel users disable Kim")
def disable(name: Name, config: Config = None, as_json: AsJson = False) -> None:
    """Disable an account, and sign the user out everywhere. Their past actions keep their name."""
    user = _change(config, name, lambda store: store.users.disable(name))
    _print(user, f"{user.name} may no longer sign in.", as_json=as_json)


@add_command(app, "enable", "panel users enable Kim")
def enable(name: Name, config: Config = None, as_json: AsJson = False) -> None:
    """Enable an account again."""
    user = _change(config, name, lambda store: store.users.enable(name))
    _print(user, f"{user.name} may sign in again, as {user.role.with_article}.", as_json=as_json)


async def current_actor(resolved: Resolved, store: Store) -> Actor:
    """Return the editor of the settings with the role of their account; without accounts they may do everything.

    Raises:
        SettingsError: the settings name no editor.
        GateError: there are accounts, but none of this name that may be used.
    """
    from panel.core.actor import Actor, Role

    name = resolved.settings.editor
    if name is None:
        raise SettingsError(NO_EDITOR)
    if not await store.users.all():
        return Actor(name=name, role=Role.PUBLISHER)
    user = await store.users.get(name)
    if user is None or user.disabled_at is not None:
        why = "there is no account" if user is None else "the account was disabled"
        raise GateError(f"{name}: {why}; `panel users list` shows who may work with drafts")
    return user.actor


def _users(config: Path | None) -> list[User]:
    from panel.orchestrator.store_access import use_existing_store
    from panel.settings.resolve import resolve

    return use_existing_store(resolve({}, config), lambda store: store.users.all()) or []


def _require(config: Path | None, name: str) -> User:
    user = next((user for user in _users(config) if user.actor.is_named(name)), None)
    if user is None:
        raise SettingsError(f"there is no user {name}; `panel users list` lists the accounts")
    return user


def _change(
    config: Path | None, name: str, change: Callable[[Store], Awaitable[object]], *, is_new: bool = False
) -> User:
    """Change the store, which is created for a new user, and return the user as stored afterwards."""
    from panel.orchestrator.store_access import configured_store
    from panel.settings.resolve import resolve

    async def run() -> None:
        async with configured_store(resolve({}, config)) as store:
            await change(store)

    if not is_new:
        _require(config, name)
    asyncio.run(run())
    return _require(config, name)


def _password_hash(name: str, *, stdin: bool) -> str:
    """Return the hash of a password that is piped in on one line, or else typed twice."""
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
