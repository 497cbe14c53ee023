from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from acting import TAKE, Memory, completion, reply
from panel.core.completion import FinishReason, ModelConfig, Probabilities
from panel.core.review import ReviewSetup
from panel.core.take import Flag, NoTake, NoTakeReason, Take
from panel.errors import ProviderBusy, ProviderDown, ProviderTimeout
from panel.orchestrator.seat import SeatAsker, SeatModel
from panel.providers.base import StopSignal
from parts import ScriptedProvider

if TYPE_CHECKING:
    from panel.core.persona import Persona
    from panel.core.take import Seat
    from panel.core.tool import Tool
    from panel.prompts.templates import PromptBook

pytestmark = pytest.mark.anyio

CONFIG = ModelConfig(model="m", max_output_tokens=1_000)
SEAT = "lantern.builder"


class Stage:
    """One seat being asked by an actor's part."""

    def __init__(self, tool: Tool, book: PromptBook, critics: dict[str, Persona], *lines: Any) -> None:
        self.tool, self.critic = tool, critics["builder"]
        self.actor, self.memory, self.stop = (
            ScriptedProvider({SEAT: [completion(line) if isinstance(line, str) else line for line in lines]}),
            Memory(),
            StopSignal(),
        )
        digests = {name: critic.digest for name, critic in critics.items()}
        setup = ReviewSetup(provider="mock", config=CONFIG, prompts=book.digest, personas=digests)
        model = SeatModel(self.actor, book, CONFIG)
        self.asker = SeatAsker(model, tool, self.critic, setup, self.memory, self.stop)

    async def ask(self) -> Seat:
        return await self.asker.ask()


@pytest.fixture
def stage(tool: Tool, book: PromptBook, critics: dict[str, Persona]) -> Any:
    """Makes a stage of the lines that the actor says."""
    return lambda *lines: Stage(tool, book, critics, *lines)


async def test_valid_reply_becomes_a_take_with_provenance(stage: Any) -> None:
    """A valid reply is the seat's take, after one call, with its model, digests, usage and request kept."""
    on = stage(reply(score=87, evidence=["run history"]))
    seat = await on.ask()
    assert seat.outcome == Take(verdict="ship", score=87, take=TAKE, evidence=("run history",))
    prompt, _ = on.actor.asked[0]
    assert seat.provenance.prompt_digest == prompt.digest
    assert seat.provenance.persona_digest == on.critic.digest
    assert (seat.provenance.asks, seat.provenance.model, seat.provenance.request_ids) == (1, "m-1", ("r",))
    assert seat.provenance.usage.input_tokens == 90


async def test_invalid_reply_is_asked_again_naming_the_error(stage: Any) -> None:
    """A reply that cannot be used is asked for once more, with the error and the reply in the prompt, and paid for twice."""
    on = stage(reply(score=101), reply(score=88))
    seat = await on.ask()
    assert seat.take.score == 88
    again, _ = on.actor.asked[1]
    assert (again.ask, again.shared) == (2, on.actor.asked[0][0].shared)
    assert "101 is outside 0-100" in again.own
    assert seat.provenance.asks == 2
    assert seat.provenance.usage.output_tokens == 20
    assert [kind for kind, *_ in on.memory.events] == ["asked", "asked again", "answered"]


async def test_second_invalid_reply_ends_the_seat(stage: Any) -> None:
    """After a second invalid reply the seat has no take, for the reason invalid, and no third call is made."""
    on = stage("no", "still no", reply())
    seat = await on.ask()
    assert seat.outcome.reason is NoTakeReason.INVALID
    assert len(on.actor.asked) == 2


async def test_cut_off_reply_is_asked_again_with_more_room(stage: Any) -> None:
    on = stage(completion('{"verdict": "sh', FinishReason.TRUNCATED), reply())
    assert (await on.ask()).take is not None
    again, config = on.actor.asked[1]
    assert config.max_output_tokens == 2_000
    assert "earlier answer, as a JSON string" not in again.own


async def test_cut_off_twice_is_truncated(stage: Any) -> None:
    on = stage(completion("{", FinishReason.TRUNCATED), completion("{", FinishReason.TRUNCATED))
    assert (await on.ask()).outcome.reason is NoTakeReason.TRUNCATED


async def test_contradiction_is_kept_and_flagged_after_one_re_ask(stage: Any) -> None:
    """A ship below 40 is asked about once; said again, it is kept with a flag."""
    on = stage(reply("ship", 20), reply("ship", 25))
    outcome = (await on.ask()).outcome
    assert (outcome.score, outcome.flags) == (25, (Flag.CONTRADICTION,))


@pytest.mark.parametrize("second", ["nonsense", ProviderBusy("gone")])
async def test_contradiction_survives_a_failed_re_ask(second: Any, stage: Any) -> None:
    """If the re-ask about a contradiction brings nothing usable, the first take is kept with its flag."""
    on = stage(reply("skip", 95), second)
    outcome = (await on.ask()).outcome
    assert (outcome.score, outcome.flags) == (95, (Flag.CONTRADICTION,))


