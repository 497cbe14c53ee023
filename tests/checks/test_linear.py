"""Hostile texts cannot make the checks slow: no pattern repeats a repetition without end."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import TYPE_CHECKING, Any

import pytest

from builders import review, take, tool
from panel import checks
from panel.checks import check_review

if TYPE_CHECKING:
    from collections.abc import Iterator

PARSER = importlib.import_module("re._parser")
ENDLESS = PARSER.MAXREPEAT


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Yield every compiled pattern of the package with its name."""
    for module in pkgutil.walk_packages(checks.__path__, f"{checks.__name__}."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, re.Pattern):
                yield f"{module.name}.{name}", value


def nested(tree: Any, *, inside: bool = False) -> bool:
    """Whether an endless repetition is within another."""
    if isinstance(tree, PARSER.SubPattern):
        return any(
            nested(arguments, inside=inside or _repeats(op, arguments))
            or (inside and _repeats(op, arguments))
            for op, arguments in tree.data
        )
    if isinstance(tree, list | tuple):
        return any(nested(part, inside=inside) for part in tree)
    return False


def _repeats(op: Any, arguments: Any) -> bool:
    return op in {PARSER.MAX_REPEAT, PARSER.MIN_REPEAT} and arguments[1] == ENDLESS


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("(a+)+", True), ("(?:x|(?:ab*)*)", True), ("a+b*", False), ("(a{1,3})+", False)],
)
def test_nesting_is_recognised(pattern: str, expected: bool) -> None:
    assert nested(PARSER.parse(pattern)) is expected


def test_no_pattern_nests_endless_repetitions() -> None:
    found = dict(patterns())
    assert len(found) > 20
    assert [
        name
        for name, pattern in found.items()
        if nested(PARSER.parse(pattern.pattern, pattern.flags & ~re.UNICODE))
    ] == []


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "A",
        "aA1",
        "1",
        "1,111,",
        "one ",
        "<",
        "[",
        "(",
        "'",
        '"',
        ".",
        "#",
        "- ",
        "I ",
        "ignore ",
        "@",
        "a.",
        "$1 per ",
        "\u0301",
    ],
)
def test_hostile_texts_are_checked_to_the_end(unit: str) -> None:
    hostile = (unit * 10_000)[:10_000]
    text = "x " + hostile[:2_490]
    sat = review(take(text=text, evidence=(hostile[:200],)), of=tool(description=f"x {hostile}"[:10_000]))
    for one in check_review(sat, {"builder": (hostile[:20],)}):
        assert one.span is None or one.span.start <= one.span.end <= 10_000
