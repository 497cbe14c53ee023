"""The panel that the settings describe: models, personas, prompts and checks, validated before anything is asked or written."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from panel.core.completion import ModelConfig, ModelRef
from panel.core.review import EMBEDDED, ReviewSetup
from panel.errors import InputError, Problem, SettingsError
from panel.prompts.files import (
    TEMPLATE_FILES,
    load_personas,
    personas_folder,
    seat_roster,
    shipped,
    templates_folder,
)
from panel.prompts.templates import PromptBook
from panel.providers import check_connection, hosted_providers, url_variables
from panel.providers.base import Connection
from panel.providers.recording import Manifest, Recording
from panel.report import ReportContext
from panel.settings.fields import server_address
from panel.settings.model_choice import api_key, choose_model
from panel.settings.resolve import PROJECT_FILE
from panel.settings.secret import has_secret, read_secret
from panel.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from panel.checks import Finding
    from panel.core.persona import Persona
    from panel.core.review import PanelReview
    from panel.core.tool import Tool
    from panel.providers.prices import Prices, Rates
    from panel.settings.fields import Settings
    from panel.settings.model_choice import ModelChoice
    from panel.settings.resolve import Resolved

    Checks = Callable[[PanelReview], tuple[Finding, ...]]

REPLAY = "replay"
EPOCH_VARIABLE = "SOURCE_DATE_EPOCH"
PATHS = ("out", "record", "personas", "prompts")
OF_THE_USER = {"database_url", "data_dir", "editor"}


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A model, ready to be asked; `provider` is the name that reports print: for a recording, the provider that originally answered."""

    choice: ModelChoice
    provider: str
    config: ModelConfig
    connection: Connection
    prompts: PromptBook

    @property
    def ref(self) -> ModelRef:
        """The model, its parameters and the version of its prompts, as reviews keep them."""
        return ModelRef(provider=self.provider, config=self.config, prompts=self.prompts.digest)

    @property
    def prices(self) -> Prices:
        """The prices of the provider's models; reading the list takes some tenths of a second."""
        from panel.providers.prices import Prices

        return Prices(self.connection.provider, self.connection.base_url)

    @property
    def rates(self) -> Rates | None:
        """The prices of the model, or None if they are unknown."""
        return self.prices.rates(self.config.model)


