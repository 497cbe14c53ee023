from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from acting import Memory
from panel.checks import check_review
from panel.core.completion import ModelConfig, Usage
from panel.core.finding import Status
from panel.core.take import NoTake, NoTakeReason
from panel.core.tool import Tool
from panel.orchestrator.panel import PanelSession
from panel.orchestrator.seat import SeatModel
from panel.providers import open_provider
from panel.providers.base import Connection, StopSignal
from panel.providers.mock import BEHAVIOURS, MockProvider
from panel.providers.prices import Prices

if TYPE_CHECKING:
    from panel.core.persona import Persona
    from panel.core.prompt import Prompt
    from panel.core.review import PanelReview
    from panel.prompts.templates import PromptBook

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 1, tzinfo=UTC)
TOOL = Tool(
    name="Lantern",
    tagline="Run history for scheduled jobs",
    description=(
        "Lantern shows run history, row counts and schema diffs. It costs $12 a month, and the agent is MIT licensed.\n\n"
        "Alerts go to Slack “as they happen”. Über-long_unbroken_words_are_marked_inside_as_well are no problem."
    ),
)


async def review(model: str, critics: tuple[Persona, ...], book: PromptBook) -> PanelReview:
    provider = open_provider(Connection("mock"))
    return await PanelSession(
        model=SeatModel(provider, book, ModelConfig(model=model)),
        personas=critics,
        concurrency=5,
        observer=Memory(),
        clock=lambda: NOW,
        stop=StopSignal(),
    ).review(TOOL)


@pytest.mark.parametrize("model", ["mixed", "ship", "skip"])
async def test_takes_pass_every_check_of_a_reply(
    model: str, critics: tuple[Persona, ...], book: PromptBook
) -> None:
    reviewed = await review(model, critics, book)
    takes = [seat.take for seat in reviewed.seats if seat.take]
    assert len(takes) == len(critics)
    assert {take.verdict.value for take in takes} == ({"ship", "skip"} if model == "mixed" else {model})
    assert all(take.take.startswith("This is a mock take") and take.evidence for take in takes)
    assert all(
        not take.contradicts_itself and seat.provenance and seat.provenance.asks == 1
        for take, seat in zip(takes, reviewed.seats, strict=True)
    )
    found = check_review(reviewed, {critic.id: critic.never_says for critic in critics})
    assert [finding for finding in found if finding.status is Status.UNSUPPORTED] == []


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("recused", NoTakeReason.RECUSED),
        ("refused", NoTakeReason.REFUSED),
        ("invalid", NoTakeReason.INVALID),
        ("down", NoTakeReason.PROVIDER_ERROR),
    ],
)
async def test_models_that_fail_on_purpose(
    model: str, reason: NoTakeReason, critics: tuple[Persona, ...], book: PromptBook
) -> None:
    reviewed = await review(model, critics[:2], book)
    assert {seat.outcome.reason for seat in reviewed.seats if isinstance(seat.outcome, NoTake)} == {reason}
    assert model in BEHAVIOURS


async def test_the_same_prompt_gets_the_same_answer(prompt: Prompt, config: ModelConfig) -> None:
    first, second = [await MockProvider().complete(prompt, config) for _ in range(2)]
    assert first == second
    other = await MockProvider().complete(prompt, config.model_copy(update={"seed": 1}))
    assert other.text != first.text


def test_mock_answers_are_free() -> None:
    assert Prices("mock").cost("mixed", Usage(input_tokens=10, output_tokens=10)) == 0.0
