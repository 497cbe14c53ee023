from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from panel.core.highlight import Piece, split_at_spans

SPANS = st.dictionaries(
    st.integers(0, 9),
    st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda span: (min(span), max(span))),
)


def test_overlapping_spans_share_a_piece() -> None:
    assert split_at_spans("abcdef", {1: (1, 4), 2: (3, 9)}) == [
        Piece("a", 0, 1),
        Piece("bc", 1, 3, (1,)),
        Piece("d", 3, 4, (1, 2)),
        Piece("ef", 4, 6, (2,)),
    ]


@given(st.text(max_size=30), SPANS, st.integers(0, 10))
def test_pieces_are_the_text_again(text: str, spans: dict[int, tuple[int, int]], offset: int) -> None:
    pieces = split_at_spans(text, spans, offset)
    assert "".join(piece.text for piece in pieces) == text
    for piece in pieces:
        covered = {key for key, (start, end) in spans.items() if start < piece.end and end > piece.start}
        assert set(piece.spans) == covered
        assert all(spans[key][0] <= piece.start and piece.end <= spans[key][1] for key in covered)
