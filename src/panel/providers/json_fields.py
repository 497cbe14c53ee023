"""Readers of fields in vendors' JSON, whose shape is not trusted."""

from __future__ import annotations

from typing import Any

from panel.core.text import one_line, well_formed

MAX_LABEL_CHARS = 200
MOST_TOKENS = 10**9


def mapping(value: dict[str, Any], key: str) -> dict[str, Any]:
    """Return the object at a key, or an empty one."""
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def mappings(value: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the objects in the list at a key."""
    found = value.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text_of(value: object) -> str:
    """Return a text that can be stored as UTF-8, or an empty one for anything else."""
    return well_formed(value) if isinstance(value, str) else ""


def label_of(value: object) -> str:
    """Return a name or an identifier on one line, cut to a bounded length."""
    return one_line(text_of(value)[:MAX_LABEL_CHARS])


def count(value: object) -> int | None:
    """Return a number of tokens, or None for anything else."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= MOST_TOKENS else None
