from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from panel.approval.history import Part, Piece, word_diff

TEXTS = st.text() | st.lists(st.sampled_from(["ship", "skip", ".", "the", "ü"])).map(" ".join)


def _side(pieces: list[Piece], part: Part) -> str:
    return "".join(piece.text for piece in pieces if piece.part in {Part.EQUAL, part})


@given(TEXTS, TEXTS)
def test_a_diff_holds_both_texts(before: str, after: str) -> None:
    pieces = word_diff(before, after)
    assert _side(pieces, Part.REMOVED) == before
    assert _side(pieces, Part.ADDED) == after
    assert all(piece.text for piece in pieces)
    assert all(one.part is not other.part for one, other in pairwise(pieces))


LONG = st.lists(st.sampled_from(["ship", "skip", "the", "a", "of", ","]), min_size=200, max_size=400).map(
    " ".join
)


@settings(max_examples=20)
@given(LONG, LONG)
def test_a_diff_of_long_texts_holds_both(before: str, after: str) -> None:
    pieces = word_diff(before, after)
    assert _side(pieces, Part.REMOVED) == before
    assert _side(pieces, Part.ADDED) == after
    assert word_diff(before, before) == [Piece(Part.EQUAL, before)]


def test_one_word_of_a_long_text() -> None:
    before = " ".join(f"word{n} of the" for n in range(200))
    pieces = word_diff(before, before.replace("word77 ", "other "))
    changed = [(piece.part, piece.text) for piece in pieces if piece.part is not Part.EQUAL]
    assert changed == [(Part.REMOVED, " word77"), (Part.ADDED, " other")]


@given(TEXTS)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert word_diff(text, text) == ([Piece(Part.EQUAL, text)] if text else [])


@pytest.mark.parametrize(
    ("before", "after", "pieces"),
    [
        ("", "new", [("added", "new")]),
        ("gone", "", [("removed", "gone")]),
        (
            "It ships today.",
            "It skips today.",
            [("equal", "It"), ("removed", " ships"), ("added", " skips"), ("equal", " today.")],
        ),
        ("It costs $9.", "It costs.", [("equal", "It costs"), ("removed", " $9"), ("equal", ".")]),
        ("two words", "two more words", [("equal", "two"), ("added", " more"), ("equal", " words")]),
    ],
)
def test_a_diff_goes_by_words(before: str, after: str, pieces: list[tuple[str, str]]) -> None:
    assert [(piece.part, piece.text) for piece in word_diff(before, after)] == pieces
