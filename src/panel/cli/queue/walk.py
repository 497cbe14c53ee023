"""`panel queue next`: the drafts that wait, one after the other, as `git add -p` walks through changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panel.cli import options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.cli.queue.desk import Desk
    from panel.core.actor import Actor

HELP = """Walk through the drafts that wait, the oldest first: read each, deal with what was found in it, and decide.

Each draft is held for you while it is before you; drafts that somebody else has are passed over. Questions are answered with a letter
and Enter, from a terminal or from a pipe. Ctrl-C leaves; what you did is kept.

Examples:

  panel queue next
"""
PAGE = 20


class Left(Exception):
    """Whoever walks wants to leave."""


def walk(config: options.Config = None, as_json: options.Events = False) -> None:
    """Walk through the drafts that wait.

    JSON: a line for each draft as it was left, `{draft, state, missing, hash}`; what is read then goes to stderr.
    """
    from panel.cli.console import plain_result, tell
    from panel.cli.queue.before import Before
    from panel.cli.queue.desk import desk
    from panel.cli.queue.told import tell_line

    at = desk(config)
    actor = at.actor()
    say = tell if as_json else plain_result
    seen = 0
    try:
        for draft in _waiting(at, actor):
            seen += 1
            try:
                Before(at, actor, draft, say).decided()
            finally:
                if as_json:
                    tell_line(at, draft)
    except Left:
        return
    say("No more drafts wait." if seen else "No drafts wait.")


def _waiting(at: Desk, actor: Actor) -> Iterator[int]:
    """Yield the numbers of drafts that wait and that nobody else has, each once."""
    from panel.core.draft_state import WAITING
    from panel.core.text import canonical
    from panel.store import QueueFilter

    after: str | None = None
    while True:
        page = at.queue(QueueFilter(states=WAITING), after, PAGE)
        for line in page.rows:
            if line.holder is None or canonical(line.holder) == canonical(actor.name):
                yield line.id
        after = page.after
        if after is None:
            return
