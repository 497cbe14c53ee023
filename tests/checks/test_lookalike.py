from __future__ import annotations

import pytest

from builders import tool
from panel.checks import blocks, check_listing


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("p\u0430ypal", "p\u0430ypal"),
        ("The \u0421laude Bridge", "\u0421laude"),
        ("Open\u0391I", "Open\u0391I"),
        ("Git\u029f-H\u0578b", "H\u0578b"),
        ("\u13aaursor", "\u13aaursor"),
    ],
    ids=["Cyrillic a", "Cyrillic es", "Greek alpha", "Armenian vo", "Cherokee go"],
)
def test_a_name_of_two_alphabets_is_flagged(name: str, word: str) -> None:
    (one,) = check_listing(tool(name=name))
    assert (one.kind, one.where.field, one.text, blocks(one)) == ("lookalike", "name", word, True)
    assert one.span is not None
    assert name[one.span.start : one.span.end] == word


@pytest.mark.parametrize(
    "name",
    [
        "Lantern",
        "\u042f\u043d\u0434\u0435\u043a\u0441 Search",
        "\u5fae\u4fe1Pay",
        "LINE\u30b9\u30bf\u30f3\u30d7",
        "Caf\u00e9 M\u00fcnchen",
        "\u00b5Torrent",
        "K\u00f8benhavn 2",
        "C++ & C\u266f",
        "\U0001d4d2ode",
    ],
)
def test_a_name_of_scripts_that_stand_side_by_side_is_not(name: str) -> None:
    assert [one for one in check_listing(tool(name=name)) if one.kind == "lookalike"] == []


def test_names_alone_are_looked_at() -> None:
    mixed = "\u0430pple"
    listed = tool(
        maker=mixed, aliases=[mixed], tagline=f"Not {mixed}", description="Computes \u0394x and \u03bcm."
    )
    assert [one.where.field for one in check_listing(listed)] == ["maker", "aliases.0"]
