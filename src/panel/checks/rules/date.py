"""Dates that a take names: days, months of a year, quarters and years."""

from __future__ import annotations

import re
from dataclasses import dataclass

from panel.checks.numerals import unit_after
from panel.checks.registry import Claim, ClaimCheck, Claims, ClaimText, Meaning

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_QUARTERS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4}

_MONTH = r"(?P<{0}>(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?:uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?)\b\.?"
_YEAR = r"(?P<{0}>(?:19|20)[0-9]{{2}})"
_DAY = r"(?P<{0}>[0-3]?[0-9])(?:st|nd|rd|th)?"
_DATE = re.compile(
    rf"(?<![\w.,$€£])(?:(?P<iso>(?:19|20)[0-9]{{2}}-[01][0-9]-[0-3][0-9])"
    rf"|{_DAY.format('day')}(?: of)? {_MONTH.format('month')}(?:,? {_YEAR.format('year')})?"
    rf"|{_MONTH.format('us_month')} {_DAY.format('us_day')}\b(?:,? {_YEAR.format('us_year')})?"
    rf"|{_MONTH.format('only_month')},? {_YEAR.format('month_year')}"
    rf"|(?:Q(?P<quarter>[1-4])|(?:the )?(?P<spelled>first|second|third|fourth|last) quarter)(?: of)? {_YEAR.format('quarter_year')}"
    rf"|{_YEAR.format('bare')})(?![\w])(?![.,-][0-9])"
)


@dataclass(frozen=True)
class Day(Meaning):
    """A date, or the known parts of it: a year, a month or quarter of it, a day of a month."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    quarter: int | None = None

    @property
    def indexes(self) -> tuple[object, ...]:
        """Each known part, so that a date shares one with every date that is at least as precise."""
        parts = (("year", self.year), ("month", self.month), ("day", self.day), ("quarter", self.quarter))
        derived = ("quarter", _quarter_of(self.month))
        return tuple(part for part in (*parts, derived) if part[1] is not None)

    def follows_from(self, other: Meaning) -> bool:
        """Return whether the other has the same parts, and perhaps more."""
        if not isinstance(other, Day):
            return False
        mine = (self.year, self.month, self.day, self.quarter)
        theirs = (other.year, other.month, other.day, other.quarter or _quarter_of(other.month))
        return all(own is None or own == other for own, other in zip(mine, theirs, strict=True))


def _read(subject: ClaimText) -> Claims:
    """Yield the dates of a text; a number of things is none, as in `2048 tokens`."""
    text = subject.text
    for found in _DATE.finditer(text):
        if not (found["bare"] and unit_after(text, found.end())[0]):
            lead = len("the ") if found[0].startswith("the ") else 0
            yield Claim(found.start() + lead, found.end(), _day(found))


def _day(found: re.Match[str]) -> Day:
    if found["iso"]:
        year, month, day = map(int, found["iso"].split("-"))
        return Day(year, month, day)
    year_text = next(
        filter(None, map(found.group, ("year", "us_year", "month_year", "quarter_year", "bare"))), None
    )
    named = found["month"] or found["us_month"] or found["only_month"]
    day_text = found["day"] or found["us_day"]
    spelled = _QUARTERS.get(found["spelled"] or "")
    return Day(
        int(year_text) if year_text else None,
        _MONTHS.index(named[:3].lower()) + 1 if named else None,
        int(day_text) if day_text else None,
        int(found["quarter"]) if found["quarter"] else spelled,
    )


def _quarter_of(month: int | None) -> int | None:
    return (month + 2) // 3 if month else None


CHECK = ClaimCheck(
    kind="date",
    read=_read,
    precedence=40,
)
