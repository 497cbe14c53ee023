"""The panel that the settings describe: models, personas, prompts and checks, validated before anything is asked or written."""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panel.core.review import ReviewSetup
from panel.errors import SettingsError
from panel.orchestrator.models import REPLAY, beside_others, recorded_seat_models, resolve_model
from panel.prompts.folders import personas_folder, shipped, templates_folder
from panel.prompts.persona_files import load_personas, seat_roster
from panel.providers.recording import Manifest, Recording
from panel.report import ReportContext
from panel.settings.choice import choose_model
from panel.settings.secret import has_secret, read_secret
from panel.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from panel.checks import Finding
    from panel.core.persona import Persona
    from panel.core.review import PanelReview
    from panel.core.tool import Tool
    from panel.orchestrator.models import ResolvedModel
    from panel.settings.model import Settings
    from panel.settings.resolve import Resolved

    Checks = Callable[[PanelReview], tuple[Finding, ...]]

EPOCH_VARIABLE = "SOURCE_DATE_EPOCH"
PATHS = ("out", "record", "personas", "prompts")
OF_THE_USER = {"database_url", "data_dir", "editor"}


@dataclass(frozen=True, slots=True)
class PanelSetup:
    """Everything a run needs before any model is asked. `build_setup` makes one; nothing is paid for yet.

    `seat_models` holds, by persona, the models of seats that do not use the panel's; `personas` is the roster in order, and `available`
    all personas of the folder in force, by id.
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
        return ReviewSetup(
            **dict(self.model.ref),
            personas={persona.id: persona.digest for persona in self.personas},
            seat_models={persona: model.ref for persona, model in self.seat_models.items()},
        )

    @property
    def endpoints(self) -> dict[str, str | None]:
        """By model, the address where it is asked; None for the vendor's own."""
        return {model.ref.model: model.connection.base_url for model in self.models}

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

    def rehearse(self, tool: Tool) -> None:
        """Render every kind of prompt once, so that a faulty template or persona is found before any call.

        Raises:
            PanelError: a template cannot be rendered.
        """
        for persona in self.personas:
            prompts = self.model_of(persona).prompts
            prompts.take(tool, persona)
            prompts.reask(tool, persona, reply="{}", problems=["reply: rehearsal"])

    def secret_digest(self) -> str:
        """Return a digest of the user's secret, on which the fences in every prompt depend."""
        return hashlib.sha256(b"fences of a run" + read_secret(self.resolved.data_dir)).hexdigest()[:16]

    def stored_settings(self, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
        """Return the settings to store with a run, so that it can be resumed from any folder."""
        choice = self.model.choice
        name = f"{REPLAY}:{Path(choice.model).absolute()}" if choice.provider == REPLAY else str(choice)
        settings = self.settings.model_copy(update={"model": name})
        values = settings.model_dump(mode="json", exclude=OF_THE_USER)
        values |= {field: str(path.absolute()) for field in PATHS if (path := getattr(settings, field))}
        values |= {field: str(folder.absolute()) for field, folder in own_folders(self.resolved).items()}
        return {
            "settings": values,
            "setup": self.review_setup.model_dump(mode="json"),
            "endpoints": self.endpoints,
            "fences": self.secret_digest(),
            "model": str(choice),
            "models": list(self.endpoints),
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
        if stored["endpoints"] != self.endpoints:
            yield "the address of a provider"
        digest = self.secret_digest()
        if stored.get("fences", digest) != digest:
            yield "the user's secret (`secret` in the data folder), which every prompt rests on,"


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
    seat_models = recorded_seat_models(resolved, model, {persona.id for persona in personas})
    for persona, (_, name) in zip(personas, entries, strict=True):
        if name:
            own = choose_model(name, "the roster", os.environ)
            its = resolved if own.provider == choice.provider else beside_others(resolved, own.provider)
            seat_models[persona.id] = resolve_model(its, own, secret, to_ask=to_ask)
    manifest = _manifest(model, seat_models, secret, earlier) if recording and secret else None
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
        setup.rehearse(sample)
    return setup


def available_personas(resolved: Resolved) -> dict[str, Persona]:
    """Return all personas of the folder in force, by id."""
    return load_personas(personas_folder(resolved.settings.personas))


def own_folders(resolved: Resolved) -> dict[str, Path]:
    """Return the user's folders of personas and prompts that replace the shipped ones."""
    settings = resolved.settings
    found = {
        "personas": personas_folder(settings.personas),
        "prompts": templates_folder(settings.prompts),
    }
    return {name: folder for name, folder in found.items() if folder != shipped(name)}


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


def _manifest(
    model: ResolvedModel, seat_models: Mapping[str, ResolvedModel], secret: bytes, earlier: Manifest | None
) -> Manifest:
    """Return the manifest of the recording that is written.

    Raises:
        SettingsError: the folder holds a recording of something else.
    """
    if REPLAY in {one.connection.provider for one in (model, *seat_models.values())}:
        raise SettingsError("record: answers that are replayed are recorded already")
    manifest = Manifest(
        secret=secret.hex(),
        asked=model.ref,
        seat_models={persona: one.ref for persona, one in seat_models.items()},
    )
    if earlier is not None and earlier != manifest:
        raise SettingsError(
            f"record: the folder holds a recording of {earlier.asked.model} with other models, settings or prompts; "
            "choose another folder"
        )
    return manifest


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
