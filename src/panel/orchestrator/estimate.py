"""Estimates the calls, tokens and dollars of a run before any call, and decides whether to fill the provider's cache first.

Arithmetic on prompts and prices alone. Tokens are estimated from the text, as `panel.core.prompt` does.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Literal

from panel.core.completion import CallKey
from panel.core.prompt import estimate_tokens
from panel.core.text import dollars
from panel.orchestrator.seat import MOST_OUTPUT_TOKENS
from panel.providers import hosted_providers, providers
from panel.providers.base import PromptCache

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from panel.core.completion import ModelConfig
    from panel.core.persona import Persona
    from panel.core.prompt import Prompt
    from panel.core.tool import Tool
    from panel.orchestrator.intake import Intake
    from panel.orchestrator.setup import PanelSetup
    from panel.providers.prices import Rates
    from panel.settings.fields import Settings
    from panel.store import Store

ANSWER_TOKENS = 350
"""A typical answer without thinking, by the lengths that `prompts/take.md.j2` asks for: a take of 60-130 words (130 tokens), two to
five quotes (100), two or three sentences of reasoning (80), and the JSON around them (40)."""

REASK_TOKENS = 600
"""The tokens that a re-ask adds to a prompt: 1,500 characters of the earlier answer (375 tokens), the problems, and its frame."""

FEWEST_CACHED_TOKENS = 1_024
"""Providers cache no shorter prefixes: OpenAI's documented minimum, and about the middle of Anthropic's."""

SEATS_TO_FILL_A_WAIT = 2
"""With so many other seats for each concurrent call, other tools fill the wait for the seat that is asked first."""

PAGE = 100


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the most that a figure can be; whole numbers for calls and tokens."""

    least: float
    most: float

    def __add__(self, other: Bounds) -> Bounds:
        return Bounds(self.least + other.least, self.most + other.most)


@dataclass(frozen=True, slots=True)
class Amounts:
    """Calls that are answered, tokens read (cached ones included) and written, and US dollars (None if a price is unknown)."""

    calls: Bounds = Bounds(0, 0)
    input_tokens: Bounds = Bounds(0, 0)
    output_tokens: Bounds = Bounds(0, 0)
    cost_usd: Bounds | None = Bounds(0.0, 0.0)

    def __add__(self, other: Amounts) -> Amounts:
        mine, theirs = self.cost_usd, other.cost_usd
        return Amounts(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            None if mine is None or theirs is None else mine + theirs,
        )


@dataclass(frozen=True, slots=True)
class Estimate:
    """Amounts by model (`provider:model`) for reviews of some tools; `reused` counts seats whose answer is in the store already."""

    tools: int = 0
    models: dict[str, Amounts] = field(default_factory=dict)
    reused: int = 0

    def __add__(self, other: Estimate) -> Estimate:
        models = dict(self.models)
        for model, amounts in other.models.items():
            models[model] = models.get(model, Amounts()) + amounts
        return Estimate(self.tools + other.tools, models, self.reused + other.reused)

    @property
    def total(self) -> Amounts:
        """The amounts of all models together."""
        return sum(self.models.values(), Amounts())


@dataclass(frozen=True, slots=True)
class FirstCall:
    """The first call of a seat; `reused` if its answer is in the store. `rates` are None if they are unknown."""

    provider: str
    prompt: Prompt
    config: ModelConfig
    rates: Rates | None
    reused: bool = False

    @property
    def model(self) -> str:
        """The model as `provider:model`."""
        return f"{self.provider}:{self.config.model}"


@dataclass(frozen=True, slots=True)
class CachePlan:
    """Whether one seat of each panel is asked first, so that the others read the listing from the provider's cache.

    `saving_usd` is the saving for each tool in US dollars, None if it is unknown; `why` is one sentence with the figures.
    """

    warm: bool
    saving_usd: float | None
    why: str


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """The estimate of a run and its settings; `models` gives the reason for each model's choice, by `provider:model`."""

    seats: tuple[str, ...]
    models: dict[str, str]
    estimate: Estimate
    cache: CachePlan
    settings: Settings


