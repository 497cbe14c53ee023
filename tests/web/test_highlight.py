"""Highlights in texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.web.highlight import TONES, Highlight, Piece, find_quote, highlight

stretches = st.builds(
    lambda start, length, tone, number: Highlight(start, start + length, tone, tone, number),
    st.integers(0, 30),
    st.integers(0, 10),
    st.sampled_from(TONES),
    st.none() | st.integers(1, 9),
)


@given(st.text(max_size=30), st.lists(stretches, max_size=6))
def test_pieces_are_the_text_again(text: str, over: list[Highlight]) -> None:
    assert "".join(piece.text for piece in highlight(text, over)) == text


def test_the_gravest_mark_wins() -> None:
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
    assert [text[each.start : each.end] for each in find_quote(text, quote, "")] == found
