"""`panel queue`: read, correct, approve, publish and retract drafts from a terminal."""

from __future__ import annotations

from panel.cli.queue.commands import app

__all__ = ["app"]
