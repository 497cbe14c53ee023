"""`panel digest`: the week's reviews as a newsletter."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.errors import SettingsError, StorageError

if TYPE_CHECKING:
    from panel.cli.sending import Sent
    from panel.newsletter.issue import Issue, Week
    from panel.settings.resolve import Resolved
    from panel.store import Publication, Store

HELP = """Make the week's issue of the newsletter, as HTML and as text.

It holds what was published in the week, by the last full one unless --week names another. --send mails it to everybody who confirmed
a sign-up, each once: a send that was stopped goes on where it was. --test mails it to one address and to nobody else.

Examples:

  panel digest

  panel digest --week 2026-W47 --test kim@example.org

  panel digest --send
"""


def digest(
    week: Annotated[
        str | None, typer.Option("--week", metavar="WEEK", help="Week by ISO 8601, such as 2026-W47.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the two files.")] = Path(
        "outputs"
    ),
    send: Annotated[
        bool, typer.Option("--send", help="Mail it to everybody who confirmed a sign-up.")
    ] = False,
    test: Annotated[
        str | None, typer.Option("--test", metavar="MAIL", help="Mail it to this address alone.")
    ] = None,
    config: options.Config = None,
    as_json: options.AsJson = False,
) -> int:
    """Make an issue, and mail it if that is asked for.

    JSON: `{week, reviews, files, sent, refused}`.
    """
    from panel.cli.console import plain_result, result_json
    from panel.cli.mailing import post_of, site_url
    from panel.orchestrator.stores import use_store
    from panel.settings.resolve import resolve
    from panel.site.options import OWN

    if send and test:
        raise SettingsError("--send and --test exclude each other; send a test first")
    resolved = resolve(options.given(), config)
    wanted, url = _week(week), site_url(resolved)
    if send and _now().date() < wanted.end:
        raise SettingsError(
            f"--week {wanted}: is not over before {wanted.end} (UTC), and each reader gets an issue once: what is published "
            "later in it would not reach them; send it then, or use --test"
        )
    if send or test:
        post_of(resolved)
    if send and resolved.settings.newsletter != OWN:
        raise SettingsError(
            f"newsletter: is {resolved.settings.newsletter}; panel sends issues, and takes care of those who leave, where it is panel"
        )
    to = _address(test) if test else None
    issue = use_store(resolved, lambda store: _issue(store, wanted, url, resolved.settings.site_name))
    files = _written(issue, out) if issue.items else []
    sent = _mailed(resolved, issue, to) if issue.items and (send or to) else None
    if as_json:
        result_json(
            {
                "week": str(wanted),
                "reviews": len(issue.items),
                "files": [str(file) for file in files],
                "sent": sent.delivered if sent else 0,
                "refused": sent.refused if sent else [],
            }
        )
    else:
        plain_result(_said(issue, files, sent))
    return 3 if sent and sent.refused else 0


def _address(text: str) -> str:
    from panel.core.mail import mail_address

    try:
        return mail_address(text)
    except ValueError as error:
        raise SettingsError(f"--test {text}: {error}") from None


def _now() -> datetime:
    return datetime.now(UTC)


def _week(text: str | None) -> Week:
    from panel.newsletter.issue import Week

    if text is None:
        return Week.before(_now())
    try:
        return Week.read(text)
    except ValueError as error:
        raise SettingsError(f"--week {text}: {error}") from None


async def _issue(store: Store, week: Week, url: str, site: str) -> Issue:
    from panel.newsletter.issue import Issue, Item

    latest: dict[str, Publication] = {}
    last = 0
    while page := await store.publications.live(after=last):
        for one in page:
            # Of a tool that was reviewed twice, the later review is on the site.
            name = one.shown.review.tool.canonical
            latest[name] = max(latest.get(name, one), one, key=lambda review: review.at)
        last = page[-1].draft
    found = sorted((one for one in latest.values() if week.has(one.at)), key=lambda one: one.at, reverse=True)
    items = tuple(
        Item(
            review=one.shown.review,
            by=one.approved_by,
            href=f"{url}/tools/{one.shown.review.tool.slug}/",
        )
        for one in found
    )
    return Issue(site=site, week=str(week), url=url, items=items)


def _written(issue: Issue, out: Path) -> list[Path]:
    from panel.atomic_files import write_whole
    from panel.newsletter.issue import digest_html, digest_text

    texts = {"html": digest_html(issue), "txt": digest_text(issue)}
    files = [out / f"digest-{issue.week}.{ending}" for ending in texts]
    try:
        out.mkdir(parents=True, exist_ok=True)
        for file, text in zip(files, texts.values(), strict=True):
            write_whole(file, text)
    except OSError as error:
        raise StorageError(f"{out}: {error.strerror}; choose another folder with --out") from error
    return files


def _mailed(resolved: Resolved, issue: Issue, test: str | None) -> Sent:
    from panel.cli.sending import send_issue, send_test
    from panel.orchestrator.stores import use_store

    if test:
        return send_test(resolved, issue, test)
    return use_store(resolved, lambda store: send_issue(resolved, store, issue))


def _said(issue: Issue, files: list[Path], sent: Sent | None) -> str:
    from panel.report.wording import counted

    if not issue.items:
        return f"Nothing was published in {issue.week}; there is no issue."
    lines = [f"{issue.title} ({counted(len(issue.items), 'review')})", *map(str, files)]
    if sent:
        lines.append(
            f"Sent to {counted(sent.delivered, 'address') if sent.delivered == 1 else f'{sent.delivered} addresses'}."
        )
        lines += [f"Refused: {line}" for line in sent.refused]
    return "\n".join(lines)
