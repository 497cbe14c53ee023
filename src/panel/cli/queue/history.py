"""`panel queue history`: all that happened to a draft."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from panel.cli import options
from panel.cli.queue.arguments import DraftNumber

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.store import PastEvent

HELP = """Show all that happened to a draft: who, when, what and why.

Examples:

  panel queue history 12

  panel queue history 12 --json
"""
HASH_CHARS = 8


def history(draft: DraftNumber, config: options.Config = None, as_json: options.AsJson = False) -> None:
    """Show all that happened to a draft.

    JSON: an array of `{id, at, actor, kind, reason, hash_before, hash_after, payload}`.
    """
    from panel.cli.console import plain_result, result_json
    from panel.cli.queue.desk import desk

    past = desk(config).view(draft).history
    if as_json:
        result_json([event.model_dump(mode="json", exclude={"draft"}) for event in past])
        return
    plain_result("\n".join(line for event in past for line in _lines(event)))


def _lines(event: PastEvent) -> Iterator[str]:
    from panel.domain.text import one_line

    before, after = (event.hash_before or "")[:HASH_CHARS], event.hash_after[:HASH_CHARS]
    shown = f"{before} → {after}" if before and before != after else after
    what = event.kind.replace("_", " ")
    yield f"{event.at:%Y-%m-%d %H:%M:%S} UTC  {one_line(event.actor)}: {what}  {shown}"
    if event.reason:
        yield f"    why: {one_line(event.reason)}"
    yield from (f"    {line}" for line in _details(event.payload))


def _details(payload: dict[str, Any]) -> Iterator[str]:
    from panel.domain.text import one_line

    for edit in payload.get("edits", ()):
        change, was = edit["change"], edit["original"]
        whose = change.get("persona") or "tool"
        yield one_line(f"{whose}, {change['field']}: {was['value']} → {change['value']}")
    if tick := payload.get("tick"):
        source = f", {tick['source']}" if tick.get("source") else ""
        yield one_line(f"finding {tick['finding'][:HASH_CHARS]}: {tick['kind']}{source}")
    if persona := payload.get("persona"):
        yield f"seat: {one_line(persona)}"
    if holder := payload.get("from"):
        yield f"from: {one_line(holder)}"
