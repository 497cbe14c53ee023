"""The parts that pages are made of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.web.highlight import TONES, Highlight, Piece, find_quote, highlight
from panel.web.wording import age, ago

NOW = datetime(2026, 11, 22, tzinfo=UTC)
stretches = st.builds(
    lambda start, length, tone, number: Highlight(start, start + length, tone, tone, number),
    st.integers(0, 30),
    st.integers(0, 10),
    st.sampled_from(TONES),
    st.none() | st.integers(1, 9),
)


@given(st.text(max_size=30), st.lists(stretches, max_size=6))
def test_pieces_are_the_text_again(text: str, over: list[Highlight]) -> None:
    """Whatever is marked, and however it overlaps, no character is lost or said twice."""
    assert "".join(piece.text for piece in highlight(text, over)) == text


def test_the_gravest_mark_wins() -> None:
    """Where stretches overlap, the piece has the gravest tone, all that is to be said, and the numbers that end there."""
    over = [Highlight(0, 8, "quoted", "a quote"), Highlight(2, 4, "unsupported", "a price", 3)]
    assert highlight("It costs", over) == [
        Piece("It", "quoted", "a quote"),
        Piece(" c", "unsupported", "a quote; a price", (3,)),
        Piece("osts", "quoted", "a quote"),
    ]


@pytest.mark.parametrize(
    ("text", "quote", "found"),
    [
        ("It reads **log  files** at night.", "reads log files", ["reads **log  files"]),
        ("It\u2019s “fast” \u2013 and small.", 'It\'s "fast" - and', ["It\u2019s “fast” \u2013 and"]),
        ("It reads files, writes files, and more.", "reads files … and more", ["reads files", "and more"]),
        ("It reads files.", "writes files", []),
        ("It reads files.", "a", []),
    ],
)
def test_a_quote_is_found_as_a_reader_would(text: str, quote: str, found: list[str]) -> None:
    """Case, white space, emphasis, typography and an ellipsis do not hide a quote; other words do."""
    assert [text[each.start : each.end] for each in find_quote(text, quote, "")] == found


@pytest.mark.parametrize(
    ("seconds", "short", "long"),
    [
        (5, "< 1 min", "just now"),
        (60, "1 min", "1 minute ago"),
        (7_300, "2 h", "2 hours ago"),
        (200_000, "2 d", "2 days ago"),
    ],
)
def test_ages_are_told_in_their_largest_unit(seconds: int, short: str, long: str) -> None:
    """An age is told in minutes, hours or days, rounded down."""
    then = NOW - timedelta(seconds=seconds)
    assert (age(then, NOW), ago(then, NOW)) == (short, long)
