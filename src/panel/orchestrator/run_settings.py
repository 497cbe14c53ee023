"""What a run keeps of its settings, so that the same can be asked again later, from wherever that is."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panel.orchestrator.models import REPLAY
from panel.orchestrator.setup import folders_in_force
from panel.settings.secret import read_secret

if TYPE_CHECKING:
    from panel.orchestrator.setup import PanelSetup
    from panel.settings.choice import ModelChoice
    from panel.settings.resolve import Resolved

PATHS = ("out", "record", "personas", "prompts")
OF_THE_USER = {"database_url", "data_dir", "editor"}


def settings_of(resolved: Resolved, cast: PanelSetup, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
    """Return what a run keeps of its settings, so that it goes on with the same ones from wherever it is resumed."""
    settings = resolved.settings.model_copy(update={"model": _anywhere(cast.choice)})
    values = settings.model_dump(mode="json", exclude=OF_THE_USER)
    values |= {name: str(path.absolute()) for name in PATHS if (path := getattr(settings, name))}
    values |= {name: str(folder.absolute()) for name, folder in folders_in_force(resolved).items()}
    models = dict.fromkeys(means.asked.model for means in (cast.means, *cast.seat_models.values()))
    return {
        "settings": values,
        "setup": cast.setup.model_dump(mode="json"),
        "endpoints": endpoints_of(cast),
        "fences": fences_of(resolved),
        "model": str(cast.choice),
        "models": list(models),
        "roster": [persona.id for persona in cast.personas],
        "budget_usd": settings.budget,
        **more,
    }


def fences_of(resolved: Resolved) -> str:
    """Return a digest of the user's secret, from which each prompt's fences come: with another one, every prompt is another."""
    return hashlib.sha256(b"fences of a run" + read_secret(resolved.data_dir)).hexdigest()[:16]


def _anywhere(choice: ModelChoice) -> str:
    """Return a model as it is named from any folder: answers that are replayed lie in one."""
    return f"{REPLAY}:{Path(choice.model).absolute()}" if choice.provider == REPLAY else str(choice)


def endpoints_of(cast: PanelSetup) -> dict[str, str | None]:
    """Return where each model is asked, by its name; None for the vendor's own address."""
    return {
        means.asked.model: means.connection.base_url for means in (cast.means, *cast.seat_models.values())
    }
