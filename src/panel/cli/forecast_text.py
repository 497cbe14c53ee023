"""The words of a dry run: what a run would take, as lines for people and as a value for programs."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from panel.cli.rows import labelled
from panel.core.money import dollars
from panel.orchestrator.estimate import ANSWER_TOKENS

if TYPE_CHECKING:
    from panel.orchestrator.cache_plan import CachePlan
    from panel.orchestrator.estimate import Amounts, Forecast, Span
    from panel.settings.model import Settings

HEAD = "Dry run: nobody was asked, nothing was paid for and nothing was written."
LABEL = 9
NO_LIMIT = "as the provider says"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a run would take, and how it would go about it.

    Attributes:
        seats: names of a panel's seats, in order.
        models: why each model is asked, by its name as `provider:model`.
        forecast: what the run would take.
        cache: whether one seat would be asked first.
        settings: limits in force, and what else adds to the price.
    """

    seats: tuple[str, ...]
    models: dict[str, str]
    forecast: Forecast
    cache: CachePlan
    settings: Settings


def outlook_lines(outlook: Outlook, width: int) -> list[str]:
    """Return what a run would take, in lines no longer than the width where words allow it."""
    total, kept = outlook.forecast.total, outlook.forecast.kept
    rows = [
        ("Tools", f"{outlook.forecast.tools:,}"),
        ("Seats", f"{len(outlook.seats)} for each tool: {', '.join(outlook.seats)}"),
        *(("Model", f"{model} ({why})") for model, why in outlook.models.items()),
        *(
            [("DraftSnapshot", f"{kept:,} answer{'s' * (kept > 1)} from earlier, not asked for again")]
            if kept
            else []
        ),
        ("Calls", _span(total.calls)),
        ("Read", f"about {_span(total.input_tokens)} tokens"),
        ("Written", f"about {_span(total.output_tokens)} tokens"),
        ("Cost", _cost(total)),
        *(("", f"{model}: {_share(amounts)}") for model, amounts in _shares(outlook.forecast)),
        *_budget(outlook),
        ("Cache", outlook.cache.why),
        ("Limits", _limits(outlook.settings)),
    ]
    lines = [line for label, value in rows for line in labelled(label, value, LABEL, width)]
    return [HEAD, "", *lines, "", *textwrap.wrap(_assumed(outlook.settings), width)]


def outlook_data(outlook: Outlook) -> dict[str, Any]:
    """Return the same as a JSON value. Costs are in US dollars, and null where a price is unknown."""
    forecast, settings = outlook.forecast, outlook.settings
    return {
        "tools": forecast.tools,
        "kept": forecast.kept,
        "seats": list(outlook.seats),
        "models": [
            {"model": model, "why": outlook.models.get(model), **_figures(amounts)}
            for model, amounts in forecast.models.items()
        ],
        "total": _figures(forecast.total),
        "budget_usd": settings.budget,
        "cache": asdict(outlook.cache),
        "limits": settings.model_dump(include={"concurrency", "requests_per_minute", "tokens_per_minute"}),
        "assumed": _assumed(settings),
    }


def _figures(amounts: Amounts) -> dict[str, Any]:
    """Return amounts as a JSON value, dollars to the millionth."""
    figures = asdict(amounts)
    cost = figures["cost_usd"]
    return figures | {"cost_usd": cost and {end: round(usd, 6) for end, usd in cost.items()}}


def _span(span: Span[int]) -> str:
    return f"{span.least:,}" if span.least == span.most else f"{span.least:,} to {span.most:,}"


def _cost(amounts: Amounts) -> str:
    cost = amounts.cost_usd
    if cost is None:
        return "unknown, because the price list lacks a model"
    return f"about {dollars(cost.least)} to {dollars(cost.most)}" if cost.most else "nothing"


def _budget(outlook: Outlook) -> list[tuple[str, str]]:
    """Return what the budget means for the run, if there is one."""
    budget, cost = outlook.settings.budget, outlook.forecast.total.cost_usd
    if budget is None or cost is None:
        return []
    if budget >= cost.most:
        return [("Budget", f"{dollars(budget)} covers it in any case")]
    least = "may cover it" if budget >= cost.least else "will not cover it"
    return [("Budget", f"{dollars(budget)} {least}; the run stops before the first tool that may not fit in")]


def _shares(forecast: Forecast) -> list[tuple[str, Amounts]]:
    """Return what each model takes, if there are several."""
    return list(forecast.models.items()) if len(forecast.models) > 1 else []


def _share(amounts: Amounts) -> str:
    cost = _cost(amounts) if amounts.cost_usd is not None else "price unknown"
    return f"{_span(amounts.calls)} calls, {cost}"


def _limits(settings: Settings) -> str:
    requests, tokens = settings.requests_per_minute, settings.tokens_per_minute
    return (
        f"{settings.concurrency} calls in flight; a minute: "
        f"calls {NO_LIMIT if requests is None else f'{requests:,}'}, "
        f"tokens {NO_LIMIT if tokens is None else f'{tokens:,}'}"
    )


def _assumed(settings: Settings) -> str:
    """Return what the figures rest on, and what may come on top of them."""
    sentences = [
        "Tokens are estimated at four characters each, so they may be out by a third or more.",
        f"Least: every seat is asked once and answers in {ANSWER_TOKENS} tokens without thinking.",
        "Most: every seat is asked twice, writes all that it may, the second time twice as much, and finds nothing in a cache.",
        "Calls that fail on the way may be billed on top.",
    ]
    if settings.record is not None:
        sentences.append(
            "Answers that the recording holds are not asked for again, and are counted here all the same."
        )
    return " ".join(sentences)
