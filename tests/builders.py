"""Small domain objects for tests: each factory takes what the test is about and fills in the rest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from panel.domain.comparison import Comparison
from panel.domain.completion import ModelConfig, Usage
from panel.domain.review import PanelReview, ReviewSetup
from panel.domain.take import Flag, NoTake, NoTakeReason, Provenance, Seat, Take, Verdict
from panel.domain.tool import Tool

if TYPE_CHECKING:
    from collections.abc import Iterable

ROSTER = ("builder", "skeptic", "futurist", "founder", "creator")
REVIEWED_AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
PROSE = "A claim that a reader can check, an argument that rests on it, and the place where it stops to hold."
MODEL = "gpt-6.1-terra"


def tool(name: str = "Lantern", **fields: Any) -> Tool:
    """Return a tool with a name and a short description."""
    return Tool.model_validate({"name": name, "description": f"{name} reads log files.", **fields})


def take(score: int = 70, verdict: str = "ship", text: str = PROSE, **fields: Any) -> Take:
    """Return a take."""
    return Take(verdict=Verdict(verdict), score=score, take=text, **fields)


def no_take(reason: str = "recused", detail: str = "There is nothing here to build on.") -> NoTake:
    """Return the outcome of a seat without a take."""
    return NoTake(reason=NoTakeReason(reason), detail=detail)


def contradiction(score: int = 20) -> Take:
    """Return a take that ships with too low a score, and is flagged for it."""
    return take(score, "ship", flags=(Flag.CONTRADICTION,))


def provenance(provider: str = "openai", model: str = MODEL, **fields: Any) -> Provenance:
    """Return where an outcome came from: one ask whose consumption is known."""
    known: dict[str, Any] = {
        "provider": provider,
        "model": model,
        "config": ModelConfig(model=model),
        "prompt_digest": "a1" * 32,
        "persona_digest": "b2" * 32,
        "asks": 1,
        "usage": Usage(input_tokens=1250, output_tokens=210, cost_usd=0.0034),
    }
    return Provenance(**{**known, **fields})


def seat(persona: str, outcome: Take | NoTake | None = None, **fields: Any) -> Seat:
    """Return a persona's seat, with a take unless another outcome is given."""
    known: dict[str, Any] = {
        "persona": persona,
        "name": persona.title(),
        "outcome": outcome or take(),
        "provenance": provenance(),
    }
    return Seat(**{**known, **fields})


def setup(provider: str = "openai", model: str = MODEL, roster: Iterable[str] = ROSTER) -> ReviewSetup:
    """Return what decided a panel's answers."""
    personas = dict.fromkeys(roster, "b2" * 32)
    return ReviewSetup(
        provider=provider, config=ModelConfig(model=model), prompts="c3" * 32, personas=personas
    )


def review(*outcomes: Take | NoTake, of: Tool | None = None, **fields: Any) -> PanelReview:
    """Return a review with an outcome for each of the first seats of the roster; five takes if none is given."""
    given = outcomes or (take(),) * len(ROSTER)
    names = [*ROSTER, *(f"critic-{n}" for n in range(len(ROSTER), len(given)))][: len(given)]
    known: dict[str, Any] = {
        "tool": of or tool(),
        "setup": setup(roster=names),
        "seats": tuple(seat(name, outcome) for name, outcome in zip(names, given, strict=True)),
        "reviewed_at": REVIEWED_AT,
    }
    return PanelReview(**{**known, **fields})


def embedded_review(of: Tool | None = None) -> PanelReview:
    """Return a review that the embedded model wrote."""
    model = "smollm2-135m-instruct"
    seats = tuple(seat(name, provenance=provenance("local", model, usage=Usage())) for name in ROSTER)
    return review(of=of, seats=seats, setup=setup("local", model))


def comparison(*reviews: PanelReview) -> Comparison:
    """Return a comparison of the reviews, or of two plain ones."""
    return Comparison(reviews=reviews or (review(), review(of=tool("Sextant"))))


