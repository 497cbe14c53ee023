"""Find the one JSON object in a model's raw text.

Strict where RFC 8259 leaves a choice: a repeated key, NaN and Infinity are refused. Two unambiguous slips are accepted: a line
break inside a string and a comma after the last member. Nothing is completed, and the time is linear in the text's length.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

WRAPPERS = frozenset({"review", "result", "answer", "output", "response", "data"})

_DEEPEST_WRAPPING = 4
_BLANK = " \t\r\n\ufeff"

# An unclosed string matches to the end; otherwise the search would restart at each quote in it.
_STRING_OR_LAST_COMMA = re.compile(r'("(?:[^"\\]++|\\.)*+"?)|,(?=\s*+[}\]])', re.DOTALL)
# A brace in prose opens no object; a brace before a quote, a comment or a key does, even an invalid one.
_OPENING = re.compile(r"\{\s*+(?=[\"'\u2018-\u201f\u00ab/#]|\w[\w -]{0,60}:)")
_BRACE_OR_QUOTE = re.compile(r'\\.|["{}]', re.DOTALL)
_NAMES_A_FIELD = re.compile(r"verdict|score|\btake\b|recus", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReplyProblem:
    """A reason why a reply cannot be used.

    Attributes:
        field: a field of the answer, or `reply`.
        error: never in the model's own words, because it may be published.
        remedy: the instruction to the model.
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


def find_object(text: str, persona: str) -> dict[str, Any] | ReplyProblem:
    """Return the object of the answer.

    These are removed: code fences, prose around the object, a list around it, JSON in a JSON string, and an object around it
    whose only key is one of the `WRAPPERS` or the persona's id.
    """
    value = _load(text.strip(_BLANK))
    if isinstance(value, ReplyProblem):
        value = _embedded(text)
    if isinstance(value, ReplyProblem):
        return value
    answer = _unwrapped(value, WRAPPERS | {persona})
    return answer if isinstance(answer, dict) else WRONG_OBJECT


def _embedded(text: str) -> Any:  # noqa: ANN401 - any JSON value, or a ReplyProblem
    read = {span: _load(span) for span in dict.fromkeys(_spans(text))}
    objects = [value for value in read.values() if not isinstance(value, ReplyProblem)]
    broken = [
        value
        for span, value in read.items()
        if isinstance(value, ReplyProblem) and _NAMES_A_FIELD.search(span)
    ]
    if len(objects) > 1 or (objects and broken):
        return TWO_OBJECTS
    return next(iter([*objects, *broken]), NO_OBJECT)


def _spans(text: str) -> Iterator[str]:
    """Yield the texts between outermost braces; an object that never closes runs to the end."""
    position = 0
    while opening := _OPENING.search(text, position):
        position = _closing(text, opening.start())
        yield text[opening.start() : position]


def _closing(text: str, start: int) -> int:
    depth, in_string = 0, False
    for mark in _BRACE_OR_QUOTE.finditer(text, start):
        if mark[0] == '"':
            in_string = not in_string
        elif mark[0] in "{}" and not in_string:
            depth += 1 if mark[0] == "{" else -1
            if depth == 0:
                return mark.end()
    return len(text)


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


class _NotStrictError(ValueError):
    """Ambiguous JSON that Python would accept."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _NotStrictError("an object has the same key twice")
    return members


def _no_number(_name: str) -> float:
    raise _NotStrictError("NaN and Infinity are not numbers in JSON")


_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=_unique, parse_constant=_no_number)


def _load(text: str) -> Any:  # noqa: ANN401 - any JSON value, or a ReplyProblem
    try:
        return _DECODER.decode(_STRING_OR_LAST_COMMA.sub(r"\1", text))
    except RecursionError:
        message = "its JSON is nested too deeply"
    except json.JSONDecodeError as error:
        message = f"it is not valid JSON ({error.msg[0].lower()}{error.msg[1:]})"
    except _NotStrictError as error:
        message = str(error)
    except ValueError:
        message = "it holds a number with too many digits"
    return ReplyProblem("reply", message, "give one complete JSON object with double quotes, each field once")
