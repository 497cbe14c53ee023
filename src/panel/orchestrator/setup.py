"""The composition root: from settings to a panel that can sit."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from panel import __version__
from panel.core.review import ReviewSetup
from panel.errors import SettingsError
from panel.orchestrator.models import REPLAY, elsewhere, recorded_seat_models, resolve_model
from panel.prompts.folders import personas_folder, shipped, templates_folder
from panel.prompts.persona_files import load_personas, seat_roster
from panel.providers.recording import Manifest, Recording
from panel.report import ReportContext
from panel.settings.choice import choose_model
from panel.settings.secret import has_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from panel.checks import Finding
    from panel.core.persona import Persona
    from panel.core.review import PanelReview
    from panel.orchestrator.models import ResolvedModel
    from panel.prompts.templates import PromptBook
    from panel.settings.choice import ModelChoice
    from panel.settings.resolve import Resolved

EPOCH_VARIABLE = "SOURCE_DATE_EPOCH"


@dataclass(frozen=True, slots=True)
class PanelSetup:
    """What a run needs before any model is asked: checked, and nothing paid for.

    Attributes:
        means: what it takes to ask the panel's model.
        seat_models: by persona, what it takes to ask another one.
        personas: the roster, in order.
        clock: tells the time of a review.
        record: the recording to keep answers in, and what it is of; None if none is made.
    """

    means: ResolvedModel
    seat_models: dict[str, ResolvedModel]
    personas: tuple[Persona, ...]
    clock: Callable[[], datetime]
    record: tuple[Recording, Manifest] | None = None

    @property
    def choice(self) -> ModelChoice:
        """The panel's model."""
        return self.means.choice

    @property
    def setup(self) -> ReviewSetup:
        """All that decides, beside the tool, what the panel answers; `Panel.setup` is the same."""
        return ReviewSetup(
            **dict(self.means.asked),
            personas={persona.id: persona.digest for persona in self.personas},
            seat_models={persona: means.asked for persona, means in self.seat_models.items()},
        )

    @property
    def prompts(self) -> PromptBook:
        """What makes the questions to it."""
        return self.means.prompts


def folders_in_force(resolved: Resolved) -> dict[str, Path]:
    """Return the folders of personas and prompts that take the place of the shipped ones."""
    settings = resolved.settings
    found = {
        "personas": personas_folder(settings.personas),
        "prompts": templates_folder(settings.prompts),
    }
    return {name: folder for name, folder in found.items() if folder != shipped(name)}


def available_personas(resolved: Resolved) -> dict[str, Persona]:
    """Return all personas of the folder in force by their ids."""
    return load_personas(personas_folder(resolved.settings.personas))


def review_checks(known: Mapping[str, Persona]) -> Callable[[PanelReview], tuple[Finding, ...]]:
    """Return the checks of a review, which know what each persona never says."""
    from panel.checks import check_review

    never_says = {persona.id: persona.never_says for persona in known.values()}
    return partial(check_review, never_says=never_says)


def build_setup(
    resolved: Resolved, known: Mapping[str, Persona], *, to_ask: bool = True, throwaway: bool = False
) -> PanelSetup:
    """Put together all that a run needs but the providers.

    Args:
        resolved: the settings.
        known: the personas to choose the roster from.
        to_ask: whether the providers will be asked, and so must have their keys.
        throwaway: whether a user who has no secret yet is given none: then the fences in the questions come from one that nobody keeps.

    Raises:
        PanelError: a setting, a persona or a template cannot be used.
    """
    settings = resolved.settings
    names, models = _roster(settings.roster)
    personas = seat_roster(known, names)
    clock = _clock()
    choice = choose_model(settings.model, resolved.sources["model"], os.environ)
    recording = Recording(settings.record) if settings.record and to_ask else None
    earlier = recording.manifest() if recording else None
    unkept = throwaway and not has_secret(resolved.data_dir)
    anew = secrets.token_bytes() if recording or unkept else None
    secret = bytes.fromhex(earlier.secret) if earlier else anew
    means = resolve_model(resolved, choice, secret, to_ask=to_ask)
    seat_models = recorded_seat_models(resolved, means, {persona.id for persona in personas})
    for persona, model in zip(personas, models, strict=True):
        if model:
            other = choose_model(model, "the roster", os.environ)
            settings_ = resolved if other.provider == choice.provider else elsewhere(resolved, other.provider)
            seat_models[persona.id] = resolve_model(settings_, other, secret, to_ask=to_ask)
    record = (recording, _manifest(means, seat_models, secret, earlier)) if recording and secret else None
    return PanelSetup(means, seat_models, personas, clock, record)


def _roster(entries: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of a roster's personas, and the model that each asks, blank for the panel's."""
    pairs = [entry.partition("=")[::2] for entry in entries]
    return tuple(name.strip() for name, _ in pairs), tuple(model.strip() for _, model in pairs)


def _manifest(
    means: ResolvedModel, seat_models: Mapping[str, ResolvedModel], secret: bytes, earlier: Manifest | None
) -> Manifest:
    """Return what is recorded.

    Raises:
        SettingsError: the folder holds a recording of something else.
    """
    if REPLAY in {one.connection.provider for one in (means, *seat_models.values())}:
        raise SettingsError("record: answers that are replayed are recorded already")
    manifest = Manifest(
        secret=secret.hex(),
        asked=means.asked,
        seat_models={persona: one.asked for persona, one in seat_models.items()},
    )
    if earlier is not None and earlier != manifest:
        raise SettingsError(
            f"record: the folder holds a recording of {earlier.asked.model} with other models, settings or prompts; "
            "choose another folder"
        )
    return manifest


def report_context(known: Iterable[Persona]) -> ReportContext:
    """Return what reports say beside the reviews themselves."""
    return ReportContext(
        generator=f"panel {__version__}", mottos={persona.id: persona.motto for persona in known}
    )


def _clock() -> Callable[[], datetime]:
    """Tell the time, or the one that SOURCE_DATE_EPOCH fixes so that equal runs give equal reports."""
    fixed = os.environ.get(EPOCH_VARIABLE)
    if not fixed:
        return lambda: datetime.now(UTC).replace(microsecond=0)
    try:
        then = datetime.fromtimestamp(int(fixed), UTC)
    except (ValueError, OverflowError, OSError):
        raise SettingsError(f"{EPOCH_VARIABLE}: expected seconds since 1970, got {fixed!r}") from None
    return lambda: then