async def estimate_run(
    setup: PanelSetup,
    tools: Sequence[Tool] | Intake,
    store: Store | None = None,
    skipped: Collection[str] = (),
) -> RunEstimate | None:
    """Return the estimate of a run, or None if there is no tool to review.

    Without a store every call counts; `skipped` holds the canonical names of tools that the run would leave out.
    """
    number = len(tools) - len(skipped)
    if number <= 0:
        return None
    following = (tool for tool in tools if tool.canonical not in skipped)
    page = list(islice(following, PAGE))
    plan = plan_for(setup, page[0], number)
    rates = {model.ref.model: model.rates for model in setup.models}

    def first_call(tool: Tool, persona: Persona) -> tuple[FirstCall, str]:
        """Return the first call of a seat, and the key that its answer is stored under."""
        model = setup.model_of(persona)
        prompt, connection = model.prompts.take(tool, persona), model.connection
        key = CallKey.of(prompt, model.config, connection.provider, connection.base_url).key
        return FirstCall(model.provider, prompt, model.config, rates[model.ref.model]), key

    total = Estimate()
    while page:
        panels = [[first_call(tool, persona) for persona in setup.personas] for tool in page]
        keys = [key for panel in panels for _, key in panel]
        answered = await store.calls.answered(keys) if store is not None else set()
        marked = ([replace(call, reused=key in answered) for call, key in panel] for panel in panels)
        total += estimate_panels(marked, warm=plan.warm)
        page = list(islice(following, PAGE))
    return RunEstimate(
        seats=tuple(persona.name for persona in setup.personas),
        models={model.ref.model: model.choice.why for model in setup.models},
        estimate=total,
        cache=plan,
        settings=setup.settings,
    )


def estimate_panels(panels: Iterable[Sequence[FirstCall]], *, warm: bool = False) -> Estimate:
    """Return the estimate of some panels, one for each tool: the first calls of its seats, in the order of the roster.

    Least: every seat is asked once and gives a typical answer, and cached tokens are read at the cache's price. Most: every seat is
    asked twice, the second time with twice the output limit, writes all that it may, and finds nothing in a cache. Calls that fail,
    and may be billed without an answer, come on top of either. One panel is in memory at a time. With `warm`, the first seat of each
    panel is asked alone.
    """
    tools = reused = 0
    models: dict[str, Amounts] = {}
    for panel in panels:
        tools += 1
        asked = [call for call in panel if not call.reused]
        reused += len(panel) - len(asked)
        for call in panel:
            models.setdefault(call.model, Amounts())
        for call in asked:
            models[call.model] += _amounts(call, asked[0] if warm else None)
    return Estimate(tools, models, reused)


def _amounts(call: FirstCall, first: FirstCall | None) -> Amounts:
    """Return calls, tokens and cost of one seat; `first` is the seat that is asked alone, or None if all are asked at once."""
    tokens, room = call.prompt.estimated_tokens, call.config.max_output_tokens
    read = Bounds(tokens, 2 * tokens + REASK_TOKENS)
    written = Bounds(min(ANSWER_TOKENS, room), room + min(2 * room, MOST_OUTPUT_TOKENS))
    calls, rates = Bounds(1, 2), call.rates
    if rates is None or rates.input is None or rates.output is None:
        return Amounts(calls, read, written, None)
    shared = shared_tokens(call.prompt)
    shared_rate = dearest = rates.input
    spec = providers().get(call.provider)  # a recording may name another provider
    cache = spec.prompt_cache if spec else PromptCache.UNKNOWN
    requested = first is not None and first.model == call.model and cache is PromptCache.ON_REQUEST
    if (requested or cache is PromptCache.AUTOMATIC) and shared >= FEWEST_CACHED_TOKENS:
        dearest = max(rates.input, rates.cache_write or 0.0)
        if first is not None:
            same = (first.model, first.prompt.prefix_digest) == (call.model, call.prompt.prefix_digest)
            cached_rate = rates.cache_read if same and first is not call else rates.cache_write
            shared_rate = rates.input if cached_rate is None else cached_rate
    least = (read.least - shared) * rates.input + shared * shared_rate + written.least * rates.output
    return Amounts(calls, read, written, Bounds(least, read.most * dearest + written.most * rates.output))


