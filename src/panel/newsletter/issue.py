"""An issue of the newsletter: the reviews of a week, as HTML that loads nothing and as plain text."""

from __future__ import annotations

import re
import textwrap
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import PackageLoader

from panel.atomic_files import write_whole
from panel.core.frozen import Frozen
from panel.core.review import PanelReview
from panel.core.text import one_line
from panel.errors import StorageError
from panel.report import wording
from panel.report.html import environment

if TYPE_CHECKING:
    from pathlib import Path

    from jinja2 import Environment

    from panel.store import Publication, Store

LINE_CHARS = 76
EXCERPT_CHARS = 220
_WEEK = re.compile(r"(\d{4})-W(\d{2})")


class Week(NamedTuple):
    """A week of ISO 8601, from Monday to Sunday in UTC."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Week:
        """Return the week of a text such as `2026-W47`.

        Raises:
            ValueError: there is no such week.
        """
        found = _WEEK.fullmatch(text)
        if not found:
            raise ValueError("expected a week, such as 2026-W47")
        week = cls(int(found[1]), int(found[2]))
        try:
            date.fromisocalendar(week.year, week.number, 1)
        except ValueError as error:
            weeks = date(week.year, 12, 28).isocalendar().week  # that day is always in the last week
            raise ValueError(f"there is no such week; {week.year} has weeks W01 to W{weeks}") from error
        return week

    @classmethod
    def last_before(cls, moment: datetime) -> Week:
        """Return the last week that had ended at a time."""
        year, number, _ = (moment.astimezone(UTC) - timedelta(days=7)).isocalendar()
        return cls(year, number)

    @property
    def end(self) -> date:
        """The Monday after it."""
        return date.fromisocalendar(self.year, self.number, 1) + timedelta(days=7)

    def __str__(self) -> str:
        return f"{self.year:04}-W{self.number:02}"

    def includes(self, moment: datetime) -> bool:
        """Return whether a time is in the week."""
        return moment.astimezone(UTC).isocalendar()[:2] == (self.year, self.number)


class IssueItem(Frozen):
    """A review in an issue, with the editor who approved it and the address of its page."""

    review: PanelReview
    approved_by: str
    href: str

    @property
    def name(self) -> str:
        """The tool's name."""
        return one_line(self.review.tool.name)

    @property
    def excerpts(self) -> list[tuple[str, str, str]]:
        """Critic, `87/100 · ship` and the beginning of each take."""
        seats = [(seat, seat.take) for seat in self.review.seats]
        return [
            (one_line(seat.name), take.label, wording.opening(take.take, EXCERPT_CHARS))
            for seat, take in seats
            if take
        ]


class Issue(Frozen):
    """An issue of the newsletter, which differs between subscribers in the link to unsubscribe alone.

    Attributes:
        site: name of the site.
        week: such as `2026-W47`.
        url: address of the site, without a slash at its end.
        items: the reviews, the latest first.
    """

    site: str
    week: str
    url: str
    items: tuple[IssueItem, ...]

    @property
    def title(self) -> str:
        """Its subject: `Panel reviews, 2026-W47: SmolLM3, SkillClaw and 3 more`."""
        names = [item.name for item in self.items]
        more = len(names) - 2
        listed = f"{', '.join(names[:2])} and {more} more" if more > 0 else " and ".join(names)
        return f"{self.site}, {self.week}: {listed}"


async def read_issue(store: Store, week: Week, *, url: str, site: str) -> Issue:
    """Return the issue of a week: the reviews that were published in it and are still on the site.

    Raises:
        StorageError: a review was altered.
    """
    latest: dict[str, Publication] = {}
    last = 0
    while page := await store.publications.live(after=last):
        for one in page:
            # The site shows the latest review of a tool.
            name = one.shown.review.tool.canonical
            latest[name] = max(latest.get(name, one), one, key=lambda review: review.at)
        last = page[-1].draft
    found = sorted(
        (one for one in latest.values() if week.includes(one.at)), key=lambda one: one.at, reverse=True
    )
    items = (
        IssueItem(
            review=one.shown.review,
            approved_by=one.approved_by,
            href=f"{url}/tools/{one.shown.review.tool.slug}/",
        )
        for one in found
    )
    return Issue(site=site, week=str(week), url=url, items=tuple(items))


def write_issue(issue: Issue, folder: Path) -> list[Path]:
    """Write an issue as HTML and as text, and return the two files.

    Raises:
        StorageError: a file cannot be written.
    """
    texts = {"html": issue_html(issue), "txt": issue_text(issue)}
    files = [folder / f"digest-{issue.week}.{extension}" for extension in texts]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in zip(files, texts.values(), strict=True):
            write_whole(file, text)
    except OSError as error:
        raise StorageError(f"{folder}: {error.strerror}; choose another folder with --out") from error
    return files


def issue_html(issue: Issue, leave: str = "") -> str:
    """Return an issue as HTML, with a link to unsubscribe if one is given."""
    return _environment().get_template("issue.html.j2").render(issue=issue, leave=leave)


def issue_text(issue: Issue, leave: str = "") -> str:
    """Return an issue as text with at most 76 characters a line, addresses aside."""
    blocks = [issue.title, wording.AI_NOTICE, *map(_item_text, issue.items), _foot(issue, leave)]
    return "\n\n".join(block if "\n" in block else _wrap(block) for block in blocks) + "\n"


def _item_text(item: IssueItem) -> str:
    review = item.review
    head = f"{item.name} — {review.tally.line}"
    lines = [_wrap(head), "-" * min(len(head), LINE_CHARS)]
    if review.tool.tagline:
        lines.append(_wrap(one_line(review.tool.tagline)))
    lines.append(f"Panel ship: {wording.ship_share(review)} ({wording.share_basis(review)})")
    lines += [_wrap(f"{name} (AI persona), {label}: {text}", "  ") for name, label, text in item.excerpts]
    if review.embedded:
        lines.append(_wrap(wording.EMBEDDED_LINE))
    lines += [_wrap(f"Approved by {one_line(item.approved_by)}."), item.href]
    return "\n".join(lines)


def _foot(issue: Issue, leave: str) -> str:
    lines = ["--", f"How the panel works: {issue.url}/methodology/"]
    if leave:
        lines += [
            f"You get this because you signed up at {issue.url}/ and confirmed it.",
            f"Unsubscribe: {leave}",
        ]
    return "\n".join(lines)


def _wrap(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text,
        LINE_CHARS,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


@cache
def _environment() -> Environment:
    return environment(PackageLoader("panel", "newsletter/templates"))
