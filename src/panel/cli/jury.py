"""The same panel on several models: one sitting for each, and what they say of a tool side by side."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from panel.cli.console import result, width
from panel.cli.output import COMPARISONS
from panel.cli.sitting import Sitting
from panel.core.comparison import Comparison
from panel.core.text import slugify
from panel.errors import SettingsError
from panel.orchestrator.models import elsewhere
from panel.report import comparison_reports, comparison_text
from panel.settings.choice import choose_model
from panel.settings.resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from panel.cli.sitting import Keeping, Voice
    from panel.core.review import PanelReview
    from panel.core.tool import Tool

FEWEST, MOST = 2, 6


def runs(
    flags: Mapping[str, Any], config: Path | None, models: str | None, voice: Voice, keeping: Keeping
) -> list[Sitting]:
    """Return the sittings of a command: one, or one for each model that `--models` names.

    Raises:
        PanelError: a setting cannot be used, or the models are too few, too many or named twice.
    """
    if models is None:
        return [Sitting(resolve(flags, config), voice, keeping)]
    if "model" in flags:
        raise SettingsError("--model and --models exclude each other; name all models in --models")
    names = [name.strip() for name in models.split(",")]
    if not FEWEST <= len(names) <= MOST or not all(names):
        raise SettingsError(f"--models takes {FEWEST} to {MOST} different models, separated by commas")
    choices = [choose_model(name, "--models", os.environ) for name in names]
    if len({slugify(str(choice)) for choice in choices}) < len(choices):
        raise SettingsError(f"--models takes {FEWEST} to {MOST} different models, separated by commas")
    mixed = len({choice.provider for choice in choices}) > 1
    return [_run(dict(flags), config, str(choice), voice, keeping, mixed=mixed) for choice in choices]


def side_by_side(
    sitting: Sitting, tools: Sequence[Tool], reviews: Sequence[PanelReview], color: bool | None
) -> None:
    """Write what the models say of each tool, and print it unless color is None."""
    for tool in tools:
        same = tuple(review for review in reviews if review.tool == tool and review.answered)
        if len(same) < FEWEST:
            continue
        comparison = Comparison(reviews=same)
        known = [sitting.known_of(review) for review in same]
        reports = comparison_reports(comparison, sitting.context, known)
        paths = sitting.outputs.write(COMPARISONS, comparison.slug, reports)
        if color is not None:
            result(comparison_text(comparison, width(), known, color=color))
            result("\n".join(f"Wrote {path}" for path in reversed(paths)))


def _run(
    flags: dict[str, Any], config: Path | None, model: str, voice: Voice, keeping: Keeping, *, mixed: bool
) -> Sitting:
    resolved = resolve(flags | {"model": model}, config)
    name = slugify(model)
    if resolved.settings.record is not None:
        resolved = resolve(flags | {"model": model, "record": resolved.settings.record / name}, config)
    if mixed:
        resolved = elsewhere(resolved, model.partition(":")[0])
    return Sitting(resolved, voice, keeping, ending=f"-by-{name}")
