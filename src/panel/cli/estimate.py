"""`--dry-run`: the estimate of a run, as lines for people and as JSON for programs."""

from __future__ import annotations

import asyncio
import textwrap
from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from panel.cli.console import labelled, plain_result, result_json, width
from panel.core.text import counted, dollars
from panel.orchestrator.estimate import ANSWER_TOKENS, estimate_run
from panel.orchestrator.store_access import existing_store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from panel.core.tool import Tool
    from panel.orchestrator.estimate import Amounts, Bounds, RunEstimate
    from panel.orchestrator.intake import Intake
    from panel.orchestrator.setup import PanelSetup
    from panel.settings.fields import Settings
    from panel.store import Store

    Skips = Callable[[Store], Awaitable[Collection[str]]]

HEAD = "Dry run: nobody was asked, nothing was paid for and nothing was written."
NOTHING = "Nothing would be asked: all reviews are there already."
LABEL = 9
NO_LIMIT = "as the provider says"


def show_estimates(
    setups: Sequence[PanelSetup],
    tools: Sequence[Tool] | Intake,
    *,
    stored: bool,
    as_json: bool,
    skips: Skips | None = None,
) -> None:
    """Print the estimate of a run of each panel; no model is asked, and no store is created.

    With `stored`, answers in the store need no call; `skips` returns the canonical names of tools that the run would leave out.
    """

    async def estimates() -> list[RunEstimate | None]:
        async with existing_store(setups[0].resolved) if stored and setups else nullcontext() as store:
            skipped = await skips(store) if store is not None and skips is not None else ()
            return [await estimate_run(setup, tools, store, skipped) for setup in setups]

    found = [estimate for estimate in asyncio.run(estimates()) if estimate is not None]
    if as_json:
        result_json([estimate_data(estimate) for estimate in found])
    elif found:
        plain_result("\n\n".join("\n".join(estimate_lines(estimate, width())) for estimate in found))
    else:
        plain_result(NOTHING)


def estimate_lines(run: RunEstimate, width: int) -> list[str]:
    """Return an estimate in lines no longer than the width where words allow it."""
    total, reused, models, settings = (
        run.estimate.total,
        run.estimate.reused,
        run.estimate.models,
        run.settings,
    )
    requests, tokens = (
        NO_LIMIT if most is None else f"{most:,}"
        for most in (settings.requests_per_minute, settings.tokens_per_minute)
    )
    rows = [
        ("Tools", f"{run.estimate.tools:,}"),
        ("Seats", f"{len(run.seats)} for each tool: {', '.join(run.seats)}"),
        *(("Model", f"{model} ({why})") for model, why in run.models.items()),
    ]
    if reused:
        rows.append(("Kept", f"{counted(reused, 'answer')} from earlier, not asked for again"))
    rows += [
        ("Calls", _bounds(total.calls)),
        ("Read", f"about {_bounds(total.input_tokens)} tokens"),
        ("Written", f"about {_bounds(total.output_tokens)} tokens"),
        ("Cost", _cost(total)),
    ]
    for model, amounts in models.items() if len(models) > 1 else ():
        cost = "price unknown" if amounts.cost_usd is None else _cost(amounts)
        rows.append(("", f"{model}: {_bounds(amounts.calls)} calls, {cost}"))
    if settings.budget is not None and total.cost_usd is not None:
        rows.append(("Budget", f"{dollars(settings.budget)} {_coverage(settings.budget, total.cost_usd)}"))
    in_flight = f"{settings.concurrency} calls in flight"
    rows += [
        ("Cache", run.cache.why),
        ("Limits", f"{in_flight}; a minute: calls {requests}, tokens {tokens}"),
    ]
    lines = [line for label, value in rows for line in labelled(label, value, LABEL, width)]
    return [HEAD, "", *lines, "", *textwrap.wrap(_assumed(settings), width)]


def estimate_data(run: RunEstimate) -> dict[str, Any]:
    """Return an estimate as a JSON value. Costs are in US dollars, and null where a price is unknown."""
    estimate, settings = run.estimate, run.settings
    return {
        "tools": estimate.tools,
        "kept": estimate.reused,
        "seats": list(run.seats),
        "models": [
            {"model": model, "why": run.models.get(model), **_figures(amounts)}
            for model, amounts in estimate.models.items()
        ],
        "total": _figures(estimate.total),
        "budget_usd": settings.budget,
        "cache": asdict(run.cache),
        "limits": settings.model_dump(include={"concurrency", "requests_per_minute", "tokens_per_minute"}),
        "assumed": _assumed(settings),
    }


def _figures(amounts: Amounts) -> dict[str, Any]:
    """Return amounts as a JSON value, dollars to the millionth."""
    figures = asdict(amounts)
    cost = figures["cost_usd"]
    return figures | {"cost_usd": cost and {end: round(usd, 6) for end, usd in cost.items()}}


def _bounds(bounds: Bounds) -> str:
    return f"{bounds.least:,}" if bounds.least == bounds.most else f"{bounds.least:,} to {bounds.most:,}"


def _cost(amounts: Amounts) -> str:
    cost = amounts.cost_usd
    if cost is None:
        return "unknown, because the price list lacks a model"
    return f"about {dollars(cost.least)} to {dollars(cost.most)}" if cost.most else "nothing"


def _coverage(budget: float, cost: Bounds) -> str:
    if budget >= cost.most:
        return "covers it in any case"
    may = "may" if budget >= cost.least else "will not"
    return f"{may} cover it; the run stops before the first tool that may not fit in"


def _assumed(settings: Settings) -> str:
    """Return the assumptions behind the figures, and the costs that may come on top of them."""
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
