"""The JSON object of an answer: its schema, and its place in a model's raw text.

The schema has no default, bound, pattern or length: OpenAI's strict mode and Anthropic's structured output share too few of
them. The reply parser enforces those rules.

The reader is strict where RFC 8259 leaves a choice: a repeated key, NaN and Infinity are refused. Two unambiguous slips are
accepted: a line break inside a string and a comma after the last member. Nothing is completed, and the time is linear in the
text's length.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import WithJsonSchema

from panel.core.frozen import Frozen
from panel.core.take import Score, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

# An enumeration in place of bounds, so that a decoder bound to the schema can write no other number.
WholeScore = Annotated[Score, WithJsonSchema({"type": "integer", "enum": list(range(101))})]


class Answer(Frozen):
    """A persona's answer, in the order in which a model writes it: grounds before judgement.

    With a recusal, take, score and verdict are None. The reasoning is not published.
    """

    recusal: str | None
    evidence: list[str]
    reasoning: str
    take: str | None
    score: WholeScore | None
    verdict: Literal[Verdict.SHIP, Verdict.SKIP] | None


def _without_titles(schema: Any) -> Any:  # noqa: ANN401 - any JSON value
    if not isinstance(schema, dict):
        return schema
    left_out = {"title", "description"}
    return {key: _without_titles(value) for key, value in schema.items() if key not in left_out}


ANSWER_SCHEMA: dict[str, Any] = _without_titles(Answer.model_json_schema())


class ReplyProblem(NamedTuple):
    """A reason why a reply cannot be used: the field, or `reply`; the error; and the remedy, an instruction to the model.

    The error is never in the model's own words, because it may be published.
    """

    field: str
    error: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.field}: {self.error}; {self.remedy}."


NO_OBJECT = ReplyProblem("reply", "it holds no JSON object", "answer with one JSON object and nothing else")
TWO_OBJECTS = ReplyProblem(
    "reply", "it holds more than one JSON object", "give exactly one, your final answer"
)
WRONG_OBJECT = ReplyProblem(
    "reply",
    "the JSON is not the answer itself",
    "give one object with the fields recusal, evidence, reasoning, take, score and verdict at its top level",
)

_WRAPPERS = frozenset({"review", "result", "answer", "output", "response", "data"})
_DEEPEST_WRAPPING = 4
_BLANK = " \t\r\n\ufeff"

# An unclosed string matches to the end; otherwise the search would restart at each quote in it.
_STRING_OR_LAST_COMMA = re.compile(r'("(?:[^"\\]++|\\.)*+"?)|,(?=\s*+[}\]])', re.DOTALL)
# A brace in prose opens no object; a brace before a quote, a comment or a key does, even an invalid one.
_OPENING = re.compile(r"\{\s*+(?=[\"'\u2018-\u201f\u00ab/#]|\w[\w -]{0,60}:)")
_BRACE_OR_QUOTE = re.compile(r'\\.|["{}]', re.DOTALL)
_NAMES_A_FIELD = re.compile(r"verdict|score|\btake\b|recus", re.IGNORECASE)


def find_object(text: str, persona: str) -> dict[str, Any] | ReplyProblem:
    """Return the object of the answer.

    These are removed: code fences, prose around the object, a list around it, JSON in a JSON string, and an object around it
    whose only key is a wrapper, such as `review`, or the persona's id.
    """
    value = _load(text.strip(_BLANK))
    if isinstance(value, ReplyProblem):
        value = _embedded(text)
    if isinstance(value, ReplyProblem):
        return value
    answer = _unwrapped(value, _WRAPPERS | {persona})
    return answer if isinstance(answer, dict) else WRONG_OBJECT


def _embedded(text: str) -> Any:  # noqa: ANN401 - any JSON value, or a ReplyProblem
    objects, broken = [], []
    for span in dict.fromkeys(_spans(text)):
        value = _load(span)
        if not isinstance(value, ReplyProblem):
            objects.append(value)
        elif _NAMES_A_FIELD.search(span):
            broken.append(value)
    if len(objects) > 1 or (objects and broken):
        return TWO_OBJECTS
    return next(iter([*objects, *broken]), NO_OBJECT)


def _spans(text: str) -> Iterator[str]:
    """Yield the texts between outermost braces; an object that never closes runs to the end."""
    position = 0
    while opening := _OPENING.search(text, position):
        start, position = opening.start(), len(text)
        depth, in_string = 0, False
        for mark in _BRACE_OR_QUOTE.finditer(text, start):
            if mark[0] == '"':
                in_string = not in_string
            elif mark[0] in "{}" and not in_string:
                depth += 1 if mark[0] == "{" else -1
                if depth == 0:
                    position = mark.end()
                    break
        yield text[start:position]


def _unwrapped(value: Any, wrappers: Collection[str]) -> Any:  # noqa: ANN401 - any JSON value
    for _ in range(_DEEPEST_WRAPPING):
        match value:
            case str():
                value = _load(value)
            case [inner]:
                value = inner
            case dict() if len(value) == 1 and next(iter(value)).strip().casefold() in wrappers:
                value = next(iter(value.values()))
            case _:
                break
    return value


class _AmbiguousError(ValueError):
    """JSON that Python would accept although it has two readings."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _AmbiguousError("an object has the same key twice")
    return members


def _no_number(_name: str) -> float:
    raise _AmbiguousError("NaN and Infinity are not numbers in JSON")


_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_unique, parse_constant=_no_number)


def _load(text: str) -> Any:  # noqa: ANN401 - any JSON value, or a ReplyProblem
    try:
        return _DECODER.decode(_STRING_OR_LAST_COMMA.sub(r"\1", text))
    except RecursionError:
        message = "its JSON is nested too deeply"
    except json.JSONDecodeError as error:
        message = f"it is not valid JSON ({error.msg[0].lower()}{error.msg[1:]})"
    except _AmbiguousError as error:
        message = str(error)
    except ValueError:
        message = "it holds a number with too many digits"
    return ReplyProblem("reply", message, "give one complete JSON object with double quotes, each field once")
