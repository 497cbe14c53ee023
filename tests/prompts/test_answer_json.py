from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import anthropic
import jsonschema
import pytest
from pydantic import ValidationError

from panel.core.take import Verdict
from panel.prompts.answer_json import ANSWER_SCHEMA, Answer

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = {
    "recusal": None,
    "evidence": ["no export"],
    "reasoning": "The export is missing.",
    "take": "There is no export.",
    "score": 45,
    "verdict": "skip",
}
RECUSAL = {**ANSWER, "recusal": "Not my field.", "evidence": [], "take": None, "score": None, "verdict": None}


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
    if isinstance(schema, dict | list):
        for child in schema.values() if isinstance(schema, dict) else schema:
            yield from nodes(child)


def without_type_beside_enum(schema: Any) -> Any:
    """Return a schema as Anthropic's client is known to send it."""
    if isinstance(schema, list):
        return [without_type_beside_enum(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    rest = {key: value for key, value in schema.items() if not (key == "type" and "enum" in schema)}
    return {key: without_type_beside_enum(value) for key, value in rest.items()}


def test_fields_stand_in_the_order_in_which_a_model_should_think() -> None:
    order = ["recusal", "evidence", "reasoning", "take", "score", "verdict"]
    assert list(ANSWER_SCHEMA["properties"]) == ANSWER_SCHEMA["required"] == order


def test_schema_meets_the_strict_rules_of_openai() -> None:
    assert ANSWER_SCHEMA["type"] == "object"
    assert ANSWER_SCHEMA["additionalProperties"] is False
    used = {key for node in nodes({**ANSWER_SCHEMA, "properties": {}}) for key in node}
    used |= {key for field in ANSWER_SCHEMA["properties"].values() for node in nodes(field) for key in node}
    assert used == {"type", "properties", "required", "additionalProperties", "anyOf", "enum", "items"}


def test_schema_reaches_anthropic_as_it_is() -> None:
    assert anthropic.transform_schema(ANSWER_SCHEMA) == without_type_beside_enum(ANSWER_SCHEMA)


def test_score_is_an_enumeration_of_whole_numbers() -> None:
    enums = [node["enum"] for node in nodes(ANSWER_SCHEMA["properties"]["score"]) if "enum" in node]
    assert enums == [list(range(101))]


@pytest.mark.parametrize("answer", [ANSWER, RECUSAL])
def test_schema_and_type_accept_the_same_answers(answer: dict[str, Any]) -> None:
    jsonschema.validate(answer, ANSWER_SCHEMA)
    assert json.loads(Answer.model_validate_json(json.dumps(answer)).model_dump_json()) == answer


@pytest.mark.parametrize("change", [{"score": 101}, {"score": 87.5}, {"verdict": "mixed"}, {"rating": 4}])
def test_schema_and_type_refuse_the_same_answers(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(ANSWER | change, ANSWER_SCHEMA)
    with pytest.raises(ValidationError):
        Answer.model_validate_json(json.dumps(ANSWER | change))


def test_verdict_is_read_as_a_verdict() -> None:
    assert Answer.model_validate_json(json.dumps(ANSWER)).verdict is Verdict.SKIP
