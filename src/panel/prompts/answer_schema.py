"""The JSON schema of an answer that models fill in; the reply parser turns an answer into a `Take`.

The schema has no default, bound, pattern or length: OpenAI's strict mode and Anthropic's structured output share too few of
them. The reply parser enforces those rules.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import WithJsonSchema

from panel.core.frozen import Frozen
from panel.core.take import Score, Verdict

# An enumeration in place of bounds, so that a decoder bound to the schema can write no other number.
WholeScore = Annotated[Score, WithJsonSchema({"type": "integer", "enum": list(range(101))})]


class Answer(Frozen):
    """A persona's answer, in the order in which a model writes it: grounds before judgement.

    Attributes:
        recusal: why the tool lies outside the persona's remit; take, score and verdict are None then.
        evidence: short quotes from the listing.
        reasoning: the model's working, which is not published.
        take: the argument, in prose.
    """

    recusal: str | None
    evidence: list[str]
    reasoning: str
    take: str | None
    score: WholeScore | None
    verdict: Literal[Verdict.SHIP, Verdict.SKIP] | None


def _without_titles(schema: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(schema, dict):
        return {
            key: _without_titles(value)
            for key, value in schema.items()
            if key not in {"title", "description"}
        }
    return schema


ANSWER_SCHEMA: dict[str, Any] = _without_titles(Answer.model_json_schema())
