"""One seat: prompt, provider, and a valid take, with one re-ask that names the error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from panel.core.completion import FinishReason, ModelRef, Usage
from panel.core.take import NoTake, NoTakeReason, Provenance, Seat, Take
from panel.errors import CallNotMade, OverBudget, ProviderDown, ProviderError, ProviderTimeout
from panel.prompts.reply_parser import Outcome, Reply, ReplyContext, parse_reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panel.core.completion import Completion, ModelConfig
    from panel.core.persona import Persona
    from panel.core.prompt import Prompt
    from panel.core.review import ReviewSetup
    from panel.core.tool import Tool
    from panel.prompts.templates import PromptBook
    from panel.providers.base import Provider, StopSignal, WorstCase

MOST_OUTPUT_TOKENS = 64_000

LONGEST_REPLY = "\x01" * 2_000
LONGEST_PROBLEM = "x" * 2_000
"""Stand-ins that price the largest possible re-ask: longer than any quoted reply or problem, in the characters that cost most."""


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
    """The model that a seat asks, and its prompts; `worst` returns the worst-case cost of one call in US dollars."""

    provider: Provider
    prompts: PromptBook
    config: ModelConfig
    worst: WorstCase | None = None

    @property
    def ref(self) -> ModelRef:
        """The model, its parameters and the version of its prompts, as reviews keep them."""
        return ModelRef(provider=self.provider.name, config=self.config, prompts=self.prompts.digest)


@dataclass(slots=True)
class SeatAsker:
    """Asks one seat of one tool. It sets `stop` when the provider is down for good."""

    model: SeatModel
    tool: Tool
    persona: Persona
    setup: ReviewSetup
    observer: Observer
    stop: StopSignal
    _last: tuple[Prompt, ModelConfig] | None = None
    _answers: list[tuple[Completion, Reply]] = field(default_factory=list)
    _failures: list[ProviderError] = field(default_factory=list)

    async def ask(self) -> Seat:
        """Return the seat with its take, or with the reason why it has none; never raises a ProviderError."""
        self.observer.asked(self.tool, self.persona)
        try:
            outcome = await self._outcome()
        except ProviderError as error:
            outcome = self._no_take(error)
        provenance = self._provenance(outcome)
        seat = Seat(persona=self.persona.id, name=self.persona.name, outcome=outcome, provenance=provenance)
        self.observer.answered(self.tool, seat)
        return seat

    async def _outcome(self) -> Take | NoTake:
        prompts, config = self.model.prompts, self.model.config
        completion, first = await self._answer(prompts.take(self.tool, self.persona), config)
        if first.outcome is not Outcome.REPAIR:
            return _final(first)
        self.observer.asked_again(self.tool, self.persona, first.problems)
        truncated = completion.finish is FinishReason.TRUNCATED
        shown = "" if truncated else completion.text
        reask = prompts.reask(self.tool, self.persona, shown, first.problems)
        try:
            _, second = await self._answer(reask, _doubled(config) if truncated else config)
        except CallNotMade:
            return _final(first)
        except ProviderError:
            if first.take is None:
                raise
            return first.take
        return _final(second, first)

    async def _answer(self, prompt: Prompt, config: ModelConfig) -> tuple[Completion, Reply]:
        self._last = prompt, config
        try:
            completion = await self.model.provider.complete(prompt, config)
        except ProviderError as error:
            self._failures.append(error)
            raise
        context = ReplyContext(
            persona=self.persona.id,
            roster=self.setup.roster,
            canary=prompt.canary,
            tagline=self.tool.tagline,
            host=self.tool.host,
            mark=prompt.mark,
        )
        reply = parse_reply(completion.text, completion.finish, context, completion.detail)
        self._answers.append((completion, reply))
        return completion, reply

    def _no_take(self, error: ProviderError) -> NoTake:
        reason = NoTakeReason.PROVIDER_ERROR
        if isinstance(error, ProviderDown):
            self.stop.set(str(error))
        elif isinstance(error, OverBudget):
            reason = NoTakeReason.OVER_BUDGET
        elif isinstance(error, ProviderTimeout):
            reason = NoTakeReason.TIMED_OUT
        return NoTake(reason=reason, detail=str(error))

    def _provenance(self, outcome: Take | NoTake) -> Provenance | None:
        completions = [completion for completion, _ in self._answers]
        attempts = sum(one.attempts for one in completions) + sum(one.attempts for one in self._failures)
        if self._last is None or not attempts:
            return None
        prompt, config = self._last
        last = completions[-1] if completions else None
        lost = Usage.lost(sum(error.lost_calls for error in self._failures))
        # The answer that was kept need not be the last.
        chosen = next((one for one, reply in self._answers if reply.take is outcome), None)
        return Provenance(
            provider=last.provider if last else self.model.provider.name,
            model=last.model if last else config.model,
            config=config,
            prompt_digest=prompt.digest,
            persona_digest=self.setup.personas[self.persona.id],
            asks=len(completions),
            attempts=attempts,
            usage=sum((one.usage for one in completions), lost),
            request_ids=tuple(one.request_id for one in completions if one.request_id),
            probabilities=chosen and chosen.probabilities,
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
    outcome = reply.take or (earlier and earlier.take) or reply.no_take
    if outcome is None:
        raise AssertionError("a reply without a take says why")
    return outcome


def _doubled(config: ModelConfig) -> ModelConfig:
    return config.model_copy(
        update={"max_output_tokens": min(2 * config.max_output_tokens, MOST_OUTPUT_TOKENS)}
    )
