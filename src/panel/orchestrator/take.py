"""One seat: prompt, provider, and a valid take, with one re-ask that names the error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from panel.domain.completion import Finish
from panel.domain.reply import Outcome, Reply, ReplyContext, parse_reply
from panel.domain.take import NoTake, NoTakeReason, Provenance, Seat, Take
from panel.errors import ProviderDown, ProviderError, ProviderTimeout

if TYPE_CHECKING:
    from panel.domain.completion import Completion, ModelConfig
    from panel.domain.persona import Persona
    from panel.domain.prompt import Prompt
    from panel.domain.tool import Tool
    from panel.orchestrator.ports import Observer, Prompts
    from panel.providers.base import Provider

MOST_OUTPUT_TOKENS = 64_000


@dataclass(slots=True)
class Halt:
    """A request to start no further calls; those in flight finish.

    Attributes:
        reason: why, in words for the user; None as long as work goes on.
    """

    reason: str | None = None

    def set(self, reason: str) -> None:
        """Stop, for the first reason given."""
        self.reason = self.reason or reason


@dataclass(slots=True)
class _Answer:
    """What a seat has received so far."""

    completions: list[Completion] = field(default_factory=list)
    prompt: Prompt | None = None
    config: ModelConfig | None = None


@dataclass(frozen=True, slots=True)
class SeatAsker:
    """Asks single seats.

    Attributes:
        provider: who answers.
        prompts: makes the questions.
        config: what the model is asked with.
        roster: ids of all seats; a take must not speak as another of them.
        observer: is told how it goes.
        halt: set when the provider is down for good.
    """

    provider: Provider
    prompts: Prompts
    config: ModelConfig
    roster: tuple[str, ...]
    observer: Observer
    halt: Halt

    async def ask(self, tool: Tool, persona: Persona) -> Seat:
        """Return the seat with its take or with the reason why there is none; never raises a ProviderError."""
        answer = _Answer()
        self.observer.asked(tool, persona)
        try:
            outcome = await self._outcome(tool, persona, answer)
        except ProviderError as error:
            outcome = self._no_take(error)
        seat = Seat(
            persona=persona.id, name=persona.name, outcome=outcome, provenance=_provenance(answer, persona)
        )
        self.observer.answered(tool, seat)
        return seat

    async def _outcome(self, tool: Tool, persona: Persona, answer: _Answer) -> Take | NoTake:
        first = await self._reply(tool, persona, self.prompts.take(tool, persona), self.config, answer)
        if first.outcome is not Outcome.REPAIR:
            return _settled(first)
        self.observer.asked_again(tool, persona, first.problems)
        question = self.prompts.reask(tool, persona, _shown(answer), first.problems)
        try:
            second = await self._reply(tool, persona, question, _roomier(self.config, answer), answer)
        except ProviderError:
            if first.take is None:
                raise
            return first.take
        return _settled(second, first)

    async def _reply(
        self, tool: Tool, persona: Persona, prompt: Prompt, config: ModelConfig, answer: _Answer
    ) -> Reply:
        completion = await self.provider.complete(prompt, config)
        answer.completions.append(completion)
        answer.prompt, answer.config = prompt, config
        context = ReplyContext(
            persona=persona.id,
            roster=self.roster,
            canary=prompt.canary,
            tagline=tool.tagline,
            host=tool.host,
            mark=prompt.mark,
        )
        return parse_reply(completion.text, completion.finish, context, completion.detail)

    def _no_take(self, error: ProviderError) -> NoTake:
        if isinstance(error, ProviderDown):
            self.halt.set(str(error))
        timed_out = isinstance(error, ProviderTimeout)
        reason = NoTakeReason.TIMED_OUT if timed_out else NoTakeReason.PROVIDER_ERROR
        return NoTake(reason=reason, detail=str(error))


def not_asked(persona: Persona, reason: str) -> Seat:
    """Return the seat of a persona that was not asked because the run was halted."""
    outcome = NoTake(reason=NoTakeReason.PROVIDER_ERROR, detail=f"not asked: {reason}")
    return Seat(persona=persona.id, name=persona.name, outcome=outcome)


def _settled(reply: Reply, earlier: Reply | None = None) -> Take | NoTake:
    """Return what a seat ends with: a take that contradicts itself is kept, flagged, if the re-ask brought no better."""
    kept = reply.take or (earlier.take if earlier else None)
    if kept is not None:
        return kept
    if reply.no_take is None:
        raise AssertionError("a reply without a take says why")
    return reply.no_take


def _shown(answer: _Answer) -> str:
    last = answer.completions[-1]
    return "" if last.finish is Finish.TRUNCATED else last.text


def _roomier(config: ModelConfig, answer: _Answer) -> ModelConfig:
    if answer.completions[-1].finish is not Finish.TRUNCATED:
        return config
    return config.model_copy(
        update={"max_output_tokens": min(2 * config.max_output_tokens, MOST_OUTPUT_TOKENS)}
    )


def _provenance(answer: _Answer, persona: Persona) -> Provenance | None:
    if answer.prompt is None or answer.config is None:
        return None
    last = answer.completions[-1]
    first, *rest = [completion.usage for completion in answer.completions]
    return Provenance(
        provider=last.provider,
        model=last.model,
        config=answer.config,
        prompt_digest=answer.prompt.digest,
        persona_digest=persona.digest,
        asks=len(answer.completions),
        usage=sum(rest, first),
        request_ids=tuple(c.request_id for c in answer.completions if c.request_id),
    )
