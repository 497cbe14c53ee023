"""`panel digest` and `panel subscribers`: the newsletter."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from panel.cli import options
from panel.cli.console import plain_result, result, result_json
from panel.errors import SettingsError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from panel.newsletter.issue import Week
    from panel.settings.resolve import Resolved
    from panel.store import Subscriber

T = TypeVar("T")

DIGEST_HELP = """Make an issue of the newsletter, as HTML and as text.

It has the reviews of the last full week, or of --week. --send mails it to every confirmed subscriber, once each: a send that was
stopped continues when it is run again. --test mails it to one address and to nobody else.

Examples:

  panel digest

  panel digest --week 2026-W47 --test kim@example.org

  panel digest --send
"""
LIST_HELP = """List everybody who signed up, confirmed or left.

Examples:

  panel subscribers list

  panel subscribers list --json
"""
EXPORT_HELP = """Write confirmed subscribers as CSV, for another service.

Cells that a spreadsheet would take for a formula begin with an apostrophe.

Examples:

  panel subscribers export readers.csv

  panel subscribers export
"""
FORGET_HELP = """Delete everything about a subscriber.

Examples:

  panel subscribers forget kim@example.org
"""

subscribers_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def digest(
    week: Annotated[
        str | None, typer.Option("--week", metavar="WEEK", help="Week of ISO 8601, such as 2026-W47.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the two files.")] = Path(
        "outputs"
    ),
    send: Annotated[bool, typer.Option("--send", help="Mail it to every confirmed subscriber.")] = False,
    test: Annotated[
        str | None, typer.Option("--test", metavar="MAIL", help="Mail it to this address only.")
    ] = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> int:
    """Make an issue, and mail it if asked to.

    JSON: `{week, reviews, files, sent, refused}`.
    """
    from panel.core.addresses import mail_address
    from panel.core.text import counted
    from panel.newsletter.issue import SendResult, Week, read_issue, send_issue, send_test, write_issue
    from panel.newsletter.mail import mail_server
    from panel.orchestrator.store_access import use_store
    from panel.settings.resolve import resolve

    if send and test:
        raise SettingsError("--send and --test exclude each other; send a test first")
    resolved = resolve(options.given(), config)
    wanted = _parsed(Week.parse, week, f"--week {week}") if week is not None else Week.last_before(_now())
    url = site_url(resolved)
    server = mail_server(resolved.settings) if send or test else None
    if send:
        _check_send(resolved, wanted)
    to = _parsed(mail_address, test, f"--test {test}") if test else None
    site = resolved.settings.site_name
    issue = use_store(resolved, lambda store: read_issue(store, wanted, url=url, site=site))
    files = write_issue(issue, out) if issue.items else []
    sent = SendResult(0, [])
    if server and to and issue.items:
        sent = send_test(server, issue, to)
    elif server and issue.items:
        key = link_key(resolved)
        sent = use_store(resolved, lambda store: send_issue(server, key, store, issue))
    if as_json:
        counts = {"week": str(wanted), "reviews": len(issue.items), "files": [str(file) for file in files]}
        result_json(counts | {"sent": sent.delivered, "refused": sent.refused})
    elif not issue.items:
        plain_result(f"Nothing was published in {issue.week}; there is no issue.")
    else:
        lines = [f"{issue.title} ({counted(len(issue.items), 'review')})", *map(str, files)]
        if server:
            lines.append(f"Sent to {sent.delivered} {'address' if sent.delivered == 1 else 'addresses'}.")
        plain_result("\n".join([*lines, *(f"Refused: {line}" for line in sent.refused)]))
    return 3 if sent.refused else 0


def link_key(resolved: Resolved) -> bytes:
    """Return the key that the newsletter's links are signed with; raises StorageError if the user's secret cannot be read."""
    from panel.newsletter.subscribers import signing_key
    from panel.settings.secret import read_secret

    return signing_key(read_secret(resolved.data_dir))


def site_url(resolved: Resolved) -> str:
    """Return the address of the site, without a slash at its end; raises SettingsError if it is not set."""
    if resolved.settings.site_url is None:
        raise SettingsError("site_url: not set; the links of the newsletter lead there")
    return resolved.settings.site_url


def _now() -> datetime:
    return datetime.now(UTC)


def _parsed(parse: Callable[[str], T], text: str, label: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise SettingsError(f"{label}: {error}") from None


def _check_send(resolved: Resolved, week: Week) -> None:
    from panel.site.options import OWN

    if _now().date() < week.end:
        raise SettingsError(
            f"--week {week}: is not over before {week.end} (UTC), and each reader gets an issue only once: reviews published "
            "later in the week would not reach them; send it then, or use --test"
        )
    newsletter = resolved.settings.newsletter
    if newsletter != OWN:
        raise SettingsError(
            f"newsletter: is {newsletter}; set it to panel, which then takes sign-ups and lets readers unsubscribe"
        )


@subscribers_app.command("list", help=LIST_HELP)
def list_subscribers(config: options.Config = None, as_json: options.AsJson = False) -> None:
    """List everybody who signed up.

    JSON: an array of `{mail, state, asked_at, confirmed_at, left_at, last_issue}`.
    """
    from panel.cli.console import table

    found = _subscribers(config)
    if as_json:
        result_json([one.model_dump(mode="json", exclude={"id"}) for one in found])
        return
    if not found:
        plain_result("Nobody has signed up for the newsletter yet.")
        return
    rows = [(one.mail, str(one.state), f"{one.asked_at:%Y-%m-%d}", one.last_issue or "") for one in found]
    plain_result("\n".join(table(("mail", "state", "signed up (UTC)", "last issue"), rows, ())))


@subscribers_app.command("export", help=EXPORT_HELP)
def export(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="File to write; standard output by default.")
    ] = None,
    config: options.Config = None,
) -> None:
    """Write confirmed subscribers as CSV."""
    from panel.atomic_files import write_whole
    from panel.newsletter.subscribers import confirmed_csv

    text = confirmed_csv(_subscribers(config))
    if file is None:
        result(text)
        return
    try:
        write_whole(file, text)
    except OSError as error:
        raise StorageError(f"{file}: {error.strerror}; choose another file") from error


@subscribers_app.command("forget", help=FORGET_HELP)
def forget(
    mail: Annotated[str, typer.Argument(metavar="MAIL", help="The subscriber's address.")],
    config: options.Config = None,
) -> None:
    """Delete everything about a subscriber."""
    from panel.core.addresses import mail_address
    from panel.orchestrator.store_access import use_store
    from panel.settings.resolve import resolve

    address = _parsed(mail_address, mail, mail)
    resolved = resolve(options.given(), config)
    if not use_store(resolved, lambda store: store.subscribers.forget(address)):
        raise SettingsError(f"{address} is not a subscriber; see panel subscribers list")
    plain_result(f"Deleted everything about {address}.")


def _subscribers(config: Path | None) -> list[Subscriber]:
    from panel.newsletter.subscribers import all_subscribers
    from panel.orchestrator.store_access import use_store
    from panel.settings.resolve import resolve

    return use_store(resolve(options.given(), config), all_subscribers)
