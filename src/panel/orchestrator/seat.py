"""One seat: prompt, provider, and a valid take, with one re-ask that names the error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from panel.core.completion import Finish, Usage
from panel.core.take import NoTake, NoTakeReason, Provenance, Seat, Take
from panel.errors import CallNotMade, OverBudget, ProviderDown, ProviderError, ProviderTimeout
from panel.prompts.reply_parser import Outcome, Reply, ReplyContext, parse_reply

if TYPE_CHECKING:
    from panel.core.completion import Completion, ModelConfig, Probabilities
    from panel.core.persona import Persona
    from panel.core.prompt import Prompt
    from panel.core.review import ReviewSetup
    from panel.core.tool import Tool
    from panel.orchestrator.ports import Observer, SeatModel
    from panel.providers.base import StopSignal

MOST_OUTPUT_TOKENS = 64_000

LONGEST_REPLY = "\x01" * 2_000
LONGEST_PROBLEM = "x" * 2_000
"""What a re-ask is made with to tell the most that it can cost: more than is ever shown of a reply, in its dearest characters."""


@dataclass(slots=True)
class _Record:
    """What a seat has asked and received so far."""

    prompt: Prompt | None = None
    config: ModelConfig | None = None
    completions: list[Completion] = field(default_factory=list)
    takes: list[Take | None] = field(default_factory=list)
    failures: list[ProviderError] = field(default_factory=list)

    @property
    def attempts(self) -> int:
        answered = sum(completion.attempts for completion in self.completions)
        return answered + sum(error.attempts for error in self.failures)

    def probabilities_of(self, outcome: Take | NoTake) -> Probabilities | None:
        """Return what the probabilities say about the answer that was kept, which need not be the last."""
        kept = (one for one, take in zip(self.completions, self.takes, strict=True) if take is outcome)
        return next((completion.probabilities for completion in kept), None)

    @property
    def usage(self) -> Usage:
        lost = Usage.lost(sum(error.lost_calls for error in self.failures))
        return sum((completion.usage for completion in self.completions), lost)


@dataclass(frozen=True, slots=True)
class SeatAsker:
    """Asks single seats.

    Attributes:
        answerer: who answers, asked what and with what.
        setup: what the panel is made of; a take must not speak as another of its seats.
        observer: is told how it goes.
        halt: set when the provider is down for good.
    """

    answerer: SeatModel
    setup: ReviewSetup
    observer: Observer
    halt: StopSignal

    async def ask(self, tool: Tool, persona: Persona) -> Seat:
        """Return the seat with its take or with the reason why there is none; never raises a ProviderError."""
        record = _Record()
        self.observer.asked(tool, persona)
        try:
            outcome = await self._outcome(tool, persona, record)
        except ProviderError as error:
            outcome = self._no_take(error)
        seat = Seat(
            persona=persona.id,
            name=persona.name,
            outcome=outcome,
            provenance=self._provenance(record, persona, outcome),
        )
        self.observer.answered(tool, seat)
        return seat

    async def _outcome(self, tool: Tool, persona: Persona, record: _Record) -> Take | NoTake:
        prompts, config = self.answerer.prompts, self.answerer.config
        first = await self._reply(tool, persona, prompts.take(tool, persona), config, record)
        if first.outcome is not Outcome.REPAIR:
            return _settled(first)
        self.observer.asked_again(tool, persona, first.problems)
        question = prompts.reask(tool, persona, _shown(record), first.problems)
        try:
            second = await self._reply(tool, persona, question, _roomier(config, record), record)
        except CallNotMade:
            return _settled(first)
        except ProviderError:
            if first.take is None:
                raise
            return first.take
        return _settled(second, first)

    async def _reply(
        self, tool: Tool, persona: Persona, prompt: Prompt, config: ModelConfig, record: _Record
    ) -> Reply:
        record.prompt, record.config = prompt, config
        try:
            completion = await self.answerer.provider.complete(prompt, config)
        except ProviderError as error:
            record.failures.append(error)
            raise
        record.completions.append(completion)
        context = ReplyContext(
            persona=persona.id,
            roster=self.setup.roster,
            canary=prompt.canary,
            tagline=tool.tagline,
            host=tool.host,
            mark=prompt.mark,
        )
        reply = parse_reply(completion.text, completion.finish, context, completion.detail)
        record.takes.append(reply.take)
        return reply

    def _no_take(self, error: ProviderError) -> NoTake:
        if isinstance(error, ProviderDown):
            self.halt.set(str(error))
        return NoTake(reason=_reason(error), detail=str(error))

    def _provenance(self, record: _Record, persona: Persona, outcome: Take | NoTake) -> Provenance | None:
        if record.prompt is None or record.config is None or not record.attempts:
            return None
        last = record.completions[-1] if record.completions else None
        return Provenance(
            provider=last.provider if last else self.answerer.provider.name,
            model=last.model if last else record.config.model,
            config=record.config,
            prompt_digest=record.prompt.digest,
            persona_digest=self.setup.personas[persona.id],
            asks=len(record.completions),
            attempts=record.attempts,
            usage=record.usage,
            request_ids=tuple(c.request_id for c in record.completions if c.request_id),
            probabilities=record.probabilities_of(outcome),
        )


def _reason(error: ProviderError) -> NoTakeReason:
    if isinstance(error, OverBudget):
        return NoTakeReason.OVER_BUDGET
    return NoTakeReason.TIMED_OUT if isinstance(error, ProviderTimeout) else NoTakeReason.PROVIDER_ERROR


def not_asked(persona: Persona, reason: str) -> Seat:
    """Return the seat of a persona that was not asked because the run was halted."""
    outcome = NoTake(reason=NoTakeReason.PROVIDER_ERROR, detail=f"not asked: {reason}")
    return Seat(persona=persona.id, name=persona.name, outcome=outcome)


def worst_of_seat(answerer: SeatModel, tool: Tool, persona: Persona) -> float:
    """Return the most that a seat can cost in US dollars if both of its calls bring an answer; 0 where the price is unknown."""
    if answerer.worst is None:
        return 0.0
    prompts, config = answerer.prompts, answerer.config
    longest = prompts.reask(tool, persona, LONGEST_REPLY, [LONGEST_PROBLEM])
    first = answerer.worst(prompts.take(tool, persona), config)
    second = answerer.worst(longest, _doubled(config))
    return (first or 0.0) + (second or 0.0)


def _settled(reply: Reply, earlier: Reply | None = None) -> Take | NoTake:
    """Return what a seat ends with: a take that contradicts itself is kept, flagged, if the re-ask brought no better."""
    kept = reply.take or (earlier.take if earlier else None)
    if kept is not None:
        return kept
    if reply.no_take is None:
        raise AssertionError("a reply without a take says why")
    return reply.no_take


def _shown(record: _Record) -> str:
    last = record.completions[-1]
    return "" if last.finish is Finish.TRUNCATED else last.text


def _roomier(config: ModelConfig, record: _Record) -> ModelConfig:
    if record.completions[-1].finish is not Finish.TRUNCATED:
        return config
    return _doubled(config)


def _doubled(config: ModelConfig) -> ModelConfig:
    return config.model_copy(
        update={"max_output_tokens": min(2 * config.max_output_tokens, MOST_OUTPUT_TOKENS)}
    )
