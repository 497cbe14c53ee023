"""Draft tool files from pages: write them for an editor to correct, and keep the pages that they are made from."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from panel.atomic_files import write_whole
from panel.core.text import one_line, slugify
from panel.errors import InputError, Problem, StorageError
from panel.tool_files.documents import parse_yaml
from panel.tool_files.files import decode, open_source, read_whole, source_name
from panel.tool_files.records import Record, invalid_record, tool_records
from panel.web_pages import PLAIN, Snapshot, read_page, require_extra
from panel.web_pages.fetch import fetch_each, fetch_page
from panel.web_pages.sources import PAGES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

    from panel.core.tool import Tool
    from panel.web_pages.fetch import Fetcher

SNAPSHOTS = ".snapshots"
"""Folder of kept pages; hidden, so that the folder of tool files around it can be reviewed as a whole."""

_DIGEST_CHARS = 12
_UNBROKEN = 2**30  # columns: a quoted text stays on one line


@dataclass(frozen=True, slots=True)
class WrittenDraft:
    """A tool drafted from a page, and the paths of its tool file and of the page."""

    record: Record
    tool: Tool
    snapshot: Snapshot
    path: Path
    snapshot_path: Path

    @property
    def source(self) -> str:
        """The address or file that was named."""
        return self.record.location.source

    def as_json(self) -> dict[str, object]:
        """Return the draft as a JSON object."""
        return {
            "source": self.source,
            "file": str(self.path),
            "snapshot": str(self.snapshot_path),
            "sha256": self.snapshot.sha256,
            "url": self.snapshot.url,
            "fetched_at": _time(self.snapshot),
            "tool": self.tool.model_dump(mode="json", exclude_none=True),
            "removed": self.record.notes,
            "problems": [],
        }


async def draft_tool_files(
    sources: Sequence[str], folder: Path, *, fetch: Fetcher = fetch_page, overwrite: bool = False
) -> AsyncIterator[tuple[str, WrittenDraft | InputError]]:
    """Write a tool file for each address or saved page; yield each source in order with its draft, or the reason for none.

    The folder is created if it is missing. Existing tool files are replaced with `overwrite`, but never one written by the
    same call.

    Raises:
        SettingsError: the extra for pages is not installed.
        StorageError: a file cannot be written.
    """
    require_extra()
    written: set[Path] = set()

    async def page(source: str) -> Snapshot:
        return await fetch(source) if "://" in source else _read_saved_page(source)

    async for source, snapshot in fetch_each(sources, page):
        if isinstance(snapshot, InputError):
            yield source, snapshot
            continue
        try:
            draft = _write_draft(source, snapshot, folder, written, overwrite=overwrite)
        except InputError as error:
            yield source, error
        else:
            written.add(draft.path)
            yield source, draft


async def fetch_records(urls: Sequence[str], snapshots: Path, *, fetch: Fetcher = fetch_page) -> list[Record]:
    """Return a record for each address, in order, and keep the pages in a folder, which is created if it is missing."""
    require_extra()
    records = []
    async for url, page in fetch_each(urls, fetch):
        if isinstance(page, InputError):
            records.append(invalid_record(*page.problems))
            continue
        record = read_page(page, url)
        slug = record.tool.slug if record.tool else slugify(urlsplit(page.url or url).hostname or "")
        with _storage_errors(snapshots, "pages cannot be kept there, choose another folder"):
            _save_snapshot(page, snapshots, slug, url)
        records.append(record)
    return records


def tool_yaml(tool: Tool, comments: Iterable[str] = ()) -> str:
    """Return a tool as the text of a YAML file, which loads to an equal tool.

    Only fields that were given are written, the description as a block, and no slug that the name implies. The comments
    stand above.
    """
    fields = tool.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    if tool.slug == slugify(tool.name):
        fields.pop("slug", None)
    # With its final line feed the block needs no chomping indicator.
    description = LiteralScalarString(fields.pop("description") + "\n")
    writer = YAML(typ="rt", pure=True)
    writer.width = _UNBROKEN
    text = io.StringIO()
    writer.dump(_quoted(fields) | {"description": description}, text)
    return "".join([*(f"# {one_line(line)}".rstrip() + "\n" for line in comments), text.getvalue()])


def read_corrected(path: Path) -> Record | None:
    """Return the record of a tool file after an editor's visit; None if the file is empty or missing."""
    data = path.read_bytes() if path.exists() else b""
    try:
        documents = parse_yaml(decode(data, path.name), path.name) if data.strip() else []
    except InputError as error:
        return invalid_record(*error.problems)
    records = list(tool_records(path.name, documents)) if documents else []
    if len(records) > 1:
        return invalid_record(Problem(path.name, "holds more than one tool; leave one of them"))
    return records[0] if records else None


