"""People who work with drafts: their names and roles."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator

from panel.core.frozen import Frozen
from panel.core.text import canonical, one_line

PANEL = "panel"
"""The program's own name as the actor of an event; it approves nothing."""

MAX_NAME_CHARS = 120


class Role(StrEnum):
    """How far a person is trusted; each role may do everything that the one before it may."""

    DRAFTER = "drafter"
    EDITOR = "editor"
    PUBLISHER = "publisher"

    @property
    def with_article(self) -> str:
        """`an editor` or `a publisher`."""
        return f"{'an' if self is Role.EDITOR else 'a'} {self.value}"


def is_person(name: str) -> bool:
    """Return whether a name is a person's: neither blank nor the program's own."""
    return canonical(name) not in {"", PANEL}


def _person_name(value: object) -> str:
    name = one_line(value) if isinstance(value, str) else ""
    if not is_person(name) or len(name) > MAX_NAME_CHARS or "\ufffd" in name:
        raise ValueError(
            f"a person's name has 1 to {MAX_NAME_CHARS} characters, all of them readable, and is not {PANEL}"
        )
    return name


PersonName = Annotated[str, BeforeValidator(_person_name)]
"""A person's name on one line, 1-120 characters."""


class Actor(Frozen):
    """A person and their role."""

    name: PersonName
    role: Role

    def is_named(self, name: str) -> bool:
        """Return whether a name is this person's, whatever its case and spaces."""
        return canonical(self.name) == canonical(name)
