"""`--dry-run`: the whole way up to the first call. And the decision, before a run, whether to ask one seat of each panel first."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from panel.cli.console import plain_result, result_json, width
from panel.cli.forecast_text import Outlook, outlook_data, outlook_lines
from panel.core.call_record import CallKey
from panel.orchestrator.cache_plan import plan_cache, shared_tokens
from panel.orchestrator.estimate import Forecast, Question, forecast
from panel.orchestrator.models import rates_of
from panel.orchestrator.stores import existing_store
from panel.providers.registry import hosted_providers

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence

    from panel.cli.sitting import Sitting
    from panel.core.persona import Persona
    from panel.core.tool import Tool
    from panel.orchestrator.cache_plan import CachePlan
    from panel.orchestrator.models import ResolvedModel
    from panel.orchestrator.setup import PanelSetup
    from panel.providers.prices import Rates
    from panel.settings.model import Settings
    from panel.store import Store


NOTHING = "Nothing would be asked: all reviews are there already."
PAGE = 100
"""Tools whose answers are looked for at a time."""


class Tools(Protocol):
    """Tools that can be counted, and gone through again and again."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Tool]: ...


class Unlisted:
    """Tools without those that a run leaves out.

    Args:
        tools: all of them.
        left_out: the canonical names of those.
    """

    def __init__(self, tools: Tools, left_out: Collection[str]) -> None:
        self._tools = tools
        self._left_out = left_out

    def __len__(self) -> int:
        return len(self._tools) - len(self._left_out)

    def __iter__(self) -> Iterator[Tool]:
        return (tool for tool in self._tools if tool.canonical not in self._left_out)


def show_forecast(
    sittings: Sequence[Sitting],
    tools: Tools,
    *,
    kept: bool,
    as_json: bool,
    left_out: Callable[[Store], Awaitable[Collection[str]]] | None = None,
) -> None:
    """Print what each sitting would take; nobody is asked.

    Args:
        sittings: what would sit, all with one store.
        tools: what they would review.
        kept: whether answers in the store are used.
        as_json: whether it is printed for programs.
        left_out: finds the canonical names of tools that the run would leave out.

    Raises:
        PanelError: the run could not begin, for lack of a key for instance.
    """
    outlooks = asyncio.run(_outlooks(sittings, tools, kept=kept, left_out=left_out))
    if as_json:
        result_json([outlook_data(outlook) for outlook in outlooks])
    elif outlooks:
        plain_result("\n\n".join("\n".join(outlook_lines(outlook, width())) for outlook in outlooks))
    else:
        plain_result(NOTHING)


async def _outlooks(
    sittings: Sequence[Sitting],
    tools: Tools,
    *,
    kept: bool,
    left_out: Callable[[Store], Awaitable[Collection[str]]] | None,
) -> list[Outlook]:
    async with existing_store(sittings[0].resolved) if kept and tools else nullcontext() as store:
        if store is not None and left_out is not None:
            tools = Unlisted(tools, await left_out(store))
        if not tools:
            return []
        casts = [(sitting.prepare(next(iter(tools))), sitting.settings) for sitting in sittings]
        return [await _outlook(cast_, settings, tools, store) for cast_, settings in casts]


def cache_plan(cast_: PanelSetup, settings: Settings, example: Tool, tools: int) -> CachePlan:
    """Decide whether to ask one seat of each panel first, by one tool's prompt, the number of tools and the model's prices."""
    means, first = cast_.means, cast_.personas[0]
    prompt = means.prompts.take(example, first)
    seats = 0 if first.id in cast_.seat_models else len(cast_.personas) - len(cast_.seat_models)
    return plan_cache(
        settings.cache,
        means.connection.provider,
        rates_of(means) if means.connection.provider in hosted_providers() else None,
        shared_tokens=shared_tokens(prompt),
        seats=seats,
        tools=tools,
        concurrency=settings.concurrency,
    )


async def _outlook(cast_: PanelSetup, settings: Settings, tools: Tools, store: Store | None) -> Outlook:
    plan = cache_plan(cast_, settings, next(iter(tools)), len(tools))
    models = {means.asked.model: means.choice.why for means in (cast_.means, *cast_.seat_models.values())}
    asked = [(persona, cast_.seat_models.get(persona.id, cast_.means)) for persona in cast_.personas]
    rates = {id(means): rates_of(means) for _, means in asked}
    taken, rest = Forecast(0, {}), iter(tools)
    while page := list(islice(rest, PAGE)):
        panels = [
            [_question(tool, persona, means, rates[id(means)]) for persona, means in asked] for tool in page
        ]
        keys = [key for panel in panels for _, key in panel]
        there = await store.calls.answered(keys) if store is not None else set()
        marked = ([replace(question, kept=key in there) for question, key in panel] for panel in panels)
        taken += forecast(marked, warm=plan.warm)
    return Outlook(
        seats=tuple(persona.name for persona in cast_.personas),
        models=models,
        forecast=taken,
        cache=plan,
        settings=settings,
    )


def _question(
    tool: Tool, persona: Persona, means: ResolvedModel, rates: Rates | None
) -> tuple[Question, str]:
    """Return what a seat is asked first, and the key that its answer is kept under."""
    prompt, connection = means.prompts.take(tool, persona), means.connection
    key = CallKey.of(prompt, means.config, connection.provider, connection.base_url).key
    return Question(means.provider, prompt, means.config, rates), key
