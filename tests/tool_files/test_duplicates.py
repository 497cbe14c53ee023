"""Tools that are given twice in a batch."""

from __future__ import annotations

import random
import tracemalloc

import pytest

from panel.core.tool import Tool
from panel.tool_files import duplicates
from panel.tool_files.duplicates import MIN_WORDS, Duplicates, Slugs, Twin, jaccard
from panel.tool_files.records import Place

FIRST = Place("a.jsonl", 1)
SECOND = Place("b.csv", 7)
THIRD = Place("b.csv", 8)


def words(count: int, seed: int = 0) -> list[str]:
    """Return words that make a text, others for each seed."""
    chance = random.Random(seed)  # noqa: S311 - words, not secrets
    return ["".join(chance.choices("abcdefghij", k=5)) for _ in range(count)]


def tool(name: str, text: str = "x", **fields: object) -> Tool:
    """Return a tool."""
    return Tool.model_validate({"name": name, "description": text, **fields})


def twin(one: Tool, other: Tool) -> Twin | None:
    """Return what tells that the second of two tools is the first one."""
    known = Duplicates()
    assert known.seen(one, FIRST) is None
    return known.find(other, SECOND)


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
    """The same name or alias without case, or the same page, is the same tool, and the field that tells is named."""
    assert twin(one, other) == Twin(FIRST, field)


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
    """Paths, queries, routes behind a hash, hosts and ports tell tools apart."""
    assert twin(tool("A", url=one), tool("B", url=other)) is None


@pytest.mark.parametrize("length", [60, 300, 1_200])
def test_a_text_that_was_copied_is_known(length: int) -> None:
    """A description with other case, marks and line ends and one more word at its end is the same tool's."""
    text = words(length)
    copy = " ".join([*text, "Buy!"]).upper().replace(" ", ",\n", 5)
    assert twin(tool("A", " ".join(text)), tool("B", copy)) == Twin(FIRST, "description")


@pytest.mark.parametrize("length", [60, 300, 1_200])
def test_a_text_that_was_changed_is_another(length: int) -> None:
    """A description in which every tenth word is another one is no copy."""
    text = words(length)
    changed = [f"{word}x" if n % 10 == 0 else word for n, word in enumerate(text)]
    assert twin(tool("A", " ".join(text)), tool("B", " ".join(changed))) is None


def test_short_texts_are_not_compared() -> None:
    """A description of fewer than 50 words may be the same as another tool's."""
    short, long = words(MIN_WORDS - 1), words(MIN_WORDS)
    assert twin(tool("A", " ".join(short)), tool("B", " ".join(short))) is None
    assert twin(tool("A", " ".join(long)), tool("B", " ".join(long))) is not None


def test_texts_without_spaces_are_compared() -> None:
    """Each character counts as a word where a script has no spaces."""
    text = "".join(chr(0x4E00 + n * 7) for n in range(60))
    assert twin(tool("A", text), tool("B", f"{text}。")) == Twin(FIRST, "description")


def test_the_index_is_exact_for_short_texts_and_close_for_long_ones() -> None:
    """Up to 67 words the Jaccard index is the true one; for 1,000 words it is right to 0.12."""
    for length, error in ((67, 0.0), (1_000, 0.12)):
        text = words(length)
        other = [*text[: length - 2], "new", "end"]
        runs = [{tuple(part[at : at + 5]) for at in range(len(part) - 4)} for part in (text, other)]
        true = len(runs[0] & runs[1]) / len(runs[0] | runs[1])
        sketches = [duplicates._sketch(" ".join(part)) for part in (text, other)]
        assert abs(jaccard(*sketches) - true) <= error


def test_the_first_of_all_is_the_one_named() -> None:
    """A third tool that shares a name with the second only is a copy of the first, which is kept."""
    known = Duplicates()
    assert known.seen(tool("A"), FIRST) is None
    assert known.seen(tool("B", aliases=["a"]), SECOND) == FIRST
    assert known.seen(tool("B"), THIRD) == FIRST


def test_a_bucket_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many different texts with a hash in common cost no more than the bound of comparisons."""
    monkeypatch.setattr(duplicates, "_BUCKET", 2)
    known = Duplicates()
    sketches = [bytes(7) + bytes([n]) * 249 for n in range(1, 6)]
    for sketch in sketches:
        known._remember(None, sketch, FIRST)
    assert max(map(len, known._sketches.values())) == 2


def test_memory_is_below_a_kilobyte_a_tool() -> None:
    """Tools with long texts, an address and an alias each take less than 1 kB."""
    known, count = Duplicates(), 1_000
    text = words(400)
    tracemalloc.start()
    for n in range(count):
        described = " ".join([f"{word}{n}" for word in text[:120]])
        one = tool(f"Tool {n}", described, url=f"https://t{n}.dev", aliases=[f"T{n}"])
        assert known.seen(one, Place("t.jsonl", n)) is None
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used / count < 1_024


def test_slugs_are_told_apart() -> None:
    """Two tools with one slug are filed apart, and the first keeps it."""
    slugs = Slugs()
    first, second = slugs.distinct(tool("e")), slugs.distinct(tool("é"))
    assert first.slug == "e"
    assert second.slug.startswith("e-")
