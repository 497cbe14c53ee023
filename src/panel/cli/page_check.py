"""Pages are looked at before they are reviewed: on a terminal one by one, elsewhere in tool files drafted from them."""

from __future__ import annotations

import signal
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from panel.cli.console import tell, width
from panel.cli.editor import visit
from panel.cli.signals import SignalReceived
from panel.core.text import one_line, slugify
from panel.errors import InputError, Problem, RunStopped, SettingsError, StorageError
from panel.tool_files.files import decoded
from panel.tool_files.reading import PAGES
from panel.tool_files.records import Place, Record, records_of, refused
from panel.tool_files.yaml_text import parse_yaml
from panel.web_pages import check_installed, page_to_tool

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from panel.core.tool import Tool
    from panel.web_pages.getting import Getter
    from panel.web_pages.snapshot import Snapshot

CORRECTED = "corrected in an editor"

_YES, _EDIT, _SKIP, _QUIT = "yes", "edit", "skip", "quit"
_EARLY = "before anything was reviewed; run the same command again to go on"
_NONE = "(none)"
_MARGIN = "| "  # tells the page's own lines from what panel says
_HEADER = ("What the page says. Correct it and save; a file that is left empty skips the page.",)


def checked(records: Iterable[Record], *, unread: bool) -> Iterator[Record]:
    """Yield the records to review; those that come from pages only once somebody has looked at their text.

    On a terminal each page is shown and asked about, and can be corrected or skipped. All else passes as it is, and
    so do pages that give no tool.

    Args:
        records: from files, and from `fetched`.
        unread: whether pages pass without a look; then their notes are told.

    Raises:
        SettingsError: there is a page, and no terminal to ask on.
        RunStopped: whoever was asked wants to stop.
        SignalReceived: likewise, by Ctrl-C.
    """
    for record in records:
        if record.tool is None or not _is_page(record):
            yield record
        elif unread:
            for note in record.notes:
                tell(f"{record.place}: {note}")
            yield record
        elif (approved := _approved(record, record.tool)) is not None:
            yield approved


async def fetched(urls: Sequence[str], snapshots: Path, *, get: Getter | None = None) -> list[Record]:
    """Return a record for each address, in their order; one that cannot be had holds its problems.

    Args:
        urls: addresses of pages.
        snapshots: folder to keep the pages in as they were received; made if it is missing.
        get: gives the page of an address; by default it is fetched, if it is public.

    Raises:
        SettingsError: what reads pages is not installed.
        StorageError: a page cannot be kept.
    """
    from panel.web_pages.getting import each_page, public_page

    check_installed()
    return [
        refused(*page.problems) if isinstance(page, InputError) else _kept(url, page, snapshots)
        async for url, page in each_page(urls, get or public_page)
    ]


def page_text(source: str, tool: Tool, removed: Iterable[str]) -> str:
    """Return what a page says of a tool, and what is not in it, as text for a terminal.

    Args:
        source: where it is from.
        tool: the draft.
        removed: what was left out, one line each.
    """
    columns = width() - len(_MARGIN)
    lines = [line for text in tool.description.split("\n") for line in textwrap.wrap(text, columns) or [""]]
    left_out = [f"- {one_line(note)}" for note in removed]
    return "\n".join(
        [
            one_line(source),
            *(f"{name}: {value}" for name, value in _short_fields(tool)),
            "description:",
            *(f"{_MARGIN}{line}".rstrip() for line in lines),
            *(["left out of the text:", *left_out] if left_out else []),
        ]
    )


def _short_fields(tool: Tool) -> Iterator[tuple[str, str]]:
    """Yield what stands beside the description: what a page should state, and what was added by hand."""
    given = tool.model_dump(mode="json", exclude_unset=True, exclude_none=True, exclude={"description"})
    for name, value in ({"name": "", "tagline": _NONE, "url": _NONE} | given).items():
        parts = value if isinstance(value, list) else [value]
        yield name, "; ".join(part["claim"] if isinstance(part, dict) else part for part in parts)


