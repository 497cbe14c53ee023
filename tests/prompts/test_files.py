from __future__ import annotations

import hashlib
import json
from pathlib import Path

from panel.prompts.files import load_personas
from panel.prompts.templates import PromptBook

ROOT = Path(__file__).parents[2]
FIGURES = json.loads((ROOT / "personas" / "calibration.json").read_text("utf-8"))
HINT = "run bench/calibrate.py again"


def test_calibration_was_made_with_the_prompt_and_the_tools_that_are_here() -> None:
    book = PromptBook([ROOT / "prompts"], b"s" * 32, scaffolded=True)
    tools = (ROOT / "fixtures" / "embedded" / "calibration.jsonl").read_bytes()
    assert FIGURES["prompt_digest"] == book.digest, HINT
    assert FIGURES["fixture_sha256"] == hashlib.sha256(tools).hexdigest(), HINT


def test_calibration_was_made_with_the_scaffolds_that_are_here() -> None:
    personas = load_personas(ROOT / "personas")
    bare = {name: one.model_copy(update={"calibration": None}).digest for name, one in personas.items()}
    assert FIGURES["persona_digests"] == bare, HINT
    assert all(one.calibration is not None for one in personas.values())
