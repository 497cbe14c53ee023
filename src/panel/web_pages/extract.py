"""Extract the name, tagline, address and description of a tool from a page; nothing is made up."""

from __future__ import annotations

import codecs
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import trafilatura
from lxml import etree, html

from panel.core.addresses import public_address
from panel.core.text import one_line, prose
from panel.errors import InputError
from panel.tool_files.documents import Document
from panel.tool_files.records import invalid_record, tool_record
from panel.web_pages import PLAIN
from panel.web_pages.hidden_text import remove_hidden_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from panel.tool_files.records import Record
    from panel.web_pages import Snapshot

_LIMITS = {"description": 10_000, "tagline": 200}
_NOT_STATED = {
    "name": "the page has no title and no heading that names the tool; write its tool file by hand",
    "description": "the page holds no text that a visitor can see; if a script writes it, save the page from a browser",
}

# Encodings of the WHATWG standard. Python has others, in which text could be hidden.
_ENCODINGS = re.compile(
    r"utf-8|utf-16(-[lb]e)?|cp125\d|iso8859-\d+|koi8-[ru]|shift_jis|euc_(jp|kr)|gb\w+|big5\w*"
)
_META_CHARSET = re.compile(rb"""<meta[^>]+?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_HEAD_BYTES = 1_024  # a page must state its encoding within these
_BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_AFTER_NAME = re.compile(r"\s+[|·•\u2013\u2014:»-]+\s+|:\s+|\s+::\s+")
_GREETINGS = re.compile(r"home|home ?page|welcome|index|start", re.IGNORECASE)


def extract_tool(snapshot: Snapshot, source: str) -> Record:
    """Return the tool of a page.

    The name is the start of the title, up to a bar, dash or colon; without a title, `og:title` or the first heading. The
    tagline is the page's meta description, the description its main text, and the address its canonical address, if that
    is on the same host.
    """
    try:
        text = _decode(snapshot, source)
    except InputError as error:
        return invalid_record(*error.problems)
    notes: tuple[str, ...] = ()
    fields = {"description": text}
    if snapshot.media_type != PLAIN:
        root = _parse(text)
        notes = remove_hidden_text(root)
        found = {
            "name": _name(root),
            "tagline": next(_metas(root, "description", "og:description", "twitter:description"), ""),
            "url": _address(root, snapshot.url),
        }
        main = trafilatura.extract(root, include_comments=False, favor_recall=True, include_tables=True)
        found["description"] = prose(main or "") or prose(trafilatura.html2txt(root))
        fields = {name: value for name, value in found.items() if value}
    for name, limit in _LIMITS.items():
        if note := _shorten(fields, name, limit):
            notes += (note,)
    record = tool_record(source, Document(fields))
    # An editor cannot fill in a field of a page: where one is missing, the advice is another.
    missing = _NOT_STATED.keys() - fields
    problems = tuple(
        replace(problem, message=_NOT_STATED[problem.field]) if problem.field in missing else problem
        for problem in record.problems
    )
    return replace(record, problems=problems, notes=notes)


def _decode(snapshot: Snapshot, source: str) -> str:
    body = snapshot.body
    bom = next((mark for mark in _BOMS if body.startswith(mark)), b"")
    meta = _META_CHARSET.search(body[:_HEAD_BYTES])
    in_page = meta[1].decode("ascii", "replace") if meta else "utf-8"
    stated = _BOMS.get(bom) or snapshot.charset or in_page
    try:
        encoding = codecs.lookup(stated.strip()).name
    except (LookupError, ValueError):
        encoding = "unknown"
    if encoding in {"ascii", "iso8859-1"}:
        encoding = "cp1252"  # as browsers read these two
    if not _ENCODINGS.fullmatch(encoding):
        raise InputError.at(source, f"is written in {one_line(stated)}, which is not read; save it as UTF-8")
    try:
        return body.removeprefix(bom).decode(encoding)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        message = f"not {encoding.upper()} text (byte 0x{body[error.start]:02X}); save it as UTF-8"
        raise InputError.at(source, message, line) from None


def _parse(text: str) -> HtmlElement:
    # As UTF-8 bytes, so that the parser ignores the encoding that the page states.
    parser = html.HTMLParser(encoding="utf-8")
    try:
        return html.document_fromstring(text.encode("utf-8"), parser=parser, ensure_head_body=True)
    except etree.ParserError:  # nothing but comments
        return html.document_fromstring("<html></html>", ensure_head_body=True)


def _name(root: HtmlElement) -> str:
    titles = (one_line(title.text_content()) for title in root.iterfind("head/title"))
    if title := next(filter(None, titles), ""):
        parts = [part for part in _AFTER_NAME.split(title) if part and not _GREETINGS.fullmatch(part)]
        return parts[0] if parts else title
    headings = (one_line(heading.text_content()) for heading in root.iter("h1"))
    return next(_metas(root, "og:title"), "") or next(filter(None, headings), "")


def _metas(root: HtmlElement, *names: str) -> Iterator[str]:
    """Yield the contents of meta elements that are not blank, in the order of the given names."""
    metas = [
        (meta.get("name") or meta.get("property") or "", meta.get("content")) for meta in root.iter("meta")
    ]
    for wanted in names:
        yield from (text for name, text in metas if name.strip().lower() == wanted and one_line(text or ""))


def _address(root: HtmlElement, url: str | None) -> str:
    for link in root.iter("link"):
        if (link.get("rel") or "").lower() != "canonical":
            continue
        try:
            canonical = public_address(urljoin(url or "", (link.get("href") or "").strip()))
        except ValueError:
            continue
        if url is None or urlsplit(canonical).hostname == urlsplit(url).hostname:
            return canonical
    return url or ""


def _shorten(fields: dict[str, str], name: str, limit: int) -> str | None:
    """Shorten a field to its limit at the end of a line or word; return a note about it, or None."""
    text = (prose if name == "description" else one_line)(fields.get(name, ""))
    if len(text) <= limit:
        return None
    start = text[: limit - 1]
    end = max(start.rfind("\n", limit // 2), start.rfind(" ", limit // 2))
    fields[name] = f"{start[:end].rstrip() if end > 0 else start}…"
    return f"{name}: cut from {len(text)} to {len(fields[name])} characters"
