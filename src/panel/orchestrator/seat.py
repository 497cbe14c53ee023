"""One seat: prompt, provider, and a valid take, with one re-ask that names the error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from panel.core.completion import Finish, ModelRef, Usage
from panel.core.take import NoTake, NoTakeReason, Provenance, Seat, Take
from panel.errors import CallNotMade, OverBudget, ProviderDown, ProviderError, ProviderTimeout
from panel.prompts.reply_parser import Outcome, Reply, ReplyContext, parse_reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.completion import Completion, ModelConfig, Probabilities
    from panel.core.persona import Persona
    from panel.core.prompt import Prompt
    from panel.core.review import ReviewSetup
    from panel.core.tool import Tool
    from panel.providers.base import Provider, StopSignal
    from panel.providers.middleware.base import WorstCase

MOST_OUTPUT_TOKENS = 64_000

LONGEST_REPLY = "\x01" * 2_000
LONGEST_PROBLEM = "x" * 2_000
"""The reply and the problem in a worst-case re-ask: longer than any that is shown to a model, in the characters that cost most."""


class Prompts(Protocol):
    """Renders the prompts of one kind of model."""

    @property
    def digest(self) -> str:
        """The sha256 of the templates."""
        ...

    def take(self, tool: Tool, persona: Persona) -> Prompt:
        """Return the first prompt of a seat."""
        ...

    def reask(self, tool: Tool, persona: Persona, reply: str, problems: Sequence[str]) -> Prompt:
        """Return the prompt that follows an unusable reply."""
        ...


class Observer:
    """Progress of a run, seat by seat. Override what you need; methods must not block."""

    def asked(self, tool: Tool, persona: Persona) -> None:
        """A seat was asked."""

    def asked_again(self, tool: Tool, persona: Persona, problems: Sequence[str]) -> None:
        """A seat is asked again because its reply was unusable."""

    def answered(self, tool: Tool, seat: Seat) -> None:
        """A seat has ended, with a take or without."""

    def skipped(self, reason: str) -> None:
        """A tool is left out of a batch; the reason names it."""

    def waiting(self) -> None:
        """An answer is awaited that another run is asking for at this moment; called once a run."""


@dataclass(frozen=True, slots=True)
class SeatModel:
    """The model that a seat asks, and the prompts that suit it; `worst` returns the worst-case cost of one call in US dollars."""

    provider: Provider
    prompts: Prompts
    config: ModelConfig
    worst: WorstCase | None = None

    @property
    def ref(self) -> ModelRef:
        """The model, its parameters and the version of its prompts, as reviews keep them."""
        return ModelRef(provider=self.provider.name, config=self.config, prompts=self.prompts.digest)


@dataclass(slots=True)
class _Calls:
    """The calls of one seat so far."""

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
        """Return the probabilities of the answer that was kept, which need not be the last."""
        kept = (one for one, take in zip(self.completions, self.takes, strict=True) if take is outcome)
        return next((completion.probabilities for completion in kept), None)

    @property
    def usage(self) -> Usage:
        lost = Usage.lost(sum(error.lost_calls for error in self.failures))
        return sum((completion.usage for completion in self.completions), lost)


@dataclass(frozen=True, slots=True)
class SeatAsker:
    """Asks one seat at a time; `stop` is set when the provider is down for good."""

    model: SeatModel
    setup: ReviewSetup
    observer: Observer
    stop: StopSignal

    async def ask(self, tool: Tool, persona: Persona) -> Seat:
        """Return the seat with its take, or with the reason why it has none; never raises a ProviderError."""
        calls = _Calls()
        self.observer.asked(tool, persona)
        try:
            outcome = await self._outcome(tool, persona, calls)
        except ProviderError as error:
            outcome = self._no_take(error)
        seat = Seat(
            persona=persona.id,
            name=persona.name,
            outcome=outcome,
            provenance=self._provenance(calls, persona, outcome),
        )
        self.observer.answered(tool, seat)
        return seat

    async def _outcome(self, tool: Tool, persona: Persona, calls: _Calls) -> Take | NoTake:
        prompts, config = self.model.prompts, self.model.config
        first = await self._reply(tool, persona, prompts.take(tool, persona), config, calls)
        if first.outcome is not Outcome.REPAIR:
            return _final(first)
        self.observer.asked_again(tool, persona, first.problems)
        truncated = calls.completions[-1].finish is Finish.TRUNCATED
        shown = "" if truncated else calls.completions[-1].text
        reask = prompts.reask(tool, persona, shown, first.problems)
        try:
            second = await self._reply(tool, persona, reask, _doubled(config) if truncated else config, calls)
        except CallNotMade:
            return _final(first)
        except ProviderError:
            if first.take is None:
                raise
            return first.take
        return _final(second, first)

    async def _reply(
        self, tool: Tool, persona: Persona, prompt: Prompt, config: ModelConfig, calls: _Calls
    ) -> Reply:
        calls.prompt, calls.config = prompt, config
        try:
            completion = await self.model.provider.complete(prompt, config)
        except ProviderError as error:
            calls.failures.append(error)
            raise
        calls.completions.append(completion)
        context = ReplyContext(
            persona=persona.id,
            roster=self.setup.roster,
            canary=prompt.canary,
            tagline=tool.tagline,
            host=tool.host,
            mark=prompt.mark,
        )
        reply = parse_reply(completion.text, completion.finish, context, completion.detail)
        calls.takes.append(reply.take)
        return reply

    def _no_take(self, error: ProviderError) -> NoTake:
        reason = NoTakeReason.PROVIDER_ERROR
        if isinstance(error, ProviderDown):
            self.stop.set(str(error))
        elif isinstance(error, OverBudget):
            reason = NoTakeReason.OVER_BUDGET
        elif isinstance(error, ProviderTimeout):
            reason = NoTakeReason.TIMED_OUT
        return NoTake(reason=reason, detail=str(error))

    def _provenance(self, calls: _Calls, persona: Persona, outcome: Take | NoTake) -> Provenance | None:
        if calls.prompt is None or calls.config is None or not calls.attempts:
            return None
        last = calls.completions[-1] if calls.completions else None
        return Provenance(
            provider=last.provider if last else self.model.provider.name,
            model=last.model if last else calls.config.model,
            config=calls.config,
            prompt_digest=calls.prompt.digest,
            persona_digest=self.setup.personas[persona.id],
            asks=len(calls.completions),
            attempts=calls.attempts,
            usage=calls.usage,
            request_ids=tuple(c.request_id for c in calls.completions if c.request_id),
            probabilities=calls.probabilities_of(outcome),
        )


def not_asked(persona: Persona, reason: str) -> Seat:
    """Return the seat of a persona that was not asked because the run was stopped."""
    outcome = NoTake(reason=NoTakeReason.PROVIDER_ERROR, detail=f"not asked: {reason}")
    return Seat(persona=persona.id, name=persona.name, outcome=outcome)


def worst_seat_cost(model: SeatModel, tool: Tool, persona: Persona) -> float:
    """Return the worst-case cost of a seat, both of its calls, in US dollars; 0 where the price is unknown."""
    if model.worst is None:
        return 0.0
    reask = model.prompts.reask(tool, persona, LONGEST_REPLY, [LONGEST_PROBLEM])
    first = model.worst(model.prompts.take(tool, persona), model.config)
    second = model.worst(reask, _doubled(model.config))
    return (first or 0.0) + (second or 0.0)


def _final(reply: Reply, earlier: Reply | None = None) -> Take | NoTake:
    """Return the outcome of a seat; a take that contradicts itself is kept, flagged, if the re-ask brought no better one."""
    take = reply.take or (earlier.take if earlier else None)
    if take is not None:
        return take
    if reply.no_take is None:
        raise AssertionError("a reply without a take says why")
    return reply.no_take


def _doubled(config: ModelConfig) -> ModelConfig:
    return config.model_copy(
        update={"max_output_tokens": min(2 * config.max_output_tokens, MOST_OUTPUT_TOKENS)}
    )
