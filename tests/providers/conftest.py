"""A prompt and a configuration."""

from __future__ import annotations

import pytest

from panel.domain.completion import ModelConfig
from panel.domain.prompt import Prompt


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
