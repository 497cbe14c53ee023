"""The words of a dry run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from panel.cli.estimate import estimate_data, estimate_lines
from panel.orchestrator.estimate import Amounts, Bounds, CachePlan, Estimate, RunEstimate
from panel.settings.fields import Settings

WHY = "off: it would save $0.0042 a panel, but one seat would be asked alone, with too few tools to fill the wait"
COST = Bounds(0.0386841, 1.5)


def amounts(cost: Bounds | None = COST) -> Amounts:
    return Amounts(Bounds(10, 20), Bounds(21_184, 48_368), Bounds(3_500, 120_000), cost)


def estimate(*costs: Bounds | None, **settings: Any) -> RunEstimate:
    names = ["openai:gpt-6.1-terra", "anthropic:claude-opus-5-5"]
    models = {name: amounts(cost) for name, cost in zip(names, costs or (COST,), strict=False)}
    return RunEstimate(
        seats=("Builder", "Skeptic"),
        models=dict.fromkeys(models, "set by --model"),
        estimate=Estimate(2, models),
        cache=CachePlan(warm=False, saving_usd=0.0042, why=WHY),
        settings=Settings(**settings),
    )


def test_dry_run_reads_in_a_terminal() -> None:
    """Each figure has a line with its label, figures have separators, and long lines go on below their own beginning."""
    lines = estimate_lines(estimate(concurrency=4, requests_per_minute=1_200), 73)
    assert lines[:10] == [
        "Dry run: nobody was asked, nothing was paid for and nothing was written.",
        "",
        "Tools    2",
        "Seats    2 for each tool: Builder, Skeptic",
        "Model    openai:gpt-6.1-terra (set by --model)",
        "Calls    10 to 20",
        "Read     about 21,184 to 48,368 tokens",
        "Written  about 3,500 to 120,000 tokens",
        "Cost     about $0.0387 to $1.50",
        "Cache    off: it would save $0.0042 a panel, but one seat would be asked",
    ]
    assert lines[10].startswith("         alone, with too few")
    assert "Limits   4 calls in flight; a minute: calls 1,200, tokens as the provider" in lines
    assert max(map(len, lines)) <= 73


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        ((COST,), "Cost     about $0.0387 to $1.50"),
        ((None,), "Cost     unknown, because the price list lacks a model"),
        ((Bounds(0.0, 0.0),), "Cost     nothing"),
        ((COST, None), "         openai:gpt-6.1-terra: 10 to 20 calls, about $0.0387 to $1.50"),
        ((COST, None), "         anthropic:claude-opus-5-5: 10 to 20 calls, price unknown"),
    ],
)
def test_cost_is_a_range_or_said_to_be_unknown(costs: tuple[Bounds | None, ...], said: str) -> None:
    """The cost is a range, nothing, or unknown, and where several models are asked each one's share is told."""
    assert said in estimate_lines(estimate(*costs), 100)


def test_assumptions_are_told() -> None:
    """What the figures rest on is told, and what may come on top of them by the settings in force."""
    plain = " ".join(estimate_lines(estimate(), 100))
    assert "Tokens are estimated at four characters each" in plain
    assert "answers in 350 tokens" in plain
    assert "hedge" not in plain
    assert "recording" not in plain
    more = " ".join(estimate_lines(estimate(record="rec"), 100))
    assert "Answers that the recording holds are not asked for again, and are counted here" in more


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (1, "Kept     1 answer from earlier, not asked for again"),
        (7_000, "Kept     7,000 answers from earlier, not asked"),
    ],
)
def test_answers_that_are_there_have_a_line(kept: int, said: str) -> None:
    """How many answers are there already is told above the calls, and in the JSON value; where there is none nothing is told."""
    there = estimate()
    assert not any(line.startswith("Kept") for line in estimate_lines(there, 100))
    there = replace(there, estimate=replace(there.estimate, reused=kept))
    lines = estimate_lines(there, 100)
    assert lines[5].startswith(said)
    assert lines[6].startswith("Calls")
    assert estimate_data(there)["kept"] == kept


def test_dry_run_as_json_holds_all_figures() -> None:
    """The JSON value has counts as numbers, dollars to the millionth, and null where a price is unknown."""
    data = json.loads(json.dumps(estimate_data(estimate(COST, None))))
    assert (data["tools"], data["seats"], data["total"]["cost_usd"]) == (2, ["Builder", "Skeptic"], None)
    first, second = data["models"]
    assert first == {
        "model": "openai:gpt-6.1-terra",
        "why": "set by --model",
        "calls": {"least": 10, "most": 20},
        "input_tokens": {"least": 21_184, "most": 48_368},
        "output_tokens": {"least": 3_500, "most": 120_000},
        "cost_usd": {"least": 0.038684, "most": 1.5},
    }
    assert second["cost_usd"] is None
    assert data["cache"] == {"warm": False, "saving_usd": 0.0042, "why": WHY}
    assert data["limits"] == {"concurrency": 10, "requests_per_minute": None, "tokens_per_minute": None}
    assert data["assumed"].startswith("Tokens are estimated")
