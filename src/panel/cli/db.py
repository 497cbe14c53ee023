"""`panel db`: where answers and drafts are kept, whether they are sound, and a copy of them."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the type of FILE
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.errors import SettingsError, StorageError

if TYPE_CHECKING:
    from panel.store import StoreInfo

CHECK_HELP = """Check whether the database is sound.

Reads every answer and every draft. Prints a line for each flaw and ends with 74 if there is one.

Examples:

  panel db check

  panel db check --json
"""
BACKUP_HELP = """Write a copy of the database to FILE.

A batch may write to the database meanwhile: the copy is whole. FILE must not be there yet. To use a copy, name it: PANEL_DATABASE_URL=FILE panel batch list

Examples:

  panel db backup monday.db
"""
PATH_HELP = """Show where the database is, its kind, its revision and its size.

Examples:

  panel db path

  panel db path --json
"""

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("check", help=CHECK_HELP)
def check(config: options.Config = None, as_json: options.AsJson = False) -> int:
    """Check whether the database is sound.

    JSON: `{where, sound, flaws}`, a line for each flaw.
    """
    from panel.cli.console import plain_result, result_json
    from panel.orchestrator.stores import require_store, use_store
    from panel.settings.resolve import resolve

    resolved = resolve(options.given(), config)
    where = require_store(resolved).where
    flaws = use_store(resolved, lambda store: store.check())
    if as_json:
        result_json({"where": where, "sound": not flaws, "flaws": flaws})
    else:
        plain_result(verdict(where, flaws))
    return StorageError.exit_code if flaws else 0


@app.command("backup", help=BACKUP_HELP)
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes.")],
    config: options.Config = None,
) -> None:
    """Write a copy of the database."""
    from panel.cli.console import plain_result
    from panel.core.text import byte_size
    from panel.orchestrator.stores import require_store, use_store
    from panel.settings.resolve import resolve

    resolved = resolve(options.given(), config)
    seen = require_store(resolved)
    if seen.kind == "PostgreSQL":
        raise SettingsError(f"{seen.where} is PostgreSQL; back it up with pg_dump")
    if file.exists() or file.is_symlink():
        raise SettingsError(f"{file} is there already; choose another name for the copy")
    use_store(resolved, lambda store: store.backup(file))
    plain_result(f"{file.absolute()}: a copy of {seen.where}, {byte_size(file.stat().st_size)}")


@app.command("path", help=PATH_HELP)
def path(config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Show where the database is.

    JSON: `{where, kind, revision, bytes}`.
    """
    from panel.cli.console import plain_result, result_json
    from panel.orchestrator.stores import require_store
    from panel.settings.resolve import resolve

    seen = require_store(resolve(options.given(), config))
    if as_json:
        result_json(seen.model_dump(mode="json"))
    else:
        plain_result("\n".join(described(seen)))


def verdict(where: str, flaws: list[str]) -> str:
    """Return what a check found, a line for each flaw."""
    if not flaws:
        return f"{where} is sound"
    return "\n".join([*flaws, f"{where} is not sound; restore a backup, or report it as a bug in panel"])


def described(seen: StoreInfo) -> list[str]:
    """Return where a database is and what it is."""
    from panel.core.text import byte_size

    revision = f"{seen.revision}, of a newer panel" if seen.is_newer else seen.revision
    return [
        f"where     {seen.where}",
        f"kind      {seen.kind}",
        f"revision  {revision}",
        f"size      {byte_size(seen.bytes)}",
    ]
