"""A week's reviews as a newsletter: HTML that mail programs show without loading anything, and the same as text."""

from __future__ import annotations

import re
import textwrap
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import PackageLoader

from panel.core.base import Frozen
from panel.core.review import PanelReview
from panel.core.text import one_line
from panel.report import wording
from panel.report.html import environment

if TYPE_CHECKING:
    from jinja2 import Environment

WIDTH = 76
SENTENCE_CHARS = 220
_WEEK = re.compile(r"(\d{4})-W(\d{2})")


class Week(NamedTuple):
    """A week by ISO 8601, from Monday to Sunday in UTC."""

    year: int
    number: int

    @classmethod
    def read(cls, text: str) -> Week:
        """Return the week that a text such as `2026-W47` names.

        Raises:
            ValueError: there is none of that name.
        """
        found = _WEEK.fullmatch(text)
        if not found:
            raise ValueError("expected a week, such as 2026-W47")
        week = cls(int(found[1]), int(found[2]))
        try:
            date.fromisocalendar(week.year, week.number, 1)
        except ValueError as error:
            raise ValueError(
                f"there is no such week; {week.year} has weeks W01 to W{_weeks(week.year)}"
            ) from error
        return week

    @classmethod
    def before(cls, moment: datetime) -> Week:
        """Return the last week that was over at a moment."""
        year, number, _ = (moment.astimezone(UTC) - timedelta(days=7)).isocalendar()
        return cls(year, number)

    @property
    def end(self) -> date:
        """The Monday after it."""
        return date.fromisocalendar(self.year, self.number, 1) + timedelta(days=7)

    def __str__(self) -> str:
        return f"{self.year:04}-W{self.number:02}"

    def has(self, moment: datetime) -> bool:
        """Whether a moment lies in it."""
        return moment.astimezone(UTC).isocalendar()[:2] == (self.year, self.number)


def _weeks(year: int) -> int:
    return date(year, 12, 28).isocalendar().week  # always in the last one


class Item(Frozen):
    """A review in an issue.

    Attributes:
        review: the review, as it is on the site.
        by: the editor who approved it.
        href: the address of its page.
    """

    review: PanelReview
    by: str
    href: str

    @property
    def name(self) -> str:
        """The tool's name."""
        return one_line(self.review.tool.name)

    @property
    def said(self) -> list[tuple[str, str, str]]:
        """For each take, the critic, `87/100 · ship`, and how the take begins."""
        seats = [(seat, seat.take) for seat in self.review.seats]
        return [
            (one_line(seat.name), take.label, wording.opening(take.take, SENTENCE_CHARS))
            for seat, take in seats
            if take
        ]


class Issue(Frozen):
    """An issue of the newsletter, the same for everybody but for the way out of it.

    Attributes:
        site: what the site is called.
        week: such as `2026-W47`.
        url: the site's address, without a slash at its end.
        items: the reviews, the last one that was published first.
    """

    site: str
    week: str
    url: str
    items: tuple[Item, ...]

    @property
    def title(self) -> str:
        """Its subject: `Panel reviews, 2026-W47: SmolLM3, SkillClaw and 3 more`."""
        names = [item.name for item in self.items]
        more = len(names) - 2
        listed = f"{', '.join(names[:2])} and {more} more" if more > 0 else " and ".join(names)
        return f"{self.site}, {self.week}: {listed}"


def digest_html(issue: Issue, leave: str = "") -> str:
    """Return an issue as HTML; `leave` is the address by which whoever gets it can leave."""
    return _environment().get_template("digest.html.j2").render(issue=issue, leave=leave)


def digest_text(issue: Issue, leave: str = "") -> str:
    """Return an issue as text, at most 76 characters a line, addresses aside."""
    blocks = [issue.title, wording.AI_NOTICE, *(_item(item) for item in issue.items), _foot(issue, leave)]
    return "\n\n".join(block if "\n" in block else _wrapped(block) for block in blocks) + "\n"


def _item(item: Item) -> str:
    review = item.review
    head = f"{item.name} — {review.tally.line}"
    lines = [_wrapped(head), "-" * min(len(head), WIDTH)]
    if review.tool.tagline:
        lines.append(_wrapped(one_line(review.tool.tagline)))
    lines.append(f"Panel ship: {wording.ship_share(review)} ({wording.share_basis(review)})")
    lines += [_wrapped(f"{name} (AI persona), {label}: {said}", "  ") for name, label, said in item.said]
    if review.embedded:
        lines.append(_wrapped(wording.EMBEDDED_LINE))
    lines += [_wrapped(f"Approved by {one_line(item.by)}."), item.href]
    return "\n".join(lines)


def _foot(issue: Issue, leave: str) -> str:
    lines = [f"How the panel works: {issue.url}/methodology/"]
    if leave:
        lines += [f"You get this because you signed up at {issue.url}/ and confirmed it.", f"Leave: {leave}"]
    return "\n".join(["--", *lines])


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


@cache
def _environment() -> Environment:
    return environment(PackageLoader("panel", "report/templates"))
