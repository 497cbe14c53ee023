from __future__ import annotations

import pytest

from panel.newsletter.subscribers import safe_cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1+1)", "\t=1", "\r=1", "\uff1d1"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"
    assert safe_cell("kim@example.org") == "kim@example.org"
