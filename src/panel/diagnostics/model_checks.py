"""Checks of the models in force: keys, addresses, prices, the embedded model, and one cheap call."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from panel.core.completion import Effort, FinishReason
from panel.core.prompt import Prompt
from panel.core.review import EMBEDDED
from panel.core.text import dollars
from panel.diagnostics.installation import Level, Observation, note, ok, problem
from panel.diagnostics.machine import SAMPLE
from panel.errors import (
    PanelError,
    ProviderBusy,
    ProviderDown,
    ProviderError,
    ProviderGarbled,
    ProviderTimeout,
    ProviderUnreachable,
    SettingsError,
)
from panel.orchestrator.setup import REPLAY
from panel.prompts.answer_json import ANSWER_SCHEMA
from panel.providers import hosted_providers, key_variables, offline_providers, open_provider, url_variables
from panel.providers.base import StopSignal
from panel.providers.local.weights import check_weights, find_weights, load_runtime, require_avx2
from panel.providers.middleware.rate_limit import CallLimits, RateLimiter
from panel.providers.middleware.stack import wrap_hosted, wrap_local
from panel.providers.prices import Prices
from panel.settings.fields import masked
from panel.settings.model_choice import api_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.core.completion import Completion, RateLimits
    from panel.diagnostics.installation import Installation

OTHERS_MAY = 0o077
MILLION = 1_000_000
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


def keys(installation: Installation) -> Iterator[Observation]:
    """Report which keys are set, never their content."""
    for provider, variable in key_variables().items():
        try:
            key = api_key(provider, os.environ)
        except SettingsError as error:
            yield problem(str(error), needed=provider in installation.asked)
            continue
        if key is None:
            needs = "to ask" if provider in hosted_providers() else "if your server wants a key for"
            yield note(f"{variable} is not set", f"set it, or {variable}_FILE, {needs} {provider}")
        elif os.environ.get(variable, "").strip():
            yield ok(f"{variable} is set")
        else:
            path = Path(os.environ[f"{variable}_FILE"])
            yield ok(f"{variable}_FILE is set, and {path} holds a key")
            if os.name == "posix" and path.stat().st_mode & OTHERS_MAY:
                yield note(f"other users may read or change {path}", f"run: chmod 600 {path}")


def model(installation: Installation) -> Iterator[Observation]:
    """Report the model in force, the reason, and anything missing to call it."""
    yield ok(f"{installation.choice} ({installation.choice.why})")
    model = installation.model
    if model.connection.recorded:
        yield ok(f"answers of {model.ref.model}, from the recording in {model.connection.folder}")


def other_models(installation: Installation) -> Iterator[Observation]:
    """Report the seats on another model, and anything missing for the panel as a whole."""
    for persona, model in installation.setup.seat_models.items():
        yield ok(f"{persona} is asked of {model.ref.model}")


def addresses(installation: Installation) -> Iterator[Observation]:
    """Report the address of each provider, with a note where a vendor's key goes to another address."""
    resolved = installation.resolved
    for model in installation.models:
        provider, url = model.connection.provider, model.connection.base_url
        if url is not None and provider in url_variables():
            source = resolved.sources["base_url"] if resolved.settings.base_url else url_variables()[provider]
            yield note(f"{provider} is asked at {masked(url)}, set by {source}; its key goes there")
        elif url is not None:
            yield ok(f"{provider} is asked at {masked(url)}")
    for provider, variable in url_variables().items():
        if os.environ.get(variable) and provider not in installation.asked:
            yield note(f"{variable} is set: {provider} would be asked at {masked(os.environ[variable])}")


def prices(installation: Installation) -> Iterator[Observation]:
    """Report the price of each model."""
    for model in installation.models:
        name, connection = model.ref.model, model.connection
        if connection.provider in offline_providers():
            yield ok(f"{name} costs nothing to ask")
            continue
        rates = Prices(connection.provider, connection.base_url).rates(model.config.model)
        if rates is None or rates.input is None or rates.output is None:
            yield note(f"the price of {name} is unknown", "what it costs will be shown as unknown")
            continue
        read, written = dollars(MILLION * rates.input), dollars(MILLION * rates.output)
        yield ok(f"{name}: {read} for a million tokens read, {written} for a million written")


