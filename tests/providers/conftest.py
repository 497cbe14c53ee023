"""A prompt and a configuration, the shipped personas and prompts, and a stop signal whose waits take no time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from panel.core.completion import ModelConfig
from panel.core.prompt import Prompt
from panel.prompts.files import load_personas, shipped
from panel.prompts.templates import PromptBook
from providers.sessions import FakeClockStop

if TYPE_CHECKING:
    from panel.core.persona import Persona


@pytest.fixture
def prompt() -> Prompt:
    """A prompt in its three parts."""
    schema = {"type": "object", "properties": {"score": {"type": "integer", "enum": [0, 1]}}}
    return Prompt(
        label="lantern.builder", system="RULES", shared="LISTING\n", own="SEAT", answer_schema=schema
    )


@pytest.fixture
def config() -> ModelConfig:
    """A model and its parameters."""
    return ModelConfig(model="some-model", max_output_tokens=1_234)


@pytest.fixture(scope="session")
def critics() -> tuple[Persona, ...]:
    """The shipped critics, in order."""
    return tuple(load_personas(shipped("personas")).values())


@pytest.fixture(scope="session")
def book() -> PromptBook:
    """The shipped prompts for hosted models."""
    return PromptBook([shipped("prompts")], b"s" * 32, scaffolded=False)


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> FakeClockStop:
    """A stop signal whose waits take no time; the rate limiter reads its clock."""
    stop = FakeClockStop()
    monkeypatch.setattr("panel.providers.middleware.rate_limit.time", stop)
    return stop
