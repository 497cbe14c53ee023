from __future__ import annotations

import pytest

import builders
from panel.core.completion import Usage
from panel.report.wording import asks, cost, monogram, opening, tokens, usage_line

KNOWN = Usage(input_tokens=12_340, cached_tokens=8_000, output_tokens=1_234, cost_usd=0.0123)


def changed(**fields: object) -> Usage:
    return KNOWN.model_copy(update=fields)


@pytest.mark.parametrize(
    ("usage", "line"),
    [
        (KNOWN, "12,340 tokens in (8,000 cached) · 1,234 out · $0.0123"),
        (changed(cached_tokens=0), "12,340 tokens in · 1,234 out · $0.0123"),
        (changed(cached_tokens=None), "12,340 tokens in · 1,234 out · $0.0123"),
        (changed(estimated=True), "about 12,340 tokens in (8,000 cached) · 1,234 out · about $0.0123"),
        (changed(cost_usd=None), "12,340 tokens in (8,000 cached) · 1,234 out · price unknown"),
        (changed(cost_usd=0.0), "12,340 tokens in (8,000 cached) · 1,234 out · free"),
        (changed(output_tokens=None), "12,340 tokens in (8,000 cached) · unknown out · $0.0123"),
        (Usage(), "tokens unknown · price unknown"),
        (
            changed(lost_calls=1),
            "12,340 tokens in (8,000 cached) · 1,234 out · $0.0123 · 1 further call may have been billed",
        ),
        (Usage.lost(2), "2 calls may have been billed"),
        (Usage.lost(0), "Nothing consumed"),
    ],
)
def test_line_says_what_is_known_and_what_is_not(usage: Usage, line: str) -> None:
    assert usage_line(usage) == line


@pytest.mark.parametrize(
    ("usage", "cells"),
    [
        (KNOWN, ("12,340 in (8,000 cached) / 1,234 out", "$0.0123")),
        (changed(estimated=True), ("about 12,340 in (8,000 cached) / 1,234 out", "about $0.0123")),
        (Usage(), ("unknown in / unknown out", "unknown")),
        (Usage.lost(1), ("unknown", "unknown")),
        (Usage.lost(0), ("none", "none")),
    ],
)
def test_cells_of_a_seat_say_the_same(usage: Usage, cells: tuple[str, str]) -> None:
    assert (tokens(usage), cost(usage)) == cells


def test_attempts_are_told_where_they_exceed_the_answers() -> None:
    counts = [(1, 1), (2, 2), (1, 3), (0, 1)]
    assert [asks(builders.provenance(asks=a, attempts=n)) for a, n in counts] == [
        "1", "2", "1 (3 attempts)", "0 (1 attempt)",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "letters"),
    [("SmolLM3", "SL"), ("lantern", "L"), ("Visual Code Two", "VC"), ("42", "#"), ("名刺", "名")],
)
def test_monogram_takes_the_first_two_words(name: str, letters: str) -> None:
    assert monogram(name) == letters


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("One. Two. Three.", 10, "One. Two."),
        ("One sentence that is long.", 12, "One…"),
        ("Short.", 80, "Short."),
        ("一文。二文。三文。", 6, "一文。二文。"),
        ("unbrokenword", 6, "unbrok…"),
    ],
)
def test_opening_ends_at_a_sentence_or_a_word(text: str, limit: int, shown: str) -> None:
    assert opening(text, limit) == shown
