"""`panel page`: from the page of a tool to a tool file that an editor corrects."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from panel.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panel.core.tool import Tool
    from panel.errors import InputError
    from panel.web_pages.getting import Getter
    from panel.web_pages.snapshot import Snapshot

HELP = """Draft tool files from web pages, to be corrected.

Each page is kept as it was received, in .snapshots beside the tool file.

Examples:

  panel page https://lantern.dev

  panel page saved.html --out drafts
"""
FAILED = 2
TOOLS = Path("tools")
SNAPSHOTS = ".snapshots"  # hidden, so that a folder of tool files can be reviewed as a whole


def page(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help="Addresses (https://...), or pages saved as .html."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the tool files.")] = TOOLS,
    as_json: options.AsJson = False,
    force: Annotated[bool, typer.Option("--force", help="Write over tool files that are there.")] = False,
    quiet: options.Quiet = False,
) -> int:
    """Draft tool files from web pages."""
    from panel.web_pages.getting import public_page

    return draft_pages(sources, out, public_page, as_json=as_json, force=force, quiet=quiet)


def draft_pages(
    sources: Sequence[str],
    out: Path,
    get: Getter,
    *,
    as_json: bool = False,
    force: bool = False,
    quiet: bool = False,
) -> int:
    """Draft a tool file from each page and return the exit code; a page that fails is told, the others go on.

    Args:
        sources: addresses and saved pages.
        out: folder for the tool files, made if it is missing.
        get: gives the page of an address.
        as_json: whether a line of JSON for each page is printed in place of its text.
        force: whether tool files that are there are written over.
        quiet: whether only failures are told.

    Raises:
        PanelError: pages cannot be read at all, or files cannot be written.
        SignalReceived: the user interrupted; what was written is whole.
    """
    import asyncio
    from signal import SIGINT

    from panel.cli.console import tell
    from panel.cli.signals import SignalReceived
    from panel.web_pages import check_installed

    check_installed()
    drafting = _Drafting(_Folder(out, force=force), as_json=as_json, quiet=quiet)
    try:
        asyncio.run(drafting.run(sources, get))
    except KeyboardInterrupt:
        advice = "run the same command again for the pages that have no tool file yet"
        raise SignalReceived(SIGINT, f"interrupted; {advice}") from None
    if drafting.folder.written and not quiet:
        tell(_next_step(drafting.folder.written))
    return FAILED if drafting.failed else 0


class _Drafted(NamedTuple):
    """A tool, the page that it is from, and what that was named as."""

    source: str
    snapshot: Snapshot
    tool: Tool
    removed: tuple[str, ...]


class _Drafting:
    """One run over pages."""

    def __init__(self, folder: _Folder, *, as_json: bool, quiet: bool) -> None:
        self.folder = folder
        self.failed = False
        self._as_json = as_json
        self._quiet = quiet

    async def run(self, sources: Sequence[str], get: Getter) -> None:
        """Draft each page as soon as it is there, in the order of the sources."""
        from panel.errors import InputError
        from panel.web_pages.getting import each_page

        async def got(source: str) -> Snapshot:
            return await get(source) if "://" in source else _saved(source)

        async for source, page_ in each_page(sources, got):
            if isinstance(page_, InputError):
                self._fail(source, page_)
                continue
            try:
                self._write(_drafted(source, page_))
            except InputError as error:
                self._fail(source, error)

    def _write(self, drafted: _Drafted) -> None:
        from panel.cli.console import plain_result, tell
        from panel.cli.page_check import page_text

        path, kept = self.folder.write(drafted)
        if self._as_json:
            _print_line(_as_data(drafted, path, kept))
        else:
            gap = "\n" if len(self.folder.written) > 1 else ""
            plain_result(gap + page_text(drafted.source, drafted.tool, drafted.removed))
        if not self._quiet:
            tell(f"Wrote {path}, {kept}")

    def _fail(self, source: str, error: InputError) -> None:
        from panel.cli.console import complain

        self.failed = True
        for problem in error.problems:
            complain(str(problem))
        if self._as_json:
            _print_line({"source": source, "problems": [str(problem) for problem in error.problems]})


class _Folder:
    """Where tool files are written, and the pages that they are from.

    Attributes:
        written: the tool files of this run.
    """

    def __init__(self, folder: Path, *, force: bool) -> None:
        self.written: list[Path] = []
        self._folder = folder
        self._force = force

    def write(self, drafted: _Drafted) -> tuple[Path, Path]:
        """Write a tool file and its page; return their paths.

        Raises:
            InputError: there is such a tool file already, and nothing was written.
            StorageError: they cannot be written.
        """
        from panel.atomic_files import write_whole
        from panel.web_pages.archive import keep
        from panel.web_pages.tool_text import tool_text

        path = self._folder / f"{drafted.tool.slug}.yaml"
        with _storage(path):
            self._check_free(path, drafted.source)
            kept = keep(drafted.snapshot, self._folder / SNAPSHOTS, drafted.tool.slug, drafted.source)
            write_whole(path, tool_text(drafted.tool, _header(drafted, kept)))
        self.written.append(path)
        return path, kept

    def _check_free(self, path: Path, source: str) -> None:
        from panel.errors import InputError, Problem

        if path in self.written:
            message = f"gives the same tool file as a page before it, {path}; leave one of the two out"
        elif path.exists() and not self._force:
            message = f"its tool file {path} exists already; correct that one, or write it anew with --force"
        else:
            return
        raise InputError([Problem(source, message)])


def _saved(source: str) -> Snapshot:
    from panel.errors import InputError, Problem
    from panel.tool_files.files import opened, read_whole, shown
    from panel.tool_files.reading import PAGES
    from panel.web_pages.snapshot import Snapshot

    path = Path(source)
    if path.suffix.lower() not in PAGES:
        message = "is neither an address (https://...) nor a page saved as .html; name one of these"
        raise InputError([Problem(shown(path), message)])
    with opened(path, PAGES) as file:
        return Snapshot(read_whole(file, shown(path)))


def _drafted(source: str, snapshot: Snapshot) -> _Drafted:
    from panel.errors import InputError
    from panel.web_pages import page_to_tool

    draft = page_to_tool(snapshot, source)
    if draft.tool is None:
        raise InputError(draft.problems)
    return _Drafted(source, snapshot, draft.tool, draft.removed)


def _header(drafted: _Drafted, kept: Path) -> list[str]:
    """Return the lines that stand above a tool: where it is from, what to do with it, what is not in it."""
    when = drafted.snapshot.fetched_at
    return [
        f"Drafted by panel from {drafted.source}{f', fetched at {when.isoformat()}' if when else ''}.",
        f"Page: {SNAPSHOTS}/{kept.name}",
        f"sha256: {drafted.snapshot.sha256}",
        "",
        "Read and correct this before `panel review` or `panel batch run`: a program took it from the page.",
        "Only what the page states is here. Other fields: category, pricing, price_class, maker, license,",
        "launched_on, best_for, facts, aliases.",
        *(["", "Left out of the text:"] if drafted.removed else []),
        *(f"- {note}" for note in drafted.removed),
        "",
    ]


def _as_data(drafted: _Drafted, path: Path, kept: Path) -> dict[str, object]:
    when = drafted.snapshot.fetched_at
    return {
        "source": drafted.source,
        "file": str(path),
        "snapshot": str(kept),
        "sha256": drafted.snapshot.sha256,
        "url": drafted.snapshot.url,
        "fetched_at": when.isoformat() if when else None,
        "tool": drafted.tool.model_dump(mode="json", exclude_none=True),
        "removed": drafted.removed,
        "problems": [],
    }


def _print_line(value: object) -> None:
    import json

    from panel.cli.console import result

    result(json.dumps(value, ensure_ascii=False))


def _next_step(paths: Sequence[Path]) -> str:
    import shlex

    what = "it" if len(paths) == 1 else "each of them"
    return f"Next: read and correct {what}, then run: {shlex.join(['panel', 'review', *map(str, paths)])}"


@contextmanager
def _storage(path: Path) -> Iterator[None]:
    """Turn an OSError into a StorageError that says which file it kept from being written."""
    from panel.errors import StorageError

    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(f"{path}: {reason}; choose another folder with --out") from error
