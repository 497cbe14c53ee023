"""Times in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from panel.web.wording import age, ago

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "short", "long"),
    [
        (5, "< 1 min", "just now"),
        (60, "1 min", "1 minute ago"),
        (7_300, "2 h", "2 hours ago"),
        (200_000, "2 d", "2 days ago"),
    ],
)
def test_ages_have_their_largest_unit(seconds: int, short: str, long: str) -> None:
    then = NOW - timedelta(seconds=seconds)
    assert (age(then, NOW), ago(then, NOW)) == (short, long)
