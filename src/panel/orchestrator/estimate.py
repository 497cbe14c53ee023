"""What a run will take, before anybody is asked: calls, tokens, dollars.

Everything here is arithmetic on prompts and prices; tokens are estimated from the text as `panel.core.prompt` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from panel.orchestrator.cache_plan import FEWEST_CACHED_TOKENS, shared_tokens
from panel.orchestrator.seat import MOST_OUTPUT_TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from panel.core.completion import ModelConfig
    from panel.core.prompt import Prompt
    from panel.providers.prices import Rates

ANSWER_TOKENS = 350
"""A typical answer without thinking, by the lengths that `prompts/take.md.j2` asks for: a take of 60-130 words (130 tokens), two to
five quotes (100), two or three sentences of reasoning (80), and the JSON around them (40)."""

REASK_TOKENS = 600
"""What a re-ask adds to the question: 1,500 characters of the earlier answer (375 tokens), what was wrong with it, and its frame."""

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Span(Generic[Number]):
    """The least and the most that a figure can be."""

    least: Number
    most: Number

    def __add__(self, other: Span[Number]) -> Span[Number]:
        return Span(self.least + other.least, self.most + other.most)


@dataclass(frozen=True, slots=True)
class Amounts:
    """What is asked of a model.

    Attributes:
        calls: calls that are answered.
        input_tokens: tokens read, cached ones included.
        output_tokens: tokens written.
        cost_usd: price in US dollars, or None if a price is unknown.
    """

    calls: Span[int] = Span(0, 0)
    input_tokens: Span[int] = Span(0, 0)
    output_tokens: Span[int] = Span(0, 0)
    cost_usd: Span[float] | None = Span(0.0, 0.0)

    def __add__(self, other: Amounts) -> Amounts:
        mine, theirs = self.cost_usd, other.cost_usd
        return Amounts(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            None if mine is None or theirs is None else mine + theirs,
        )


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a run will take.

    Attributes:
        tools: tools that will be reviewed.
        models: what is asked of each model, by its name as `provider:model`.
        kept: seats that were answered earlier, so that they are not asked.
    """

    tools: int
    models: dict[str, Amounts]
    kept: int = 0

    def __add__(self, other: Forecast) -> Forecast:
        models = dict(self.models)
        for model, amounts in other.models.items():
            models[model] = models.get(model, Amounts()) + amounts
        return Forecast(self.tools + other.tools, models, self.kept + other.kept)

    @property
    def total(self) -> Amounts:
        """What is asked of all models."""
        return sum(self.models.values(), Amounts())


@dataclass(frozen=True, slots=True)
class Question:
    """What a seat is asked first.

    Attributes:
        provider: who answers, such as `openai`.
        prompt: the question.
        config: the model and its parameters.
        rates: its prices, or None if they are unknown.
        kept: whether the answer is there already.
    """

    provider: str
    prompt: Prompt
    config: ModelConfig
    rates: Rates | None
    kept: bool = False

    @property
    def model(self) -> str:
        """The model as `provider:model`."""
        return f"{self.provider}:{self.config.model}"


def forecast(panels: Iterable[Sequence[Question]], *, warm: bool = False) -> Forecast:
    """Return what a run will take.

    Least: every seat is asked once and gives a typical answer, and what is kept in caches is read from there. Most: every seat is
    asked twice, the second time with twice the room, writes all that it may, and finds nothing in a cache. Calls that fail, and
    may be billed without an answer, come on top of either. Seats whose answer is kept take nothing.

    Args:
        panels: the questions of each tool's seats, in the order of the roster; taken one at a time, and not kept.
        warm: whether the first seat of each panel is asked alone.
    """
    tools = kept = 0
    models: dict[str, Amounts] = {}
    for panel in panels:
        tools += 1
        asked = [question for question in panel if not question.kept]
        kept += len(panel) - len(asked)
        for question in panel:
            models.setdefault(question.model, Amounts())
        for question in asked:
            models[question.model] += _amounts(question, asked[0] if warm else None)
    return Forecast(tools, models, kept)


def _amounts(question: Question, head: Question | None) -> Amounts:
    """Return what one seat takes.

    Args:
        question: what it is asked.
        head: what the seat is asked that goes first, or None if all are asked at once.
    """
    read = question.prompt.estimated_tokens
    room = question.config.max_output_tokens
    written = Span(min(ANSWER_TOKENS, room), room + min(2 * room, MOST_OUTPUT_TOKENS))
    input_tokens = Span(read, 2 * read + REASK_TOKENS)
    return Amounts(Span(1, 2), input_tokens, written, _cost(question, head, input_tokens, written))


def _cost(
    question: Question, head: Question | None, read: Span[int], written: Span[int]
) -> Span[float] | None:
    rates = question.rates
    if rates is None or rates.input is None or rates.output is None:
        return None
    kept = shared_tokens(question.prompt)
    dearest = max(rates.input, rates.cache_write or 0.0) if _may_write(question, head) else rates.input
    least = (read.least - kept) * rates.input + kept * _shared_rate(question, head, rates, rates.input)
    return Span(least + written.least * rates.output, read.most * dearest + written.most * rates.output)


def _shared_rate(question: Question, head: Question | None, rates: Rates, fresh: float) -> float:
    """Return the price of a token that all seats of the panel share."""
    if head is None or not _may_write(question, head):
        return fresh
    same = (head.model, head.prompt.prefix_digest) == (question.model, question.prompt.prefix_digest)
    rate = rates.cache_read if same and head is not question else rates.cache_write
    return fresh if rate is None else rate


def _may_write(question: Question, head: Question | None) -> bool:
    """Whether the provider may keep the beginning of a prompt, and charge for that: OpenAI always, Anthropic if it is told to."""
    told = head is not None and head.model == question.model and question.provider == "anthropic"
    kept = told or question.provider == "openai"
    return kept and shared_tokens(question.prompt) >= FEWEST_CACHED_TOKENS
