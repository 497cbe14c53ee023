"""`panel subscribers`: who gets the newsletter."""

from __future__ import annotations

import csv
import io
from pathlib import Path  # noqa: TC003 - typer reads the type of an option
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.errors import SettingsError, StorageError

if TYPE_CHECKING:
    from panel.settings.resolve import Resolved
    from panel.store import Store, Subscriber

LIST_HELP = """List who asked for the newsletter, who confirmed, and who left.

Examples:

  panel subscribers list

  panel subscribers list --json
"""
EXPORT_HELP = """Write everybody who confirmed as CSV, for another service.

Cells that a spreadsheet would take for a formula begin with an apostrophe.

Examples:

  panel subscribers export readers.csv

  panel subscribers export
"""
FORGET_HELP = """Delete all that is known of a reader.

Examples:

  panel subscribers forget kim@example.org
"""
_FORMULA = (*tuple("=+-@\t\r\n"), "\uff1d", "\uff0b", "\uff0d", "\uff20")
_COLUMNS = ("mail", "asked_at", "confirmed_at", "last_issue")

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command("list", help=LIST_HELP)
def list_subscribers(config: options.Config = None, as_json: options.AsJson = False) -> None:
    """List everybody.

    JSON: an array of `{mail, state, asked_at, confirmed_at, left_at, last_issue}`.
    """
    from panel.cli.console import plain_result, result_json
    from panel.cli.rows import table

    found = _all(_resolved(config))
    if as_json:
        result_json([one.model_dump(mode="json", exclude={"id"}) for one in found])
        return
    if not found:
        plain_result("Nobody has asked for the newsletter yet.")
        return
    rows = [(one.mail, str(one.state), f"{one.asked_at:%Y-%m-%d}", one.last_issue or "") for one in found]
    plain_result("\n".join(table(("mail", "state", "asked (UTC)", "last issue"), rows, ())))


@app.command("export", help=EXPORT_HELP)
def export(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Where it goes; standard output if left out.")
    ] = None,
    config: options.Config = None,
) -> None:
    """Write everybody who confirmed as CSV."""
    from panel.atomic_files import write_whole
    from panel.cli.console import result

    text = _csv([one for one in _all(_resolved(config)) if one.state == "confirmed"])
    if file is None:
        result(text)
        return
    try:
        write_whole(file, text)
    except OSError as error:
        raise StorageError(f"{file}: {error.strerror}; choose another place") from error


@app.command("forget", help=FORGET_HELP)
def forget(
    mail: Annotated[str, typer.Argument(metavar="MAIL", help="Their address.")], config: options.Config = None
) -> None:
    """Delete all that is known of a reader."""
    from panel.cli.console import plain_result
    from panel.core.mail import mail_address
    from panel.orchestrator.stores import use_store

    try:
        address = mail_address(mail)
    except ValueError as error:
        raise SettingsError(f"{mail}: {error}") from None
    known = use_store(_resolved(config), lambda store: store.subscribers.forget(address))
    if not known:
        raise SettingsError(f"{address} is not known; see panel subscribers list")
    plain_result(f"{address} is forgotten.")


def safe_cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; a leading apostrophe is taken off again on import."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _csv(found: list[Subscriber]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(_COLUMNS)
    for one in found:
        row = one.model_dump(mode="json")
        writer.writerow([safe_cell(row[name] or "") for name in _COLUMNS])
    return out.getvalue()


def _resolved(config: Path | None) -> Resolved:
    from panel.settings.resolve import resolve

    return resolve(options.given(), config)


def _all(resolved: Resolved) -> list[Subscriber]:
    from panel.orchestrator.stores import use_store

    async def read(store: Store) -> list[Subscriber]:
        found: list[Subscriber] = []
        while page := await store.subscribers.page(after=found[-1].id if found else 0):
            found += page
        return found

    return use_store(resolved, read)
