"""One cheap call to the model in force."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

from panel.core.completion import Effort, Finish
from panel.core.money import dollars
from panel.core.prompt import Prompt
from panel.core.review import EMBEDDED
from panel.diagnostics import Level, Observation, note, ok
from panel.diagnostics.materials import SAMPLE
from panel.errors import (
    ProviderBusy,
    ProviderDown,
    ProviderError,
    ProviderGarbled,
    ProviderTimeout,
    ProviderUnreachable,
)
from panel.orchestrator.models import REPLAY
from panel.prompts.answer_schema import ANSWER_SCHEMA
from panel.providers import open_provider
from panel.providers.base import StopSignal
from panel.providers.middleware.rate_limit import Pace, RateLimiter
from panel.providers.middleware.stack import Policy, dependable, metered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.core.completion import Completion, RateLimits, Usage
    from panel.diagnostics.case import Case
    from panel.providers.base import Provider

FEWEST_TOKENS = 256
QUESTION = Prompt(
    label="doctor",
    system="This is a test of the connection. Nothing is under review.",
    shared="Answer with one JSON object.\n\n",
    own=(
        'In it, `recusal` is "a test", `evidence` is an empty list, `reasoning` is "a test", and `take`, `score` and `verdict` '
        "are null."
    ),
    answer_schema=ANSWER_SCHEMA,
)
_ADVICE: dict[type[ProviderError], str] = {
    ProviderTimeout: "try again later, or allow more time with PANEL_TIMEOUT",
    ProviderBusy: "try again later; if it stays so, set PANEL_CONCURRENCY or PANEL_REQUESTS_PER_MINUTE lower",
    ProviderUnreachable: "check the network, the proxy and the address",
    ProviderGarbled: "check the address: something else may answer in the provider's place",
    ProviderDown: "check the key, the account, the name of the model and the address",
    ProviderError: "check the name of the model, and what it can do",
}


def ask(case: Case) -> Iterator[Observation]:
    """Ask the model in force a trivial question, and tell what came of it."""
    if case.choice.provider == REPLAY:
        yield note("answers come from files, so there is nobody to ask")
        return
    began = time.monotonic()
    try:
        completion = asyncio.run(_answered(case))
    except ProviderError as error:
        yield Observation(Level.FAILED, str(error), _advice(error))
        return
    seconds = time.monotonic() - began
    hosted = case.choice.provider != EMBEDDED
    price = f" {_price(completion.usage)}" if hosted else ""
    yield ok(f"{completion.model} answered in {seconds:.1f} s: {_consumption(completion.usage)}{price}")
    yield from _peculiarities(completion)
    if hosted:
        yield _limits(completion.limits)


async def _answered(case: Case) -> Completion:
    means = case.means
    provider = _opened(case)
    cheap = means.config.model_copy(update={"max_output_tokens": FEWEST_TOKENS, "effort": Effort.LOW})
    try:
        prompt = means.prompts.take(SAMPLE, case.cast.personas[0]) if provider.scaffolded else QUESTION
        return await provider.complete(prompt, cheap)
    finally:
        await provider.aclose()


def _opened(case: Case) -> Provider:
    """Open the provider as a run would, and ask it without a recording."""
    settings, connection = case.resolved.settings, case.means.connection
    adapter = open_provider(connection)
    halt = StopSignal()
    gate = RateLimiter(
        Pace(settings.concurrency, settings.requests_per_minute, settings.tokens_per_minute), halt
    )
    if adapter.scaffolded:
        return metered(adapter, gate)
    policy = Policy(settings.timeout, 1 + settings.retries, gate)
    return dependable(adapter, policy, halt, connection.base_url)


def _advice(error: ProviderError) -> str:
    """Return what to do about an error, or about the one behind it that stopped the run."""
    cause = error.__cause__ if isinstance(error.__cause__, ProviderError) else error
    return next(_ADVICE[kind] for kind in type(cause).__mro__ if kind in _ADVICE)


def _consumption(usage: Usage) -> str:
    about = "about " if usage.estimated else ""
    return f"{about}{usage.input_tokens:,} tokens read and {usage.output_tokens:,} written"


def _price(usage: Usage) -> str:
    return "at an unknown price" if usage.cost_usd is None else f"for {dollars(usage.cost_usd)}"


def _peculiarities(completion: Completion) -> Iterator[Observation]:
    if completion.attempts > 1:
        yield note(f"it took {completion.attempts} attempts")
    if completion.finish is Finish.TRUNCATED:
        yield note(
            f"the answer was cut off at {FEWEST_TOKENS} tokens, the limit of this test; it tells no more"
        )
    elif completion.finish is not Finish.COMPLETE:
        yield note(f"the answer ended as {completion.finish.value}", "see whether a review fares better")
    elif not _keeps_to_schema(completion.text):
        yield note(
            "the answer is not the JSON that was asked for",
            "seats that answer like this are asked again, and may end without a take",
        )


def _keeps_to_schema(text: str) -> bool:
    try:
        answer = json.loads(text)
    except ValueError:
        return False
    return isinstance(answer, dict) and set(answer) == set(ANSWER_SCHEMA["properties"])


def _limits(limits: RateLimits | None) -> Observation:
    if limits is None:
        return ok("its headers say nothing of rate limits")
    calls = _allowance("calls", limits.requests_per_minute, limits.requests_left)
    tokens = _allowance("tokens", limits.tokens_per_minute, limits.tokens_left)
    return ok(f"its headers allow {calls} and {tokens} a minute")


def _allowance(what: str, allowed: int | None, left: int | None) -> str:
    amount = f"{allowed:,} {what}" if allowed is not None else f"an unknown number of {what}"
    return f"{amount} ({left:,} left)" if left is not None else amount
