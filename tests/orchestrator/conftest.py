"""A tool, the shipped critics, a book of prompts, and an observer that remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from panel.core.tool import Tool
from panel.prompts.files import load_personas, shipped
from panel.prompts.templates import PromptBook

if TYPE_CHECKING:
    from panel.core.persona import Persona


@pytest.fixture
def tool() -> Tool:
    """A tool with an address of its own."""
    return Tool(
        name="Lantern",
        tagline="See inside your pipelines",
        description="Lantern shows run history, row counts and schema diffs for scheduled jobs.",
        url="https://lantern.example/",
    )


@pytest.fixture(scope="session")
def critics() -> dict[str, Persona]:
    """The shipped critics."""
    return load_personas(shipped("personas"))


@pytest.fixture
def book() -> PromptBook:
    """The shipped prompts for hosted models."""
    return PromptBook([shipped("prompts")], b"s" * 32, scaffolded=False)
