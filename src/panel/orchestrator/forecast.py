"""What a run will take, before anybody is asked: calls, tokens, dollars, and whether to ask one seat of each panel first.

Everything here is arithmetic on prompts and prices; tokens are estimated from the text as `panel.providers.tokens` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar

from panel.orchestrator.take import MOST_OUTPUT_TOKENS
from panel.providers.tokens import estimate, tokens_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from panel.domain.completion import ModelConfig
    from panel.domain.prompt import Prompt

ANSWER_TOKENS = 350
"""A typical answer without thinking, by the lengths that `prompts/take.md.j2` asks for: a take of 60-130 words (130 tokens), two to
five quotes (100), two or three sentences of reasoning (80), and the JSON around them (40)."""

REASK_TOKENS = 600
"""What a re-ask adds to the question: 1,500 characters of the earlier answer (375 tokens), what was wrong with it, and its frame."""

FEWEST_CACHED_TOKENS = 1_024
"""Shorter beginnings are not kept: OpenAI's documented minimum, and about the middle of what is said of Anthropic's models."""

ANSWER_SECONDS = 8.0
"""How long one seat that is asked alone keeps the others waiting: a whole answer of a mid-sized model at low effort, since answers
are not streamed."""

USD_PER_SECOND_WAITED = 0.01
"""What a second of an editor's waiting is worth: $36 an hour, the median wage of editors in the United States (Bureau of Labor
Statistics, Occupational Outlook Handbook, 2023)."""

ENOUGH_TO_DO = 2
"""Seats in a run for each call in flight from which other tools fill the wait for the first seat of a panel."""

SMALLEST_SHOWN_USD = 0.0001

_ON_THIS_MACHINE = {
    "local": "the embedded model reads what the seats share only once in any case",
    "replay": "answers come from files",
}

Number = TypeVar("Number", int, float)


class Rates(Protocol):
    """Prices of one model in US dollars a token; None where one is unknown."""

    @property
    def input(self) -> float | None:
        """Of a token that is read."""
        ...

    @property
    def cache_read(self) -> float | None:
        """Of a token that is read from a cache."""
        ...

    @property
    def cache_write(self) -> float | None:
        """Of a token that is read and kept in a cache."""
        ...

    @property
    def output(self) -> float | None:
        """Of a token that is written."""
        ...


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
    """

    tools: int
    models: dict[str, Amounts]

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
    """

    provider: str
    prompt: Prompt
    config: ModelConfig
    rates: Rates | None

    @property
    def model(self) -> str:
        """The model as `provider:model`."""
        return f"{self.provider}:{self.config.model}"


@dataclass(frozen=True, slots=True)
class CachePlan:
    """Whether one seat of each panel is asked first, so that the others read what all share from the provider's cache.

    Attributes:
        warm: whether it is.
        saving_usd: what that saves, or would save, for each tool, in US dollars; None if it is unknown.
        wait_seconds: how much longer a panel takes for it.
        why: one sentence with the figures.
    """

    warm: bool
    saving_usd: float | None
    wait_seconds: float
    why: str


def forecast(panels: Iterable[Sequence[Question]], *, warm: bool = False) -> Forecast:
    """Return what a run will take.

    Least: every seat is asked once and gives a typical answer, and what is kept in caches is read from there. Most: every seat is
    asked twice, the second time with twice the room, writes all that it may, and finds nothing in a cache. Calls that fail, and
    may be billed without an answer, come on top of either.

    Args:
        panels: the questions of each tool's seats, in the order of the roster; taken one at a time, and not kept.
        warm: whether the first seat of each panel is asked alone.
    """
    tools = 0
    models: dict[str, Amounts] = {}
    for panel in panels:
        tools += 1
        for question in panel:
            head = panel[0] if warm else None
            models[question.model] = models.get(question.model, Amounts()) + _amounts(question, head)
    return Forecast(tools, models)


def shared_tokens(prompt: Prompt) -> int:
    """Return about how many tokens of a prompt are the same for all seats of a panel."""
    return tokens_in(prompt.system) + tokens_in(prompt.shared)


def plan_cache(  # noqa: PLR0913 - each is a fact of its own, and none belongs to another
    setting: Literal["auto", "warm", "off"],
    provider: str,
    rates: Rates | None,
    *,
    shared_tokens: int,
    seats: int,
    tools: int,
    concurrency: int,
    wait_seconds: float = ANSWER_SECONDS,
) -> CachePlan:
    """Decide whether to ask one seat of each panel first.

    A cache can be read only once the answer that fills it has begun, so seats that are asked at once all pay in full. Asked first,
    one seat pays for keeping what all share, and the others read it at a fraction of its price.

    Args:
        setting: `warm` and `off` decide; `auto` leaves it to the figures.
        provider: who answers.
        rates: the model's prices, or None if they are unknown.
        shared_tokens: tokens that all seats of a panel share.
        seats: seats of a panel that ask this model.
        tools: tools of the run.
        concurrency: calls in flight at most.
        wait_seconds: how long a whole answer takes.
    """
    never = _never(provider, shared_tokens, seats)
    if never is not None:
        return CachePlan(warm=False, saving_usd=None, wait_seconds=0.0, why=f"off: {never}")
    saving = _saving(rates, shared_tokens, seats)
    wait = 0.0 if tools * seats >= ENOUGH_TO_DO * concurrency else wait_seconds
    worth_it = saving is not None and saving > wait * USD_PER_SECOND_WAITED
    if setting == "warm" or (setting == "auto" and worth_it):
        why = f"warm: one seat is asked first; {_effect(rates, shared_tokens, seats)} {_for(wait)}"
        return CachePlan(warm=True, saving_usd=saving, wait_seconds=wait, why=why)
    why = "off, as it was set" if setting == "off" else f"off: {_refusal(saving, wait)}"
    return CachePlan(warm=False, saving_usd=saving, wait_seconds=0.0, why=why)


def dollars(amount: float) -> str:
    """Return an amount of US dollars for people: to the cent from a dollar on, to a hundredth of a cent below."""
    if 0 < amount < SMALLEST_SHOWN_USD:
        return f"less than ${SMALLEST_SHOWN_USD:.4f}"
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}".removesuffix("00")


def _amounts(question: Question, head: Question | None) -> Amounts:
    """Return what one seat takes.

    Args:
        question: what it is asked.
        head: what the seat is asked that goes first, or None if all are asked at once.
    """
    read = estimate(question.prompt)
    room = question.config.max_output_tokens
    written = Span(min(ANSWER_TOKENS, room), room + min(2 * room, MOST_OUTPUT_TOKENS))
    input_tokens = Span(read, 2 * read + REASK_TOKENS)
    return Amounts(Span(1, 2), input_tokens, written, _cost(question, head, input_tokens, written))


def _cost(
    question: Question, head: Question | None, read: Span[int], written: Span[int]
) -> Span[float] | None:
    if question.provider in _ON_THIS_MACHINE:
        return Span(0.0, 0.0)
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


def _never(provider: str, shared: int, seats: int) -> str | None:
    """Return why it is pointless to ask one seat first, or None if it may be worth it."""
    if provider in _ON_THIS_MACHINE:
        return _ON_THIS_MACHINE[provider]
    if seats <= 1:
        return "no other seat would read what the first one puts into the cache"
    if shared < FEWEST_CACHED_TOKENS:
        return f"the seats share {shared:,} tokens, and caches keep nothing below {FEWEST_CACHED_TOKENS:,}"
    return None


def _saving(rates: Rates | None, shared: int, seats: int) -> float | None:
    """Return what a panel saves in US dollars if one seat fills the cache and the others read it.

    Where a provider also charges for keeping what nobody reads, it saves more than that.
    """
    if rates is None or rates.input is None or rates.cache_read is None:
        return None
    write = rates.input if rates.cache_write is None else rates.cache_write
    return shared * (seats * rates.input - write - (seats - 1) * rates.cache_read)


def _effect(rates: Rates | None, shared: int, seats: int) -> str:
    others = "other then reads" if seats == 2 else f"other {seats - 1} then read"  # noqa: PLR2004 - the first and one more
    reading = f"the {others} {shared:,} tokens from the cache"
    saving = _saving(rates, shared, seats)
    if saving is None or rates is None or not rates.input:
        return f"{reading}, which saves an unknown amount,"
    if saving <= 0:
        return f"{reading}, which costs {dollars(-saving)} a panel more than it saves,"
    percent = 100 * saving / (seats * shared * rates.input)
    return f"{reading}, which saves {dollars(saving)} a panel ({percent:.0f} % of what they cost anew)"


def _for(wait: float) -> str:
    return (
        f"for about {wait:g} s more wait" if wait else "and takes no longer, since other tools fill the wait"
    )


def _refusal(saving: float | None, wait: float) -> str:
    """Return why the figures speak against asking one seat first."""
    if saving is None:
        return "what it would save to ask one seat first is unknown, because a price is"
    if saving <= 0:
        return "to keep what the seats share would cost more than it saves"
    return (
        f"to ask one seat first would save {dollars(saving)} a panel for about {wait:g} s more wait, "
        f"which is worth it from {dollars(wait * USD_PER_SECOND_WAITED)} on"
    )