def shared_tokens(prompt: Prompt) -> int:
    """Return about how many tokens of a prompt are the same for all seats of a panel."""
    return estimate_tokens(prompt.system) + estimate_tokens(prompt.shared)


def plan_for(setup: PanelSetup, example: Tool, tools: int) -> CachePlan:
    """Return the cache plan of a run, from one tool's prompt, the number of tools and the model's prices."""
    model, first = setup.model, setup.personas[0]
    seats = 0 if first.id in setup.seat_models else len(setup.personas) - len(setup.seat_models)
    return plan_cache(
        setup.settings.cache,
        model.connection.provider,
        model.rates if model.connection.provider in hosted_providers() else None,
        shared=shared_tokens(model.prompts.take(example, first)),
        seats=seats,
        busy=tools * seats >= SEATS_TO_FILL_A_WAIT * setup.settings.concurrency,
    )


def plan_cache(  # noqa: PLR0913 - six independent facts
    setting: Literal["auto", "warm", "off"],
    provider: str,
    rates: Rates | None,
    *,
    shared: int,
    seats: int,
    busy: bool,
) -> CachePlan:
    """Decide whether to ask one seat of each panel first.

    A cache can be read only once the answer that fills it has begun, so seats that are asked at once all pay in full. Asked first,
    one seat pays for filling the cache, and the others read it at a fraction of the price. `auto` warms where it saves money and
    costs no time, because other tools keep all calls `busy` meanwhile. `shared` counts the tokens that all seats of a panel share.
    """
    pointless = providers()[provider].not_cached
    if pointless is None and seats <= 1:
        pointless = "no other seat would read what the first one puts into the cache"
    if pointless is None and shared < FEWEST_CACHED_TOKENS:
        pointless = (
            f"the seats share {shared:,} tokens, and caches keep nothing below {FEWEST_CACHED_TOKENS:,}"
        )
    if pointless is not None:
        return CachePlan(warm=False, saving_usd=None, why=f"off: {pointless}")
    saving = percent = None
    if rates is not None and rates.input is not None and rates.cache_read is not None:
        # The least that a panel saves: one seat fills the cache, and the others read it.
        write = rates.input if rates.cache_write is None else rates.cache_write
        saving = shared * (seats * rates.input - write - (seats - 1) * rates.cache_read)
        percent = 100 * saving / (seats * shared * rates.input) if rates.input else None
    if setting == "warm" or (setting == "auto" and busy and saving is not None and saving > 0):
        return CachePlan(warm=True, saving_usd=saving, why=_warm_reason(saving, percent, shared, seats))
    if setting == "off":
        why = "off, as it was set"
    elif saving is None:
        why = "off: the saving is unknown, because a price is"
    elif saving <= 0:
        why = "off: filling the cache would cost more than it saves"
    else:
        why = f"off: it would save {dollars(saving)} a panel, but one seat would be asked alone, with too few tools to fill the wait"
    return CachePlan(warm=False, saving_usd=saving, why=why)


def _warm_reason(saving: float | None, percent: float | None, shared: int, seats: int) -> str:
    others = "other then reads" if seats == 2 else f"other {seats - 1} then read"  # noqa: PLR2004 - the first and one more
    reading = f"warm: one seat is asked first; the {others} {shared:,} tokens from the cache"
    if saving is None or percent is None:
        return f"{reading}, which saves an unknown amount"
    if saving <= 0:
        return f"{reading}, which costs {dollars(-saving)} a panel more than it saves"
    return f"{reading}, which saves {dollars(saving)} a panel ({percent:.0f} % of what they cost anew)"
