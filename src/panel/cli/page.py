"""`panel page`, and the question about each page that `panel review`, `compare` and `batch run` ask on a terminal."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from panel.cli import options
from panel.cli.console import complain, plain_result, result, tell, width
from panel.cli.signals import SignalReceived
from panel.errors import InputError, RunStopped, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from panel.core.tool import Tool
    from panel.tool_files.records import Record
    from panel.web_pages.fetch import Fetcher

HELP = """Draft tool files from web pages, to be corrected.

Each page is kept as received, in .snapshots beside the tool file.

Examples:

  panel page https://lantern.dev

  panel page saved.html --out drafts
"""
FAILED = 2
CORRECTED = "corrected in an editor"

_YES, _EDIT, _SKIP, _QUIT = "yes", "edit", "skip", "quit"
_EARLY = "before anything was reviewed; run the same command again to go on"
_NONE = "(none)"
_MARGIN = "| "  # tells the page's own lines from those of panel
_EDITOR_HEADER = "Text of the page. Correct it and save; an empty file skips the page."


def page(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="SOURCE...", help="Addresses (https://...), or pages saved as .html."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the tool files.")] = Path(
        "tools"
    ),
    as_json: options.AsJson = False,
    force: Annotated[bool, typer.Option("--force", help="Replace existing tool files.")] = False,
    quiet: options.Quiet = False,
) -> int:
    """Draft tool files from web pages."""
    return draft_pages(sources, out, as_json=as_json, force=force, quiet=quiet)


def draft_pages(
    sources: Sequence[str],
    out: Path,
    fetch: Fetcher | None = None,
    *,
    as_json: bool = False,
    force: bool = False,
    quiet: bool = False,
) -> int:
    """Draft a tool file from each page and return the exit code; the pages after one that fails are drafted too.

    Raises:
        PanelError: pages cannot be parsed at all, or files cannot be written.
        SignalReceived: the user interrupts; all files written so far are complete.
    """
    import asyncio
    import json
    import shlex

    from panel.web_pages.drafting import draft_tool_files
    from panel.web_pages.fetch import fetch_page

    written: list[Path] = []
    failed = False

    async def draft_all() -> None:
        nonlocal failed
        drafts = draft_tool_files(sources, out, fetch=fetch or fetch_page, overwrite=force)
        async for source, draft in drafts:
            if isinstance(draft, InputError):
                failed = True
                problems = [str(problem) for problem in draft.problems]
                for problem in problems:
                    complain(problem)
                if as_json:
                    result(json.dumps({"source": source, "problems": problems}, ensure_ascii=False))
                continue
            if as_json:
                result(json.dumps(draft.as_json(), ensure_ascii=False))
            else:
                text = _page_text(draft.source, draft.tool, draft.record.notes)
                plain_result(f"\n{text}" if written else text)
            written.append(draft.path)
            if not quiet:
                tell(f"Wrote {draft.path}, {draft.snapshot_path}")

    try:
        asyncio.run(draft_all())
    except KeyboardInterrupt:
        advice = "run the same command again for the pages that have no tool file yet"
        raise SignalReceived(signal.SIGINT, f"interrupted; {advice}") from None
    if written and not quiet:
        which = "it" if len(written) == 1 else "each of them"
        command = shlex.join(["panel", "review", *map(str, written)])
        tell(f"Next: read and correct {which}, then run: {command}")
    return FAILED if failed else 0


def confirm_pages(records: Iterable[Record], *, unread: bool) -> Iterator[Record]:
    """Yield the records to review; a tool from a page only after the user has seen and accepted its text.

    On a terminal the user accepts, corrects or skips each page. Other records, and pages without a tool, pass unchanged. With `unread`,
    all pages are accepted without a question, and their notes are printed.

    Raises:
        SettingsError: there is a page to accept, and no terminal to ask on.
        RunStopped: the user quits.
        SignalReceived: the user interrupts.
    """
    from panel.web_pages.sources import is_page

    for record in records:
        if record.tool is None or not is_page(record):
            yield record
        elif unread:
            for note in record.notes:
                tell(f"{record.location}: {note}")
            yield record
        elif (accepted := _ask_about(record, record.tool)) is not None:
            yield accepted


def _ask_about(record: Record, tool: Tool) -> Record | None:
    """Return the record as the user accepts it, corrected or not; None if the page is skipped."""
    from dataclasses import replace

    source = record.location.source
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise SettingsError(
            f"{source}: an editor must read a page before its review; run panel page, correct the tool file that it "
            "writes and review that, or accept pages unread with --pages-unread"
        )
    while True:
        tell("")
        tell(_page_text(source, tool, record.notes))
        answer = _ask("Review this text? [y]es, [e]dit, [s]kip, [q]uit:", _YES, _EDIT, _SKIP, _QUIT)
        if answer == _YES and tool == record.tool:
            return record
        if answer == _YES:
            return replace(record, tool=tool, notes=(*record.notes, CORRECTED), lines={})
        edited = None if answer == _SKIP else _edit(tool, record.notes)
        if edited is None:
            tell(f"Skipped {source}")
            return None
        tool = edited


def _edit(tool: Tool, removed: Iterable[str]) -> Tool | None:
    """Return a tool after a visit to the editor, unchanged if the editor fails; None if its file was emptied."""
    from tempfile import TemporaryDirectory

    from panel.cli.editor import open_editor
    from panel.web_pages.drafting import read_corrected, tool_yaml

    with TemporaryDirectory(prefix="panel-") as folder:
        path = Path(folder) / f"{tool.slug}.yaml"
        comments = [_EDITOR_HEADER, *(f"Left out: {note}" for note in removed), ""]
        path.write_text(tool_yaml(tool, comments), "utf-8")
        while True:
            failure = open_editor(path)
            if failure is not None:
                tell(failure)
                return tool
            corrected = read_corrected(path)
            if corrected is None or corrected.tool is not None:
                return corrected.tool if corrected else None
            for problem in corrected.problems:
                tell(str(problem))
            if _ask("It cannot be read yet. [e]dit again, [s]kip, [q]uit:", _EDIT, _SKIP, _QUIT) == _SKIP:
                return None


def _ask(question: str, *answers: str) -> str:
    """Return the answer that the user types, as its word or first letter; ask again after anything else.

    Raises:
        RunStopped: the user quits, or the input ends.
        SignalReceived: the user interrupts.
    """
    while True:
        try:
            sys.stderr.write(f"{question} ")
            sys.stderr.flush()
            line = sys.stdin.buffer.readline()
        except KeyboardInterrupt:
            tell("")
            raise SignalReceived(signal.SIGINT, f"interrupted {_EARLY}") from None
        if not line:
            tell("")
        word = line.decode("utf-8", "replace").strip().lower()
        answer = next((answer for answer in answers if word in {answer, answer[0]}), None)
        if answer == _QUIT or not line:
            raise RunStopped(f"stopped {_EARLY}")
        if answer is not None:
            return answer


def _page_text(source: str, tool: Tool, removed: Iterable[str]) -> str:
    """Return the fields of a draft, and the texts that are not in it, laid out for a terminal."""
    import textwrap

    from panel.core.text import one_line

    given = tool.model_dump(mode="json", exclude_unset=True, exclude_none=True, exclude={"description"})
    lines = [one_line(source)]
    # A page should state name, tagline and address.
    for name, value in ({"name": "", "tagline": _NONE, "url": _NONE} | given).items():
        parts = value if isinstance(value, list) else [value]
        lines.append(
            f"{name}: {'; '.join(part['claim'] if isinstance(part, dict) else part for part in parts)}"
        )
    lines.append("description:")
    for text in tool.description.split("\n"):
        wrapped = textwrap.wrap(text, width() - len(_MARGIN)) or [""]
        lines += [f"{_MARGIN}{line}".rstrip() for line in wrapped]
    left_out = [f"- {one_line(note)}" for note in removed]
    return "\n".join([*lines, *(["left out of the text:"] if left_out else []), *left_out])