@dataclass(frozen=True, slots=True)
class PanelSetup:
    """Everything a run needs before any model is asked. `build_setup` makes one; nothing is paid for yet.

    `seat_models` holds, by persona, the models of seats that do not use the panel's; `personas` is the roster in order, and `available`
    all personas of the folder in use, by id.
    """

    resolved: Resolved
    model: ResolvedModel
    seat_models: dict[str, ResolvedModel]
    personas: tuple[Persona, ...]
    available: dict[str, Persona]
    clock: Callable[[], datetime]
    recording: tuple[Recording, Manifest] | None = None

    @property
    def settings(self) -> Settings:
        """The values of the settings."""
        return self.resolved.settings

    @property
    def models(self) -> tuple[ResolvedModel, ...]:
        """Every model that is asked, the panel's first."""
        return (self.model, *self.seat_models.values())

    @property
    def review_setup(self) -> ReviewSetup:
        """The models, prompts and personas, as reviews keep them."""
        return ReviewSetup.of(
            self.model.ref, self.personas, {persona: model.ref for persona, model in self.seat_models.items()}
        )

    @property
    def unpriced(self) -> list[str]:
        """The models whose price is unknown."""
        rates = {model.ref.model: model.rates for model in self.models}
        return [name for name, one in rates.items() if one is None or one.input is None or one.output is None]

    def model_of(self, persona: Persona) -> ResolvedModel:
        """Return the model that a seat asks."""
        return self.seat_models.get(persona.id, self.model)

    def checks(self, review: PanelReview) -> tuple[Finding, ...]:
        """Return the findings of all checks of a review."""
        return review_checks(self.available)(review)

    def stored_settings(self, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
        """Return the settings to store with a run, so that it can be resumed from any folder."""
        choice = self.model.choice
        name = f"{REPLAY}:{Path(choice.model).absolute()}" if choice.provider == REPLAY else str(choice)
        settings = self.settings.model_copy(update={"model": name})
        values = settings.model_dump(mode="json", exclude=OF_THE_USER)
        values |= {field: str(path.absolute()) for field in PATHS if (path := getattr(settings, field))}
        # A folder in the current one counts without being named, but not from another folder.
        folders = {
            "personas": personas_folder(settings.personas),
            "prompts": templates_folder(settings.prompts),
        }
        values |= {key: str(path.absolute()) for key, path in folders.items() if path != shipped(key)}
        return {
            "settings": values,
            "setup": self.review_setup.model_dump(mode="json"),
            "endpoints": self._endpoints(),
            "fences": self._secret_digest(),
            "model": str(choice),
            "models": list(self._endpoints()),
            "roster": [persona.id for persona in self.personas],
            "budget_usd": settings.budget,
            **more,
        }

    def changes_since(self, stored: Mapping[str, Any]) -> Iterator[str]:
        """Yield everything in which this set-up differs from the settings stored with a run."""
        then, now = ReviewSetup.model_validate(stored["setup"]), self.review_setup
        for persona in {**then.personas, **now.personas}:
            if then.personas.get(persona) != now.personas.get(persona):
                yield f"persona {persona}"
        if then.prompts != now.prompts:
            yield "the prompts"
        if (then.model, then.config) != (now.model, now.config):
            yield f"the model ({then.model})"
        if then.seat_models != now.seat_models:
            yield "the models of single seats"
        if stored["endpoints"] != self._endpoints():
            yield "the address of a provider"
        digest = self._secret_digest()
        if stored.get("fences", digest) != digest:
            yield "the user's secret (`secret` in the data folder), from which every prompt's fence is made,"

    def _endpoints(self) -> dict[str, str | None]:
        """Return, by model, the address where it is asked; None for the vendor's own."""
        return {model.ref.model: model.connection.base_url for model in self.models}

    def _secret_digest(self) -> str:
        """Return a digest of the user's secret, on which the fences in every prompt depend."""
        return hashlib.sha256(b"fences of a run" + read_secret(self.resolved.data_dir)).hexdigest()[:16]


def build_setup(
    resolved: Resolved,
    *,
    sample: Tool | None = None,
    to_ask: bool = True,
    dry: bool = False,
    fresh: bool = False,
) -> PanelSetup:
    """Return the panel that the settings describe, validated.

    Every prompt is rendered with the `sample`, if there is one. With `to_ask`, the models' keys must be set. With `dry`, nothing is
    written, and a user without a secret gets a temporary one. `fresh` excludes a recording.

    Raises:
        PanelError: a setting, a persona or a template is unusable, or a key is missing.
    """
    settings = resolved.settings
    if fresh and settings.record is not None:
        raise SettingsError(
            "--fresh and a recording exclude each other: record anew in another folder, without --fresh"
        )
    entries = [tuple(part.strip() for part in entry.partition("=")[::2]) for entry in settings.roster]
    available = available_personas(resolved)
    personas = seat_roster(available, [name for name, _ in entries])
    clock = _clock()
    choice = choose_model(settings.model, resolved.sources["model"], os.environ)
    recording = Recording(settings.record) if settings.record and to_ask else None
    earlier = recording.manifest() if recording else None
    throwaway = dry and not has_secret(resolved.data_dir)
    new_secret = secrets.token_bytes() if recording or throwaway else None
    secret = bytes.fromhex(earlier.secret) if earlier else new_secret
    model = resolve_model(resolved, choice, secret, to_ask=to_ask)
    seat_models = _recorded_seat_models(resolved, model, personas)
    for persona, (_, name) in zip(personas, entries, strict=True):
        if name:
            own = choose_model(name, "the roster", os.environ)
            its = resolved if own.provider == choice.provider else beside_others(resolved, own.provider)
            seat_models[persona.id] = resolve_model(its, own, secret, to_ask=to_ask)
    manifest = _new_manifest(model, seat_models, secret, earlier) if recording and secret else None
    setup = PanelSetup(
        resolved=resolved,
        model=model,
        seat_models=seat_models,
        personas=personas,
        available=available,
        clock=clock,
        recording=(recording, manifest) if recording and manifest else None,
    )
    if sample is not None:
        for persona in personas:
            prompts = setup.model_of(persona).prompts
            prompts.take(sample, persona)
            prompts.reask(sample, persona, reply="{}", problems=["reply: rehearsal"])
    return setup


def resolve_model(
    resolved: Resolved, choice: ModelChoice, secret: bytes | None, *, to_ask: bool
) -> ResolvedModel:
    """Return a model, ready to be asked.

    `secret` is the one behind the fences in its prompts, None for the user's own; with `to_ask`, the model's key must be set.

    Raises:
        PanelError: a setting or a template is unusable.
    """
    settings = resolved.settings
    connection = Connection(
        provider=choice.provider,
        base_url=_base_url(resolved, choice.provider),
        api_key=api_key(choice.provider, os.environ),
        timeout=settings.timeout,
        folder=Path(choice.model) if choice.provider == REPLAY else None,
        concurrency=settings.concurrency,
    )
    if to_ask:
        check_connection(connection)
    manifest = Recording(connection.folder).manifest() if connection.folder else None
    if manifest is not None:
        return _recorded_model(resolved, choice, connection, manifest.asked, manifest.secret)
    config = ModelConfig(
        model=Path(choice.model).name if choice.provider == REPLAY else choice.model,
        max_output_tokens=settings.max_output_tokens,
        effort=settings.effort,
        verbosity=settings.verbosity,
        seed=settings.seed,
    )
    prompts = prompt_book(resolved, scaffolded=choice.provider == EMBEDDED, secret=secret)
    return ResolvedModel(choice, choice.provider, config, connection, prompts)


def beside_others(resolved: Resolved, provider: str) -> Resolved:
    """Return the settings for one of several models: a `base_url` set for one's own server is not a vendor's."""
    if provider not in hosted_providers():
        return resolved
    return replace(resolved, settings=resolved.settings.model_copy(update={"base_url": None}))


def prompt_book(resolved: Resolved, *, scaffolded: bool, secret: bytes | None = None) -> PromptBook:
    """Open the prompt templates in force; the shipped ones stand in for templates that their folder lacks.

    `scaffolded` templates are those of the embedded model; `secret`, by default the user's own, is the one behind the fences.
    """
    folder = templates_folder(resolved.settings.prompts)
    if not any(folder.glob(TEMPLATE_FILES)):
        raise InputError([Problem(str(folder), f"holds no prompt templates ({TEMPLATE_FILES})")])
    own = secret or read_secret(resolved.data_dir)
    return PromptBook([folder, shipped("prompts")], own, scaffolded=scaffolded)


def available_personas(resolved: Resolved) -> dict[str, Persona]:
    """Return all personas of the folder in use, by id."""
    return load_personas(personas_folder(resolved.settings.personas))


def review_checks(available: Mapping[str, Persona]) -> Checks:
    """Return the checks of a review, given the personas and the phrases that each never uses."""
    from panel.checks import check_review

    return partial(
        check_review, never_says={persona.id: persona.never_says for persona in available.values()}
    )


def report_context(available: Iterable[Persona]) -> ReportContext:
    """Return the facts that reports state beside the reviews."""
    mottos = {persona.id: persona.motto for persona in available}
    return ReportContext(generator=f"panel {__version__}", mottos=mottos)


def _recorded_seat_models(
    resolved: Resolved, model: ResolvedModel, personas: Iterable[Persona]
) -> dict[str, ResolvedModel]:
    """Return, for the recording of a panel with several models, the models of those seats that had their own."""
    manifest = Recording(model.connection.folder).manifest() if model.connection.folder else None
    if manifest is None:
        return {}
    roster = {persona.id for persona in personas}
    return {
        persona: _recorded_model(resolved, model.choice, model.connection, ref, manifest.secret)
        for persona, ref in manifest.seat_models.items()
        if persona in roster
    }


def _recorded_model(
    resolved: Resolved, choice: ModelChoice, connection: Connection, ref: ModelRef, secret: str
) -> ResolvedModel:
    """Return the model whose answers a recording holds; raise `SettingsError` if it was made with other prompts."""
    prompts = prompt_book(resolved, scaffolded=ref.provider == EMBEDDED, secret=bytes.fromhex(secret))
    if prompts.digest != ref.prompts:
        raise SettingsError(
            f"{connection.folder} was recorded with other prompts than those in force; give their folder as --prompts, "
            "or record anew"
        )
    recorded = replace(connection, recorded=ref.provider)
    return ResolvedModel(choice, ref.provider, ref.config, recorded, prompts)


def _new_manifest(
    model: ResolvedModel, seat_models: Mapping[str, ResolvedModel], secret: bytes, earlier: Manifest | None
) -> Manifest:
    """Return the manifest of the recording to write; raise `SettingsError` if the folder holds one of something else."""
    if REPLAY in {one.connection.provider for one in (model, *seat_models.values())}:
        raise SettingsError("record: answers that are replayed are recorded already")
    refs = {persona: one.ref for persona, one in seat_models.items()}
    manifest = Manifest(secret=secret.hex(), asked=model.ref, seat_models=refs)
    if earlier is not None and earlier != manifest:
        raise SettingsError(
            f"record: the folder holds a recording of {earlier.asked.model} with other models, settings or prompts; "
            "choose another folder"
        )
    return manifest


def _base_url(resolved: Resolved, provider: str) -> str | None:
    """Return a provider's address, unless the settings file of a folder would send a vendor's key elsewhere."""
    url, source = resolved.settings.base_url, resolved.sources["base_url"]
    loopback = urlsplit(url or "").hostname in {"127.0.0.1", "::1", "localhost"}
    keyed = provider in hosted_providers() or (api_key(provider, os.environ) and not loopback)
    if url is not None and keyed and source.startswith(f"{PROJECT_FILE},"):
        raise SettingsError(
            f"base_url in {source} would send your {provider} key to {url}; if that is meant, give it as --base-url"
        )
    variable = url_variables().get(provider, "")
    return url or (server_address(variable, os.environ[variable]) if os.environ.get(variable) else None)


def _clock() -> Callable[[], datetime]:
    """Return a clock; SOURCE_DATE_EPOCH fixes it, so that equal runs give equal reports."""
    fixed = os.environ.get(EPOCH_VARIABLE)
    if not fixed:
        return lambda: datetime.now(UTC).replace(microsecond=0)
    try:
        then = datetime.fromtimestamp(int(fixed), UTC)
    except (ValueError, OverflowError, OSError):
        raise SettingsError(f"{EPOCH_VARIABLE}: expected seconds since 1970, got {fixed!r}") from None
    return lambda: then