def smollm3() -> PanelReview:
    """Return the review of a small open model: three ships, one skip, one recusal."""
    listed = tool(
        "SmolLM3",
        tagline="A small open model that fits on the card you own",
        category="Developer Tools",
        pricing="Free (Apache 2.0 open-source)",
        price_class="open_source",
        maker="Hugging Face",
        license="Apache-2.0",
        description=(
            "SmolLM3 is an open language model with 3 billion parameters, under the Apache 2.0 licence. It can be run "
            "and fine-tuned on one consumer graphics card.\n\nIts makers report leading results among models below "
            "4 billion parameters on MMLU, HumanEval and GSM8K, and aim it at laptops, phones and edge devices."
        ),
    )
    return review(
        take(87, "ship", _SMOLLM3["builder"], evidence=("fine-tuned on one consumer graphics card",)),
        take(78, "ship", _SMOLLM3["skeptic"], evidence=("Its makers report leading results",)),
        take(82, "ship", _SMOLLM3["futurist"]),
        take(52, "skip", _SMOLLM3["founder"], evidence=("under the Apache 2.0 licence",)),
        no_take("recused", "A base model gives a writer or designer nothing to hold; I have no view on it."),
        of=listed,
    )


def skillclaw() -> PanelReview:
    """Return the review of a research framework: two ships, two skips, one recusal."""
    listed = tool(
        "SkillClaw",
        tagline="Agent skills that improve with everyone's runs",
        category="Developer Tools",
        pricing="Open Source / Research",
        maker="AMAP-ML, Alibaba",
        description=(
            "SkillClaw is a research framework with which the agents of many users improve one shared library of "
            "skills. An extractor finds reusable abilities, an evolver rewrites them from pooled feedback, and a "
            "selector picks the version that suits a task.\n\nThe paper reports clear gains over per-user baselines. "
            "The promise is a shorter cold start: a new user's agent begins with what earlier agents have learned."
        ),
    )
    return review(
        take(80, "ship", _SKILLCLAW["builder"], evidence=("a selector picks the version that suits a task",)),
        take(45, "skip", _SKILLCLAW["skeptic"]),
        take(80, "ship", _SKILLCLAW["futurist"], evidence=("improve one shared library of skills",)),
        no_take("recused", "A paper has no buyer and no price, so there is no business here to judge."),
        take(45, "skip", _SKILLCLAW["creator"]),
        of=listed,
    )


def seed_comparison() -> Comparison:
    """Return the comparison of SmolLM3 and SkillClaw."""
    return comparison(smollm3(), skillclaw())


_SMOLLM3 = {
    "builder": (
        "The primitive is one noun: a base model you can hold. It loads with the library calls you already use, and "
        "tuning it takes one card and an evening instead of a budget meeting.\n\nWhat earns the ship is restraint. "
        "Three billion parameters is a size somebody chose for the machine on the desk, and the licence can be read "
        "before the coffee is ready."
    ),
    "skeptic": (
        "Every model of this size leads some table, and the party that wins a benchmark tends to have picked it. Ask "
        "it for six dependent tool calls and count how many survive. Still, a permissive licence and tuning that works "
        "are differences a buyer can verify today, so this ships by a narrow margin."
    ),
    "futurist": (
        "The bet is that most inference moves to hardware people already own, and that permission matters more than "
        "the last points of capability. That can turn out false, which makes it worth stating. If it holds, small "
        "teams stop renting their intelligence and start keeping it."
    ),
    "founder": (
        "There is a crowd here and no customer. Whoever publishes the next model of this size inherits the audience "
        "the same afternoon, and the licence lets anybody sell what this one does. Build on top of it by all means; "
        "the layer itself has nobody who signs a cheque."
    ),
}
_SKILLCLAW = {
    "builder": (
        "New agents start out knowing nothing, and this attacks that at the right joint: extract, improve, select. "
        "Each part has a job that fits in a sentence. I would want to see what happens when two versions of one skill "
        "disagree before trusting the selector."
    ),
    "skeptic": (
        "A result on benchmarks is being offered as a result in production. Nothing says what happens when one user's "
        "private habit becomes another user's default, and that is the first question a security team will ask."
    ),
    "futurist": (
        "Shared skill is how every craft has grown, and agents have lacked the guild. If pooled improvement works at "
        "scale, the library outlives each model that contributed to it, and the advantage moves to whoever hosts it."
    ),
    "creator": (
        "This lives several floors below anything I open in the morning. It may one day make an assistant in my editor "
        "less forgetful, but there is no control, no export and no page here that I could try on a deadline."
    ),
}
