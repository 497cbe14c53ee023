"""`panel db`: address, soundness and backup of the database."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the type of FILE
from typing import Annotated

import typer

from panel.cli import options
from panel.errors import SettingsError, StorageError

CHECK_HELP = """Check whether the database is sound.

Reads every answer and every draft. Prints a line for each flaw, and ends with 74 if there is one.

Examples:

  panel db check

  panel db check --json
"""
BACKUP_HELP = """Write a copy of the database to FILE.

The copy is consistent even while a batch writes to the database. FILE must not exist. To use a copy, name it: PANEL_DATABASE_URL=FILE panel batch list

Examples:

  panel db backup monday.db
"""
PATH_HELP = """Show the address of the database, its kind, its revision and its size.

Examples:

  panel db path

  panel db path --json
"""

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("check", help=CHECK_HELP)
def check(config: options.Config = None, as_json: options.AsJson = False) -> int:
    """Print the flaws of the database, one line each; JSON: `{where, sound, flaws}`."""
    from panel.cli.console import plain_result, result_json
    from panel.orchestrator.store_access import require_store, use_store
    from panel.settings.resolve import resolve

    resolved = resolve(options.given(), config)
    where = require_store(resolved).where
    flaws = use_store(resolved, lambda store: store.check())
    if as_json:
        result_json({"where": where, "sound": not flaws, "flaws": flaws})
    elif flaws:
        advice = f"{where} is not sound; restore a backup, or report it as a bug in panel"
        plain_result("\n".join([*flaws, advice]))
    else:
        plain_result(f"{where} is sound")
    return StorageError.exit_code if flaws else 0


@app.command("backup", help=BACKUP_HELP)
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the copy.")],
    config: options.Config = None,
) -> None:
    """Write a copy of the database."""
    from panel.cli.console import plain_result
    from panel.core.text import byte_size
    from panel.orchestrator.store_access import require_store, use_store
    from panel.settings.resolve import resolve

    resolved = resolve(options.given(), config)
    info = require_store(resolved)
    if info.kind == "PostgreSQL":
        raise SettingsError(f"{info.where} is PostgreSQL; back it up with pg_dump")
    if file.exists() or file.is_symlink():
        raise SettingsError(f"{file} exists already; choose another name for the copy")
    use_store(resolved, lambda store: store.backup(file))
    plain_result(f"{file.absolute()}: a copy of {info.where}, {byte_size(file.stat().st_size)}")


@app.command("path", help=PATH_HELP)
def path(config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Print the address of the database; JSON: `{where, kind, revision, bytes}`."""
    from panel.cli.console import plain_result, result_json
    from panel.core.text import byte_size
    from panel.orchestrator.store_access import require_store
    from panel.settings.resolve import resolve

    info = require_store(resolve(options.given(), config))
    if as_json:
        result_json(info.model_dump(mode="json"))
        return
    revision = f"{info.revision}, of a newer version of panel" if info.is_newer else info.revision
    plain_result(
        f"where     {info.where}\n"
        f"kind      {info.kind}\n"
        f"revision  {revision}\n"
        f"size      {byte_size(info.bytes)}"
    )
