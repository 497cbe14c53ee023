"""Search without a server: a small file for each beginning of a word, which the home page fetches as a reader types.

A file is named after the first two letters of its words, so that a change of one tool changes few files, and a reader fetches few.
"""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING

from panel.site.catalog import versions
from panel.site.pages import Files, Page
from panel.site.renderer import Renderer, SiteFile

if TYPE_CHECKING:
    from collections.abc import Iterable

    from panel.site.tool_summary import ToolSummary

PREFIX_CHARS = 2
"""Letters of a word that name its file; `assets/site.js` names it likewise."""

_PLAIN = re.compile("[a-z0-9]")


def _files(renderer: Renderer) -> Files:
    found: dict[str, list[ToolSummary]] = {}
    for tool in renderer.catalog.live:
        words = renderer.catalog.search_words(tool).split()
        for name in sorted({_file_name(word) for word in words if len(word) >= PREFIX_CHARS}):
            found.setdefault(name, []).append(tool)
    for name, tools in found.items():
        yield SiteFile(f"search/{name}.json", versions(tools), partial(_shard, renderer, tools))


def _file_name(word: str) -> str:
    """Return the name of a word's file: its first letters, those beyond a-z and 0-9 by their code points."""
    return "".join(char if _PLAIN.fullmatch(char) else f"-{ord(char):x}" for char in word[:PREFIX_CHARS])


def _shard(renderer: Renderer, tools: Iterable[ToolSummary]) -> bytes:
    # One tool at a time: the search words of all tools at once would need more memory than anything else in a build.
    content = bytearray(b"[")
    for tool in tools:
        words = renderer.catalog.search_words(tool)
        entry = [tool.slug, tool.name, tool.tagline, tool.verdict_line, words]
        content += b"," * (len(content) > 1)
        content += json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
    content += b"]"
    return bytes(content)


PAGES = (Page(order=120, reserves=frozenset({"search"}), files=_files),)
