"""`--dry-run`: the whole way up to the first call. And the decision, before a run, whether to ask one seat of each panel first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from panel.cli.console import plain_result, result_json, width
from panel.cli.forecast_text import Outlook, outlook_data, outlook_lines
from panel.cli.means import rates_of
from panel.orchestrator.cache_plan import plan_cache, shared_tokens
from panel.orchestrator.forecast import Question, forecast
from panel.providers import HOSTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panel.cli.compose import Cast
    from panel.cli.sitting import Sitting
    from panel.domain.tool import Tool
    from panel.orchestrator.cache_plan import CachePlan
    from panel.settings.model import Settings


class Tools(Protocol):
    """Tools that can be counted, and gone through again and again."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Tool]: ...


def show_forecast(sittings: Sequence[Sitting], tools: Tools, *, as_json: bool) -> None:
    """Print what each sitting would take; nobody is asked.

    Raises:
        PanelError: the run could not begin, for lack of a key for instance.
    """
    if not tools:
        result_json([]) if as_json else plain_result("Nothing would be asked: all reviews are there already.")
        return
    outlooks = [_outlook(sitting.prepare(next(iter(tools))), sitting.settings, tools) for sitting in sittings]
    if as_json:
        result_json([outlook_data(outlook) for outlook in outlooks])
        return
    plain_result("\n\n".join("\n".join(outlook_lines(outlook, width())) for outlook in outlooks))


def cache_plan(cast_: Cast, settings: Settings, example: Tool, tools: int) -> CachePlan:
    """Decide whether to ask one seat of each panel first, by one tool's prompt, the number of tools and the model's prices."""
    means, first = cast_.means, cast_.personas[0]
    prompt = means.prompts.take(example, first)
    seats = 0 if first.id in cast_.exceptions else len(cast_.personas) - len(cast_.exceptions)
    return plan_cache(
        settings.cache,
        means.connection.provider,
        rates_of(means) if means.connection.provider in HOSTED else None,
        shared_tokens=shared_tokens(prompt),
        seats=seats,
        tools=tools,
        concurrency=settings.concurrency,
    )


def _outlook(cast_: Cast, settings: Settings, tools: Tools) -> Outlook:
    plan = cache_plan(cast_, settings, next(iter(tools)), len(tools))
    models = {means.asked.model: means.choice.why for means in (cast_.means, *cast_.exceptions.values())}
    return Outlook(
        seats=tuple(persona.name for persona in cast_.personas),
        models=models,
        forecast=forecast(_panels(cast_, tools), warm=plan.warm),
        cache=plan,
        settings=settings,
    )


def _panels(cast_: Cast, tools: Tools) -> Iterator[list[Question]]:
    asked = [(persona, cast_.exceptions.get(persona.id, cast_.means)) for persona in cast_.personas]
    rates = {id(means): rates_of(means) for _, means in asked}
    for tool in tools:
        yield [
            Question(means.provider, means.prompts.take(tool, persona), means.config, rates[id(means)])
            for persona, means in asked
        ]
