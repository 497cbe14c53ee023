from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

import builders
from panel.newsletter.issue import Issue, IssueItem, Week, issue_html, issue_text
from publishing import make_review

if TYPE_CHECKING:
    from panel.core.review import PanelReview

URL = "https://reviews.example"


def hostile(attack: str) -> PanelReview:
    padded = f"{attack} and enough words around it to make a take of the length that is asked for."
    return builders.review(
        *(builders.take(text=padded),) * 3, of=builders.tool(f"x {attack}"[:110], tagline=attack)
    )


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "\x1b[2J",
        "{{ 7*7 }}",
        "\u202e\u2028",
        "https://exfil.invalid",
    ],
)
def test_no_attack_becomes_markup_in_a_mail(attack: str) -> None:
    """Neither HTML nor text has markup, links or control characters from a listing or a take."""
    item = IssueItem(review=hostile(attack), approved_by="Kim", href=f"{URL}/tools/x/")
    issue = Issue(site="Panel reviews", week="2026-W47", url=URL, items=(item,))
    page, text = issue_html(issue), issue_text(issue)
    assert page.count("<script") == page.count("<img") == 0
    assert 'href="https://exfil' not in page
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "\n" not in issue.title


def test_an_embedded_draft_is_marked() -> None:
    reviews = (builders.embedded_review(builders.tool("Tiny")), make_review("Large"))
    items = tuple(IssueItem(review=one, approved_by="Kim", href=f"{URL}/tools/x/") for one in reviews)
    issue = Issue(site="Panel reviews", week="2026-W47", url=URL, items=items)
    assert issue_html(issue).count("Embedded draft:") == issue_text(issue).count("Embedded draft:") == 1


def test_weeks_follow_iso_8601_in_utc() -> None:
    week = Week.parse("2026-W01")
    assert (week.end.isoformat(), str(week)) == ("2026-01-05", "2026-W01")
    assert week.includes(datetime(2025, 12, 29, tzinfo=UTC))
    assert not week.includes(datetime(2026, 1, 5, tzinfo=UTC))
    assert str(Week.last_before(datetime(2026, 1, 5, tzinfo=UTC))) == "2026-W01"
