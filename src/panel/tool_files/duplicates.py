"""Tools given twice, and slugs used twice.

Two tools are the same if they share a name or alias, the address of a page, or a description of 50 or more words. All of
them are compared in a normal form; near-duplicates are not looked for.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from panel.core.text import canonical, hashed_slug
from panel.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from panel.core.tool import Tool
    from panel.tool_files.records import Location, Record

MIN_WORDS = 50
"""Shorter descriptions are often a formula that several tools of one vendor share."""

# In scripts without spaces each character counts as a word.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_TRACKING = re.compile(r"utm_.*|ref|fbclid|gclid")


class Duplicate(NamedTuple):
    """The first location of a tool, and the field of the later record that equals it."""

    location: Location
    field: str

    def problem(self, record: Record) -> Problem:
        """Return the problem of the later record."""
        message = f"is the same tool as in {self.location}; remove one of them"
        return record.field_problem(self.field, message)


class DuplicateFinder:
    """Index of the tools seen so far; it holds 8-byte hashes, so that a large batch fits into memory.

    With `names_only`, names and aliases are compared, but neither addresses nor descriptions.
    """

    def __init__(self, *, names_only: bool = False) -> None:
        self._names_only = names_only
        self._first: dict[int, Location] = {}

    def find(self, tool: Tool, location: Location) -> Duplicate | None:
        """Return the earlier tool that this one repeats, or None; remember this one."""
        names = _name_keys(tool)
        keys = names if self._names_only else names | _content_keys(tool)
        repeated = (Duplicate(self._first[key], field) for key, field in keys.items() if key in self._first)
        duplicate = next(repeated, None)
        # Further names of a repeated tool lead to its first location; its address and text may be mistaken.
        for key in names if duplicate else keys:
            self._first.setdefault(key, duplicate.location if duplicate else location)
        return duplicate


class UniqueSlugs:
    """The slugs used so far."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def assign(self, tool: Tool) -> Tool:
        """Return the tool, with a hash added to its slug if another tool has that slug."""
        slug = tool.slug
        while slug in self._used:
            slug = hashed_slug(slug, tool.name)
        self._used.add(slug)
        return tool if slug == tool.slug else tool.model_copy(update={"slug": slug})


def collect_tools(records: Iterable[Record]) -> list[Tool]:
    """Return the tools of records, each with a slug of its own.

    All problems of all records, and tools given twice by name or alias, are one InputError.
    """
    finder, slugs = DuplicateFinder(names_only=True), UniqueSlugs()
    tools: list[Tool] = []
    problems: list[Problem] = []
    duplicates: list[Problem] = []
    for record in records:
        problems += record.problems
        if record.tool:
            tools.append(slugs.assign(record.tool))
            if duplicate := finder.find(record.tool, record.location):
                duplicates.append(duplicate.problem(record))
    if problems or duplicates:
        raise InputError([*problems, *duplicates])
    return tools


def _name_keys(tool: Tool) -> dict[int, str]:
    fields = {canonical(alias): "aliases" for alias in tool.aliases} | {tool.canonical: "name"}
    return {_hash("name", name): fields[name] for name in (tool.canonical, *fields)}


def _content_keys(tool: Tool) -> dict[int, str]:
    keys = {_hash("url", _comparable_address(tool.url)): "url"} if tool.url else {}
    words = _WORD.findall(tool.description.casefold())
    return keys | ({_hash("text", " ".join(words)): "description"} if len(words) >= MIN_WORDS else {})


def _comparable_address(url: str) -> str:
    """Return an address without scheme, `www.`, final slash, tracking parameters and anchor."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([(name, value) for name, value in pairs if not _TRACKING.fullmatch(name)])
    route = parts.fragment if parts.fragment.startswith(("/", "!")) else ""
    return " ".join([parts.netloc.removeprefix("www."), parts.path.rstrip("/"), query, route])


def _hash(kind: str, text: str) -> int:
    return int.from_bytes(blake2b(f"{kind}:{text}".encode(), digest_size=8).digest(), "big")
