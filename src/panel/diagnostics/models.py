"""Which models are asked, with which keys, where, and at what price."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from panel.core.money import dollars
from panel.core.review import EMBEDDED
from panel.diagnostics import Observation, note, ok, problem_if
from panel.errors import SettingsError
from panel.orchestrator.models import REPLAY, VENDOR_URL_VARIABLES
from panel.providers import HOSTED
from panel.providers.prices import Prices
from panel.settings.choice import KEY_VARIABLES, api_key
from panel.settings.model import masked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panel.diagnostics.case import Case

OTHERS_MAY = 0o077
MILLION = 1_000_000


def keys(case: Case) -> Iterator[Observation]:
    """Tell which keys there are, and nothing of what is in them."""
    for provider, variable in KEY_VARIABLES.items():
        try:
            key = api_key(provider, os.environ)
        except SettingsError as error:
            yield problem_if(provider in case.asked, str(error))
            continue
        if key is None:
            needs = "to ask" if provider in HOSTED else "if your server wants a key for"
            yield note(f"{variable} is not set", f"set it, or {variable}_FILE, {needs} {provider}")
        elif os.environ.get(variable, "").strip():
            yield ok(f"{variable} is set")
        else:
            yield from _key_file(f"{variable}_FILE")


def model(case: Case) -> Iterator[Observation]:
    """Tell which model is in force and why, and whether all is there that it takes to ask it."""
    yield ok(f"{case.choice} ({case.choice.why})")
    means = case.means
    if means.connection.recorded:
        yield ok(f"answers of {means.asked.model}, from the recording in {means.connection.folder}")


def other_models(case: Case) -> Iterator[Observation]:
    """Tell which seats ask another model, and whether the panel as a whole can sit."""
    for persona, means in case.cast.exceptions.items():
        yield ok(f"{persona} is asked of {means.asked.model}")


def addresses(case: Case) -> Iterator[Observation]:
    """Tell where providers are asked, above all where a key goes anywhere but to its vendor."""
    for means in case.models:
        provider, url = means.connection.provider, means.connection.base_url
        if url is None:
            continue
        if provider in VENDOR_URL_VARIABLES:
            yield note(
                f"{provider} is asked at {masked(url)}, set by {_source(case, provider)}; its key goes there"
            )
        else:
            yield ok(f"{provider} is asked at {masked(url)}")
    for provider, variable in VENDOR_URL_VARIABLES.items():
        if os.environ.get(variable) and provider not in case.asked:
            yield note(f"{variable} is set: {provider} would be asked at {masked(os.environ[variable])}")


def prices(case: Case) -> Iterator[Observation]:
    """Tell what the models cost."""
    for means in case.models:
        name = means.asked.model
        if means.connection.provider in {EMBEDDED, REPLAY}:
            yield ok(f"{name} costs nothing to ask")
            continue
        rates = Prices(means.connection.provider, means.connection.base_url).rates(means.config.model)
        if rates is None or rates.input is None or rates.output is None:
            yield note(f"the price of {name} is unknown", "what it costs will be shown as unknown")
            continue
        read, written = dollars(MILLION * rates.input), dollars(MILLION * rates.output)
        yield ok(f"{name}: {read} for a million tokens read, {written} for a million written")


def _key_file(variable: str) -> Iterator[Observation]:
    path = Path(os.environ[variable])
    yield ok(f"{variable} is set, and {path} holds a key")
    if os.name == "posix" and path.stat().st_mode & OTHERS_MAY:
        yield note(f"others than you may read or change {path}", f"run: chmod 600 {path}")


def _source(case: Case, provider: str) -> str:
    source = case.resolved.sources["base_url"]
    return source if case.resolved.settings.base_url else VENDOR_URL_VARIABLES[provider]