def _is_page(record: Record) -> bool:
    source = record.place.source.lower()
    return source.endswith(PAGES) or source.startswith(("http://", "https://"))


def _kept(url: str, page: Snapshot, snapshots: Path) -> Record:
    from panel.web_pages.archive import keep

    draft = page_to_tool(page, url)
    slug = draft.tool.slug if draft.tool else slugify(urlsplit(page.url or url).hostname or "")
    try:
        keep(page, snapshots, slug, url)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"{snapshots}: {reason}; pages cannot be kept there, choose another folder"
        ) from error
    return Record(Place(url), draft.tool, draft.problems, draft.removed)


def _approved(record: Record, tool: Tool) -> Record | None:
    """Return a page's record once somebody approves of its text, as it is or corrected; None if it is skipped."""
    source = record.place.source
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise SettingsError(
            f"{source}: pages are to be looked at first; run panel page, correct the tool file that it writes and "
            "review that, or take pages as they are with --pages-unread"
        )
    while True:
        tell("")
        tell(page_text(source, tool, record.notes))
        answer = _asked("Review this text? [y]es, [e]dit, [s]kip, [q]uit:", _YES, _EDIT, _SKIP, _QUIT)
        if answer == _YES:
            return record if tool == record.tool else _corrected(record, tool)
        edited = None if answer == _SKIP else _edited(tool, record.notes)
        if edited is None:
            tell(f"Skipped {source}")
            return None
        tool = edited


def _corrected(record: Record, tool: Tool) -> Record:
    return replace(record, tool=tool, notes=(*record.notes, CORRECTED), lines={})


def _asked(question: str, *answers: str) -> str:
    """Return the answer that is typed, by its word or its first letter.

    Raises:
        RunStopped: it is to quit, or the input ends.
        SignalReceived: the user interrupts.
    """
    while True:
        line = _typed(question)
        word = line.decode("utf-8", "replace").strip().lower()
        answer = next((answer for answer in answers if word in {answer, answer[0]}), None)
        if answer == _QUIT or not line:
            raise RunStopped(f"stopped {_EARLY}")
        if answer is not None:
            return answer


def _typed(question: str) -> bytes:
    """Ask and return the line that is typed; nothing where the input ends."""
    try:
        sys.stderr.write(f"{question} ")
        sys.stderr.flush()
        line = sys.stdin.buffer.readline()
    except KeyboardInterrupt:
        tell("")
        raise SignalReceived(signal.SIGINT, f"interrupted {_EARLY}") from None
    if not line:
        tell("")
    return line


def _edited(tool: Tool, removed: Iterable[str]) -> Tool | None:
    """Return a tool as it is after a visit to the editor, the same if that failed; None if nothing is left of it."""
    from panel.web_pages.tool_text import tool_text

    with TemporaryDirectory(prefix="panel-") as folder:
        path = Path(folder) / f"{tool.slug}.yaml"
        path.write_text(tool_text(tool, [*_HEADER, *(f"Left out: {note}" for note in removed), ""]), "utf-8")
        while True:
            fault = visit(path)
            if fault is not None:
                tell(fault)
                return tool
            found = _read(path)
            if found is None or found.tool is not None:
                return found.tool if found else None
            for problem in found.problems:
                tell(str(problem))
            if _asked("It cannot be read yet. [e]dit again, [s]kip, [q]uit:", _EDIT, _SKIP, _QUIT) == _SKIP:
                return None


def _read(path: Path) -> Record | None:
    """Return the one record of an edited file, or None if nothing is left in it."""
    data = path.read_bytes() if path.exists() else b""
    try:
        documents = parse_yaml(decoded(data, path.name), path.name) if data.strip() else []
    except InputError as error:
        return refused(*error.problems)
    found = list(records_of(path.name, documents)) if documents else []
    if len(found) > 1:
        return refused(Problem(path.name, "holds more than one tool; leave one of them"))
    return found[0] if found else None
