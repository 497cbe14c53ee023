"""`panel queue history`: all that happened to a draft."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panel.cli import options
from panel.cli.queue.arguments import DraftNumber

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.approval import DraftView
    from panel.store import RecordedEvent

HELP = """Show all that happened to a draft: who, when, what and why.

Examples:

  panel queue history 12

  panel queue history 12 --json
"""
HASH_CHARS, ROOM = 8, 13


def history(draft: DraftNumber, config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Show all that happened to a draft.

    JSON: an array of `{id, at, actor, kind, reason, hash_before, hash_after, payload}`.
    """
    from panel.cli.console import plain_result, result_json
    from panel.cli.queue.desk import desk

    view = desk(config).view(draft)
    if as_json:
        result_json([event.model_dump(mode="json", exclude={"draft"}) for event in view.history])
        return
    plain_result("\n".join(line for event in view.history for line in _lines(view, event)))


def _lines(view: DraftView, event: RecordedEvent) -> Iterator[str]:
    from panel.cli.console import width
    from panel.cli.rows import labelled
    from panel.core.text import one_line

    before, after = (event.hash_before or "")[:HASH_CHARS], event.hash_after[:HASH_CHARS]
    shown = f"{before} → {after}" if before and before != after else after
    yield f"{event.at:%Y-%m-%d %H:%M:%S} UTC  {one_line(event.actor)}: {_what(event.kind)}  {shown}"
    details = [*([("why", event.reason)] if event.reason else []), *_details(view, event.payload)]
    for label, value in details:
        yield from labelled(f"    {label}", one_line(value), ROOM, width())


def _details(view: DraftView, payload: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for edit in payload.get("edits", ()):
        change, was = edit["change"], edit["original"]
        whose = change.get("persona") or "tool"
        yield "edit", f"{whose}, {change['field']}: {_changed(was['value'], change['value'])}"
    if tick := payload.get("tick"):
        texts = {finding.id: f"“{finding.text}”" for finding in view.findings}
        source = f", {tick['source']}" if tick.get("source") else ""
        found = texts.get(tick["finding"], "words that are no longer there")
        yield "finding", f"{found}: {tick['kind']}{source}"
    if persona := payload.get("persona"):
        yield "seat", persona
    if holder := payload.get("from"):
        yield "from", holder
    yield from (("undone", _what(event.kind)) for event in view.history if event.id == payload.get("undone"))


def _changed(before: object, after: object) -> str:
    from panel.cli.queue.words import changes

    if isinstance(before, str) and isinstance(after, str):
        return changes(before, after)
    return f"{_words(before)} → {_words(after)}"


def _words(value: object) -> str:
    if not isinstance(value, list):
        return str(value)
    return "; ".join(each["claim"] if isinstance(each, dict) else each for each in value) or "none"


def _what(kind: str) -> str:
    return kind.replace("_", " ")
