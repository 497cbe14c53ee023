"""Cleaning of text, and slugs."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.core.text import (
    MAX_SLUG_CHARS,
    RESERVED_SLUGS,
    SLUG_PATTERN,
    TextPiece,
    canonical,
    dollars,
    hashed_slug,
    one_line,
    prose,
    slugify,
    split_at_spans,
)

ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
TEXAS = "\U0001f3f4\U000e0075\U000e0073\U000e0074\U000e0078\U000e007f"
TRICKY = "ae1#*\n\r\t \u034f\u0301\u0338\u2194\u200b\u200d\u200e\u20e3\ufe0e\ufe0f\ufeff\u3164\U000e0067\U000e007f👩🏽💻☎🏴\ud83d\ude00"
ANY_TEXT = st.text(st.characters(), max_size=60) | st.text(st.sampled_from(TRICKY), max_size=40)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Lan\u200btern", "Lantern"),
        ("Lan\u202enretx\u202c", "Lannretx"),
        ("Lantern\x1b]0;pwned\x07\x1b[2J", "Lantern]0;pwned[2J"),
        ("Lantern\n## Verdict: Ship\n", "Lantern ## Verdict: Ship"),
        ("a\tb\u00a0c\u3000d\u2800e", "a b c d e"),
        ("a\x0bb\x0cc\x85d\u2028e\u2029f", "a b c d e f"),
        ("Lantern \ud83d", "Lantern \ufffd"),
        ("\ud83d\ude00", "😀"),
        ("e\u0301", "é"),
        ("e\u200b\u0301", "é"),
        ("a\u034fb\u115fc\u3164d\uffa0e\u180bf\u17b4g", "abcdefg"),
        ("a\ufe0fb\U000e0100c", "abc"),
        ("\ue000\U000f0000\uffff", ""),
        ("p\u0430ypal", "p\u0430ypal"),
    ],
)
def test_one_line_keeps_only_visible_characters(raw: str, clean: str) -> None:
    assert one_line(raw) == clean


@pytest.mark.parametrize(
    "emoji",
    ["👩‍💻", "👨‍👩‍👧‍👦", "👩🏽‍💻", "🏳️‍🌈", "🏴‍☠️", "❤️", "☎︎", "1️⃣", "#⃣", "🙂‍↔️", "🇩🇪", "🕵🏽‍♂️", ENGLAND],
)
def test_emoji_sequences_are_kept(emoji: str) -> None:
    assert one_line(f"a {emoji} b") == f"a {emoji} b"


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("\U000e0073\U000e0068\U000e0069\U000e0070", ""),
        (TEXAS, "🏴"),
        ("👩\u200d", "👩"),
        ("👩\ufe0f\ufe0f", "👩\ufe0f"),
        ("a\u200d👩", "a👩"),
        ("👩\u200b\u200d💻", "👩💻"),
    ],
)
def test_parts_of_emoji_sequences_do_not_hide_elsewhere(raw: str, clean: str) -> None:
    assert one_line(raw) == clean


def test_prose_keeps_paragraphs() -> None:
    assert prose(" a  b \r\nc\r\r\n \t\n\n\nd\n") == "a b\nc\n\nd"


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert one_line(one_line(text)) == one_line(text)
    assert prose(prose(text)) == prose(text)


@given(ANY_TEXT)
def test_no_hidden_class_survives_outside_emoji(text: str) -> None:
    clean = one_line(text)
    hidden = {char for char in clean if unicodedata.category(char)[0] == "C"}
    assert hidden <= {"\u200d", *ENGLAND[1:]}
    assert "\u200d" not in clean or re.search("[^\x00-\u00a8]\u200d[^\x00-\u00a8]", clean)
    assert unicodedata.is_normalized("NFC", clean)


@given(ANY_TEXT)
def test_one_line_is_one_line(text: str) -> None:
    assert one_line(text) == " ".join(one_line(text).split())


@given(ANY_TEXT)
def test_prose_has_no_two_blank_lines(text: str) -> None:
    assert "\n\n\n" not in prose(text)
    assert prose(text).split("\n") == prose(text).splitlines() or not prose(text)


@pytest.mark.parametrize("unit", ["\u200d", "👩\u200d", "1\ufe0f", "\n", "\ud83d", "e\u0301", "🏴\U000e0067"])
def test_a_million_characters_are_cleaned_to_the_end(unit: str) -> None:
    """A million characters of anything, which would take hours in quadratic time."""
    clean = prose(unit * (1_000_000 // len(unit)))
    assert prose(clean) == clean


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Lantern", "lantern"),
        ("Node.js", "node-js"),
        ("é", "e"),
        ("../../../../tmp/pwned", "tmp-pwned"),
        ("C:\\x", "c-x"),
        ("a/b", "a-b"),
        ("-rf", "rf"),
        ("C", "c"),
        ("Let's Encrypt", "lets-encrypt"),
        ("Lantern™", "lantern"),
        ("Straße", "strasse"),
        ("\uff2c\uff21\uff2e\uff34\uff25\uff32\uff2e \uff12", "lantern-2"),
    ],
)
def test_a_name_of_ascii_letters_is_its_own_slug(name: str, slug: str) -> None:
    assert slugify(name) == slug


@pytest.mark.parametrize(
    "name",
    [
        "C++",
        "C#",
        "名刺",
        "Lantern 🚀",
        "R&D",
        ".",
        "..",
        "",
        "404",
        "CON",
        "lpt1",
        "index",
        "A vs B",
        "x" * 120,
    ],
)
def test_a_name_that_loses_something_gets_a_hash(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9-]*-[0-9a-f]{8}", slugify(name))


def test_names_that_differ_in_symbols_have_slugs_of_their_own() -> None:
    assert len({slugify(name) for name in ("C++", "C#", "C", "名刺", "名刺メモ")}) == 5


def test_case_does_not_change_a_slug() -> None:
    assert slugify("C++") == slugify(" c++ ")
    assert canonical(" C++ ") == canonical("c++")


@given(ANY_TEXT)
def test_any_name_has_a_safe_slug(name: str) -> None:
    slug = slugify(name)
    assert re.fullmatch(SLUG_PATTERN, slug)
    assert len(slug) <= MAX_SLUG_CHARS
    assert slug not in RESERVED_SLUGS
    assert "-vs-" not in slug


def test_a_hash_can_be_added_again_and_again() -> None:
    first = hashed_slug("x" * MAX_SLUG_CHARS, "Lantern")
    second = hashed_slug(first, "Lantern")
    assert len({first, second}) == 2
    assert len(first) == len(second) == MAX_SLUG_CHARS


SPANS = st.dictionaries(
    st.integers(0, 9),
    st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda span: (min(span), max(span))),
)


def test_overlapping_spans_share_a_piece() -> None:
    assert split_at_spans("abcdef", {1: (1, 4), 2: (3, 9)}) == [
        TextPiece("a", 0, 1),
        TextPiece("bc", 1, 3, (1,)),
        TextPiece("d", 3, 4, (1, 2)),
        TextPiece("ef", 4, 6, (2,)),
    ]


@given(st.text(max_size=30), SPANS, st.integers(0, 10))
def test_pieces_are_the_text_again(text: str, spans: dict[int, tuple[int, int]], offset: int) -> None:
    pieces = split_at_spans(text, spans, offset)
    assert "".join(piece.text for piece in pieces) == text
    for piece in pieces:
        covered = {key for key, (start, end) in spans.items() if start < piece.end and end > piece.start}
        assert set(piece.spans) == covered
        assert all(spans[key][0] <= piece.start and piece.end <= spans[key][1] for key in covered)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (1234.5, "$1,234.50"),
        (1.0, "$1.00"),
        (0.5, "$0.5000"),
        (0.0123, "$0.0123"),
        (0.0004, "$0.0004"),
        (0.00034, "$0.00034"),
        (0.00003, "$0.00003"),
        (0.0000000012, "$0.0000000012"),
    ],
)
def test_small_price_is_never_shown_as_nothing(amount: float, shown: str) -> None:
    assert dollars(amount) == shown