def _read_saved_page(source: str) -> Snapshot:
    path = Path(source)
    name = source_name(path)
    if path.suffix.lower() not in PAGES:
        message = "is neither an address (https://...) nor a page saved as .html; name one of these"
        raise InputError.at(name, message)
    with open_source(path, PAGES) as file:
        return Snapshot(read_whole(file, name))


def _write_draft(
    source: str, snapshot: Snapshot, folder: Path, written: set[Path], *, overwrite: bool
) -> WrittenDraft:
    record = read_page(snapshot, source)
    tool = record.tool
    if tool is None:
        raise InputError(record.problems)
    path = folder / f"{tool.slug}.yaml"
    with _storage_errors(path, "choose another folder with --out"):
        if path in written:
            message = f"gives the same tool file as a page before it, {path}; leave one of the two out"
            raise InputError.at(source, message)
        if path.exists() and not overwrite:
            message = f"its tool file {path} exists already; correct that one, or write it anew with --force"
            raise InputError.at(source, message)
        snapshot_path = _save_snapshot(snapshot, folder / SNAPSHOTS, tool.slug, source)
        draft = WrittenDraft(record, tool, snapshot, path, snapshot_path)
        write_whole(path, tool_yaml(tool, _comments(draft)))
    return draft


def _save_snapshot(snapshot: Snapshot, folder: Path, slug: str, source: str) -> Path:
    """Write a page unchanged, with a `.json` file about its origin beside it; return the path of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    ending = "txt" if snapshot.media_type == PLAIN else "html"
    path = folder / f"{slug}.{snapshot.sha256[:_DIGEST_CHARS]}.{ending}"
    origin = {
        "source": source,
        "url": snapshot.url,
        "status": snapshot.status,
        "fetched_at": _time(snapshot),
        "media_type": snapshot.media_type,
        "charset": snapshot.charset,
        "bytes": len(snapshot.body),
        "sha256": snapshot.sha256,
    }
    write_whole(path, snapshot.body)
    write_whole(path.with_suffix(".json"), json.dumps(origin, indent=2) + "\n")
    return path


def _time(snapshot: Snapshot) -> str | None:
    return snapshot.fetched_at.isoformat() if snapshot.fetched_at else None


def _comments(draft: WrittenDraft) -> Iterator[str]:
    time = _time(draft.snapshot)
    yield f"Drafted by panel from {draft.source}{f', fetched at {time}' if time else ''}."
    yield f"Page: {SNAPSHOTS}/{draft.snapshot_path.name}"
    yield f"sha256: {draft.snapshot.sha256}"
    yield ""
    yield "Read and correct this before `panel review` or `panel batch run`: a program took it from the page."
    yield "Only statements of the page are here. Other fields: category, pricing, price_class, maker, license,"
    yield "launched_on, best_for, facts, aliases."
    if draft.record.notes:
        yield from ("", "Left out of the text:", *(f"- {note}" for note in draft.record.notes))
    yield ""


def _quoted(value: Any) -> Any:  # noqa: ANN401 - any plain value
    """Return a value with all its texts in quotes, so that no YAML reader takes one for a number or a date."""
    if isinstance(value, dict):
        return {key: _quoted(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_quoted(part) for part in value]
    return DoubleQuotedScalarString(value)


@contextmanager
def _storage_errors(path: Path, advice: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}; {advice}") from error
