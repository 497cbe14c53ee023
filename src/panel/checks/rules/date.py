"""Dates that a take names: days, months of a year, quarters and years."""

from __future__ import annotations

import re
from dataclasses import dataclass

from panel.checks.numerals import unit_after
from panel.checks.registry import Claim, Claims, ClaimText, Meaning, claim_check

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
class Date(Meaning):
    """A date by its known parts, such as `("year", 2026)`; a month has its quarter beside it."""

    known: frozenset[tuple[str, int]]

    @property
    def keys(self) -> tuple[object, ...]:
        """The known parts."""
        return tuple(self.known)

    def follows_from(self, other: Meaning) -> bool:
        """Return whether the other has the same parts, and perhaps more."""
        return isinstance(other, Date) and self.known <= other.known


@claim_check("date", precedence=40)
def _read(subject: ClaimText) -> Claims:
    """Yield the dates of a text; a number of things is none, as in `2048 tokens`."""
    text = subject.text
    for found in _DATE.finditer(text):
        if not (found["bare"] and unit_after(text, found.end())[0]):
            start = found.start() + (len("the ") if found[0].startswith("the ") else 0)
            yield Claim((start, found.end()), _date(found))


def _date(found: re.Match[str]) -> Date:
    if found["iso"]:
        year, month, day = found["iso"].split("-")
    else:
        year, day = (
            next(filter(None, map(found.group, names)), None)
            for names in (("year", "us_year", "month_year", "quarter_year", "bare"), ("day", "us_day"))
        )
        name = found["month"] or found["us_month"] or found["only_month"]
        month = str(_MONTHS.index(name[:3].lower()) + 1) if name else None
    quarter = found["quarter"] or _QUARTERS.get(found["spelled"] or "")
    if month:
        quarter = (int(month) + 2) // 3
    parts = {"year": year, "month": month, "day": day, "quarter": quarter}
    return Date(frozenset((part, int(value)) for part, value in parts.items() if value))
