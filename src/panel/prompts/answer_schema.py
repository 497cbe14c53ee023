"""The wire schema: what a model fills in. What is kept of it is `panel.core.take.Take`.

The schema has no default, bound, pattern or length, because OpenAI's strict mode and Anthropic's structured
output know too few of them in common. `panel.prompts.reply` holds a reply to those.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import WithJsonSchema

from panel.core.base import Frozen
from panel.core.take import Score, Verdict

# An enumeration instead of bounds: a decoder that is bound to the schema can then write no other number.
WholeScore = Annotated[Score, WithJsonSchema({"type": "integer", "enum": list(range(101))})]


class Answer(Frozen):
    """A persona's answer, in the order in which a model writes it: grounds before judgement.

    Attributes:
        recusal: why the tool lies outside the persona's remit, or None.
        evidence: short quotes from the listing.
        reasoning: working that is not published.
        take: the argument, in prose; None in a recusal, as are score and verdict.
        score: a whole number from 0 to 100.
        verdict: ship or skip.
    """

    recusal: str | None
    evidence: list[str]
    reasoning: str
    take: str | None
    score: WholeScore | None
    verdict: Literal[Verdict.SHIP, Verdict.SKIP] | None


def _bare(schema: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(schema, dict):
        return {key: _bare(value) for key, value in schema.items() if key not in {"title", "description"}}
    return schema


ANSWER_SCHEMA: dict[str, Any] = _bare(Answer.model_json_schema())