async def test_recusal_is_no_failure(stage: Any) -> None:
    """A recusal leaves the seat without a take, in the persona's own words, without a re-ask."""
    words = "This is plumbing that reaches makers only inside another product."
    on = stage(reply(verdict=None, score=None, take=None, recusal=words))
    seat = await on.ask()
    assert seat.outcome == NoTake(reason=NoTakeReason.RECUSED, detail=words)
    assert not seat.failed
    assert len(on.actor.asked) == 1


@pytest.mark.parametrize("finish", [FinishReason.REFUSED, FinishReason.FILTERED])
async def test_refusal_is_final_and_its_text_unused(finish: FinishReason, stage: Any) -> None:
    """A refused or filtered answer ends the seat at once, whatever text came with it, with the vendor's words."""
    on = stage(completion(reply(), finish, detail="Against policy."))
    seat = await on.ask()
    assert seat.outcome == NoTake(reason=NoTakeReason.REFUSED, detail="Against policy.")
    assert len(on.actor.asked) == 1


async def test_words_of_a_refusal_are_not_printed_if_they_leak(
    stage: Any, tool: Tool, book: PromptBook
) -> None:
    """A refusal that gives the internal tag or an address away is told in panel's own words."""
    canary = book.take(tool, stage("").critic).canary
    for detail in (f"I may not reveal {canary}.", "See https://exfil.invalid/policy for the reason."):
        on = stage(completion("", FinishReason.REFUSED, detail=detail))
        assert (await on.ask()).outcome.detail == "The model declined to answer."


async def test_marks_that_a_model_copies_are_read_as_white_space(
    stage: Any, tool: Tool, book: PromptBook
) -> None:
    """A model that copies the listing's marks into its answer meant the spaces they stand for."""
    mark = book.take(tool, stage("").critic).mark or ""
    on = stage(reply(take=TAKE.replace(" ", mark), evidence=[f"run{mark}history"]))
    outcome = (await on.ask()).outcome
    assert (outcome.take, outcome.evidence) == (TAKE, ("run history",))


async def test_take_that_holds_the_canary_is_refused(stage: Any, tool: Tool, book: PromptBook) -> None:
    """A take that repeats the prompt's internal tag is never accepted, however it is spelled."""
    on = stage("")
    canary = book.take(tool, on.critic).canary
    assert canary is not None
    on = stage(reply(take=f"{TAKE} {canary.upper().replace('-', ' - ')}"))
    assert (await on.ask()).outcome.reason is NoTakeReason.INVALID
    assert len(on.actor.asked) == 1


async def test_address_of_the_tool_itself_is_allowed(stage: Any) -> None:
    """A take may name the tool's own address, but no other."""
    on = stage(reply(take=f"{TAKE} See https://lantern.example/docs."))
    assert (await on.ask()).take is not None


@pytest.mark.parametrize(
    ("error", "reason", "stopped"),
    [
        (ProviderTimeout("slow"), NoTakeReason.TIMED_OUT, False),
        (ProviderBusy("busy"), NoTakeReason.PROVIDER_ERROR, False),
        (ProviderDown("no key"), NoTakeReason.PROVIDER_ERROR, True),
    ],
)
async def test_provider_failure_is_a_typed_reason(
    error: Exception, reason: NoTakeReason, stopped: bool, stage: Any
) -> None:
    """A failed call is a reason and not an exception; only a provider that is down for good stops the run."""
    on = stage(error)
    seat = await on.ask()
    assert (seat.outcome.reason, seat.outcome.detail, seat.source) == (reason, str(error), None)
    assert (seat.provenance.asks, seat.provenance.attempts) == (0, 1)
    assert (on.stop.reason is not None) is stopped


async def test_paid_reply_is_in_the_record_even_if_the_re_ask_fails(stage: Any) -> None:
    on = stage("nonsense", ProviderTimeout("slow"))
    seat = await on.ask()
    assert seat.outcome.reason is NoTakeReason.TIMED_OUT
    assert (seat.provenance.asks, seat.provenance.usage.output_tokens) == (1, 10)


async def test_probabilities_are_those_of_the_answer_that_is_kept(stage: Any) -> None:
    """When a re-ask brings nothing better, the probabilities beside the first take are the first answer's."""
    first, second = Probabilities(expected_score=12.5, ship=0.9), Probabilities(expected_score=70.0, ship=0.5)
    contradicting = completion(reply(verdict="ship", score=12), probabilities=first)
    on = stage(contradicting, completion("nonsense", probabilities=second))
    seat = await on.ask()
    assert (seat.take.score, seat.provenance.probabilities) == (12, first)
    on = stage(contradicting, completion(reply(verdict="ship", score=70), probabilities=second))
    assert (await on.ask()).provenance.probabilities == second
