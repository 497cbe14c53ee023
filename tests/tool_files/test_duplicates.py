"""Tools that are given twice in a batch."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from panel.core.tool import Tool
from panel.tool_files.duplicates import MIN_WORDS, Duplicate, DuplicateFinder, UniqueSlugs
from panel.tool_files.records import Location

FIRST = Location("a.jsonl", 1)
SECOND = Location("b.csv", 7)
THIRD = Location("b.csv", 8)


def words(count: int) -> list[str]:
    chance = random.Random(0)  # noqa: S311 - words, not secrets
    return ["".join(chance.choices("abcdefghij", k=5)) for _ in range(count)]


def tool(name: str, text: str = "x", **fields: object) -> Tool:
    return Tool.model_validate({"name": name, "description": text, **fields})


def duplicate(one: Tool, other: Tool) -> Duplicate | None:
    finder = DuplicateFinder()
    assert finder.find(one, FIRST) is None
    return finder.find(other, SECOND)


@pytest.mark.parametrize(
    ("one", "other", "field"),
    [
        (tool("Lantern"), tool(" LANTERN "), "name"),
        (tool("Straße"), tool("STRASSE"), "name"),
        (tool("Lantern", aliases=["Lamp"]), tool("lamp"), "name"),
        (tool("Lamp"), tool("Lantern", aliases=["LAMP"]), "aliases"),
        (tool("A", aliases=["Lamp"]), tool("B", aliases=["lamp"]), "aliases"),
        (tool("A", url="https://lantern.dev/"), tool("B", url="http://www.lantern.dev#top"), "url"),
        (
            tool("A", url="https://lantern.dev/x?v=1"),
            tool("B", url="https://lantern.dev/x/?v=1&utm_source=y"),
            "url",
        ),
    ],
)
def test_a_tool_is_known_by_name_alias_or_address(one: Tool, other: Tool, field: str) -> None:
    assert duplicate(one, other) == Duplicate(FIRST, field)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://lantern.dev/a", "https://lantern.dev/b"),
        ("https://lantern.dev/?v=1", "https://lantern.dev/?v=2"),
        ("https://lantern.dev/#/a", "https://lantern.dev/#/b"),
        ("https://a.lantern.dev/", "https://b.lantern.dev/"),
        ("https://lantern.dev:8443/", "https://lantern.dev/"),
    ],
)
def test_different_pages_are_different_tools(one: str, other: str) -> None:
    assert duplicate(tool("A", url=one), tool("B", url=other)) is None


@pytest.mark.parametrize("length", [MIN_WORDS, 1_200])
def test_a_copied_description_is_known_whatever_its_case_marks_and_lines(length: int) -> None:
    text = " ".join(words(length))
    copy = f"{text.upper().replace(' ', ', ', 5).replace(' ', chr(10), 9)}!"
    assert duplicate(tool("A", text), tool("B", copy)) == Duplicate(FIRST, "description")


def test_a_description_with_another_word_is_another_tools() -> None:
    text = words(300)
    assert duplicate(tool("A", " ".join(text)), tool("B", " ".join([*text, "more"]))) is None


def test_short_descriptions_are_not_compared() -> None:
    text = " ".join(words(MIN_WORDS - 1))
    assert duplicate(tool("A", text), tool("B", text)) is None


def test_each_character_counts_as_a_word_in_scripts_without_spaces() -> None:
    text = "".join(chr(0x4E00 + n * 7) for n in range(60))
    assert duplicate(tool("A", text), tool("B", f"{text}。")) == Duplicate(FIRST, "description")


def test_only_names_are_compared_if_only_they_identify_a_tool() -> None:
    finder = DuplicateFinder(names_only=True)
    text = " ".join(words(MIN_WORDS))
    assert finder.find(tool("A", text, url="https://a.dev"), FIRST) is None
    assert finder.find(tool("B", text, url="https://a.dev"), SECOND) is None
    assert finder.find(tool("b"), THIRD) == Duplicate(SECOND, "name")


def test_the_first_location_is_named_for_every_name_of_a_tool() -> None:
    finder = DuplicateFinder()
    assert finder.find(tool("A"), FIRST) is None
    assert finder.find(tool("B", aliases=["a"], url="https://b.dev"), SECOND) == Duplicate(FIRST, "aliases")
    assert finder.find(tool("B"), THIRD) == Duplicate(FIRST, "name")
    assert finder.find(tool("C", url="https://b.dev"), THIRD) is None


def test_memory_is_below_a_kilobyte_a_tool() -> None:
    finder, count = DuplicateFinder(), 1_000
    text = words(400)
    tracemalloc.start()
    for n in range(count):
        described = " ".join([f"{word}{n}" for word in text[:120]])
        one = tool(f"Tool {n}", described, url=f"https://t{n}.dev", aliases=[f"T{n}"])
        assert finder.find(one, Location("t.jsonl", n)) is None
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used / count < 1_024


def test_the_second_tool_with_a_slug_gets_another() -> None:
    slugs = UniqueSlugs()
    first, second = slugs.assign(tool("e")), slugs.assign(tool("é"))
    assert first.slug == "e"
    assert second.slug.startswith("e-")
