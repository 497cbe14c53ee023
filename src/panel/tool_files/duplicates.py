"""Tools that are given twice, and slugs that are taken.

Names and addresses are compared in their canonical form. Texts are near duplicates when the sets of their
shingles, runs of five words, have a Jaccard index of 0.9 or more (Broder, "On the resemblance and containment
of documents", 1997). Of each set the 64 smallest hashes are kept. For texts of up to 67 words that is the whole
set and the index is exact; for longer ones it is an estimate with a standard error below 0.04. Texts are
compared if they share one of their two smallest hashes, as those at an index of 0.9 do in 99 of 100 cases.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from panel.core.text import canonical, hashed_slug

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.core.tool import Tool
    from panel.tool_files.records import Place

SHINGLE_WORDS = 5
MIN_WORDS = 50
MIN_JACCARD = 0.9
SKETCH_HASHES = 64

_HASH_BYTES = 4
_KEYS = 2
_BUCKET = 32
# Scripts that are written without spaces have a word for each character.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_TRACKING = re.compile(r"utm_.*|ref|fbclid|gclid")


@dataclass(frozen=True, slots=True)
class Twin:
    """An earlier tool that is the same: where it stands, and the field that shows it."""

    place: Place
    field: str


class Names:
    """The names and aliases that are taken, without case."""

    def __init__(self) -> None:
        self._places: dict[int, Place] = {}

    def find(self, tool: Tool) -> Twin | None:
        """Return the earlier tool that has one of a tool's names already."""
        fields = _names(tool)
        same = next((key for key in fields if key in self._places), None)
        return None if same is None else Twin(self._places[same], fields[same])

    def take(self, tool: Tool, place: Place) -> None:
        """Remember those of a tool's names that are free."""
        for key in _names(tool):
            self._places.setdefault(key, place)


def _names(tool: Tool) -> dict[int, str]:
    names = {tool.canonical: "name"} | {canonical(alias): "aliases" for alias in tool.aliases}
    return {_hash(name, 8): "name" if name == tool.canonical else field for name, field in names.items()}


class Duplicates:
    """The tools of a batch so far, at less than 1 kB each: hashes of names and address, a sketch of the text.

    Descriptions of fewer than 50 words are not compared: they have too few shingles to tell a copy from a
    formula. Where 32 different texts share a smallest hash, later ones are compared with these only.
    """

    def __init__(self) -> None:
        self._names = Names()
        self._urls: dict[int, Place] = {}
        self._sketches: dict[int, list[tuple[bytes, Place]]] = {}

    def seen(self, tool: Tool, place: Place) -> Place | None:
        """Return where the same tool stands that came first, or None; see `find`."""
        twin = self.find(tool, place)
        return twin.place if twin else None

    def find(self, tool: Tool, place: Place) -> Twin | None:
        """Return the first tool that is the same by name, alias, address or text; remember this one if none is."""
        url = _hash(_address_key(tool.url), 8) if tool.url else None
        sketch = _sketch(tool.description)
        twin = (
            self._names.find(tool)
            or (Twin(self._urls[url], "url") if url in self._urls else None)
            or self._similar(sketch)
        )
        self._names.take(tool, twin.place if twin else place)
        if twin is None:
            self._remember(url, sketch, place)
        return twin

    def _similar(self, sketch: bytes) -> Twin | None:
        for key in _keys(sketch):
            for other, place in self._sketches.get(key, ()):
                if jaccard(sketch, other) >= MIN_JACCARD:
                    return Twin(place, "description")
        return None

    def _remember(self, url: int | None, sketch: bytes, place: Place) -> None:
        if url is not None:
            self._urls[url] = place
        entry = (sketch, place)
        for key in _keys(sketch):
            bucket = self._sketches.setdefault(key, [])
            if len(bucket) < _BUCKET:
                bucket.append(entry)


class Slugs:
    """The slugs that are taken."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def distinct(self, tool: Tool) -> Tool:
        """Return the tool, with a hash added to its slug if that is taken."""
        slug = tool.slug
        while slug in self._taken:
            slug = hashed_slug(slug, tool.name)
        self._taken.add(slug)
        return tool if slug == tool.slug else tool.model_copy(update={"slug": slug})


def jaccard(one: bytes, other: bytes) -> float:
    """Return the Jaccard index of two sets of shingles as their sketches tell it."""
    first, second = set(_hashes(one)), set(_hashes(other))
    is_whole = max(len(first), len(second)) < SKETCH_HASHES
    union = sorted(first | second)[: None if is_whole else SKETCH_HASHES]
    return sum(value in first and value in second for value in union) / len(union)


def _sketch(text: str) -> bytes:
    words = _WORD.findall(text.casefold())
    if len(words) < MIN_WORDS:
        return b""
    runs = zip(*(islice(words, start, None) for start in range(SHINGLE_WORDS)), strict=False)
    return b"".join(sorted({_digest(" ".join(run), _HASH_BYTES) for run in runs})[:SKETCH_HASHES])


def _hashes(sketch: bytes) -> Iterator[bytes]:
    return (sketch[at : at + _HASH_BYTES] for at in range(0, len(sketch), _HASH_BYTES))


def _keys(sketch: bytes) -> Iterator[int]:
    return (int.from_bytes(value, "big") for value in islice(_hashes(sketch), _KEYS))


def _address_key(url: str) -> str:
    """Return what addresses of one page have in common: no scheme, `www.`, last slash, tracking or anchor."""
    parts = urlsplit(url)
    query = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(pair[0])
    ]
    route = parts.fragment if parts.fragment.startswith(("/", "!")) else ""
    return " ".join([parts.netloc.removeprefix("www."), parts.path.rstrip("/"), urlencode(query), route])


def _hash(text: str, size: int) -> int:
    return int.from_bytes(_digest(text, size), "big")


def _digest(text: str, size: int) -> bytes:
    return blake2b(text.encode(), digest_size=size).digest()