def embedded_model(installation: Installation) -> Iterator[Observation]:
    """Compare the SHA-256 digest of the weights, and load the runtime if this processor supports it."""

    def weights() -> str:
        path = find_weights()
        check_weights(path)
        return f"{path.name}: {path.stat().st_size / MILLION:.0f} MB, whole by its sha256"

    def runtime() -> str:
        find_weights()
        require_avx2()
        load_runtime()
        return "its runtime loads, and the processor and libgomp are as it needs them"

    for check in (weights, runtime):
        try:
            yield ok(check())
        except PanelError as error:
            yield problem(str(error), needed=EMBEDDED in installation.asked)


def ask(installation: Installation) -> Iterator[Observation]:
    """Make one cheap call to the model in force and report the outcome."""
    if installation.choice.provider == REPLAY:
        yield note("answers come from files, so there is no model to call")
        return
    began = time.monotonic()
    try:
        completion = asyncio.run(_answer(installation))
    except ProviderError as error:
        cause = error.__cause__ if isinstance(error.__cause__, ProviderError) else error
        advice = next(_ADVICE[kind] for kind in type(cause).__mro__ if kind in _ADVICE)
        yield Observation(Level.FAILED, str(error), advice)
        return
    seconds, usage = time.monotonic() - began, completion.usage
    hosted = installation.choice.provider not in offline_providers()
    price = " at an unknown price" if usage.cost_usd is None else f" for {dollars(usage.cost_usd)}"
    about = "about " if usage.estimated else ""
    tokens = f"{about}{usage.input_tokens:,} tokens read and {usage.output_tokens:,} written"
    yield ok(f"{completion.model} answered in {seconds:.1f} s: {tokens}{price if hosted else ''}")
    if completion.attempts > 1:
        yield note(f"it took {completion.attempts} attempts")
    if completion.finish is FinishReason.TRUNCATED:
        limit = f"cut off at {FEWEST_TOKENS} tokens, the limit of this test"
        yield note(f"the answer was {limit}; it tells no more")
    elif completion.finish is not FinishReason.COMPLETE:
        ended = f"the answer ended as {completion.finish.value}"
        yield note(ended, "see whether a review fares better")
    elif not _keeps_to_schema(completion.text):
        advice = "seats that answer like this are asked again, and may end without a take"
        yield note("the answer is not the JSON that was asked for", advice)
    if hosted:
        yield ok(_limits(completion.limits))


async def _answer(installation: Installation) -> Completion:
    """Return the answer of a provider that is opened as a run would open it, without a recording."""
    model, settings = installation.model, installation.resolved.settings
    adapter = open_provider(model.connection)
    limits = CallLimits(settings.concurrency, settings.requests_per_minute, settings.tokens_per_minute)
    limiter, attempts, prompt = RateLimiter(limits, StopSignal()), 1 + settings.retries, QUESTION
    if adapter.scaffolded:
        provider = wrap_local(adapter, limiter)
        prompt = model.prompts.take(SAMPLE, installation.setup.personas[0])
    else:
        url = model.connection.base_url
        provider = wrap_hosted(adapter, limiter, timeout=settings.timeout, attempts=attempts, base_url=url)
    cheap = model.config.model_copy(update={"max_output_tokens": FEWEST_TOKENS, "effort": Effort.LOW})
    try:
        return await provider.complete(prompt, cheap)
    finally:
        await provider.aclose()


def _keeps_to_schema(text: str) -> bool:
    try:
        answer = json.loads(text)
    except ValueError:
        return False
    return isinstance(answer, dict) and set(answer) == set(ANSWER_SCHEMA["properties"])


def _limits(limits: RateLimits | None) -> str:
    if limits is None:
        return "its headers give no rate limits"
    calls = _allowance("calls", limits.requests_per_minute, limits.requests_left)
    tokens = _allowance("tokens", limits.tokens_per_minute, limits.tokens_left)
    return f"its headers allow {calls} and {tokens} a minute"


def _allowance(unit: str, allowed: int | None, left: int | None) -> str:
    amount = f"{allowed:,} {unit}" if allowed is not None else f"an unknown number of {unit}"
    return f"{amount} ({left:,} left)" if left is not None else amount
