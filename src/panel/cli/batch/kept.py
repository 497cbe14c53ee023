"""A run that was begun earlier: its settings, and what is left of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from panel.cli.batch.runs import BATCHES
from panel.core.review import ReviewSetup
from panel.errors import SettingsError
from panel.orchestrator.run_settings import endpoints_of, fences_of
from panel.orchestrator.stores import use_store
from panel.settings.resolve import Resolved, resolve

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from panel.core.tool import Tool
    from panel.orchestrator.setup import PanelSetup
    from panel.store import Run, Store


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run that was begun earlier.

    Attributes:
        run: the run.
        resolved: the settings it was begun with, and what was changed now.
        first: the first of the tools that are left, or None.
        todo: how many are left.
    """

    run: Run
    resolved: Resolved
    first: Tool | None
    todo: int

    def flag(self, name: str) -> bool:
        """Whether the run was begun with a flag."""
        return bool(self.run.settings.get(name))

    def require_same(self, cast: PanelSetup) -> None:
        """Check that the run would ask the same of the same.

        Raises:
            SettingsError: a persona, a prompt or a model has changed since it was begun.
        """
        changed = list(self._changed(cast))
        if changed:
            raise SettingsError(
                f"{', '.join(changed)} changed since run {self.run.id} was begun, and a run is never a mixture; "
                "put it back, or begin a new run: answers that are still right are not paid for again"
            )

    def _changed(self, cast: PanelSetup) -> Iterator[str]:
        then, now = ReviewSetup.model_validate(self.run.settings["setup"]), cast.setup
        for persona in {**then.personas, **now.personas}:
            if then.personas.get(persona) != now.personas.get(persona):
                yield f"persona {persona}"
        if then.prompts != now.prompts:
            yield "the prompts"
        if (then.model, then.config) != (now.model, now.config):
            yield f"the model ({then.model})"
        if then.seat_models != now.seat_models:
            yield "the models of single seats"
        if self.run.settings["endpoints"] != endpoints_of(cast):
            yield "the address of a provider"
        fences = fences_of(self.resolved)
        if self.run.settings.get("fences", fences) != fences:
            yield "the user's secret (`secret` in the data folder), which every prompt rests on,"


def kept_run(
    run: int, changes: Mapping[str, Any], config: Path | None, anew: Collection[str] = ()
) -> KeptRun:
    """Return a run with the settings it was begun with.

    Args:
        run: its number.
        changes: settings that are other than then.
        anew: settings that are those in force now, whatever they were then.
        config: settings file that takes the place of `./panel.yaml`, for the address of the store.

    Raises:
        PanelError: there is no such batch, or its settings cannot be used.
    """

    async def read(store: Store) -> tuple[Run, Tool | None, int]:
        kept = await require_run(store, run)
        following = await store.runs.next_tools(run, limit=1)
        return kept, following[0].tool if following else None, (await store.run_stats.progress(run)).todo

    kept, first, todo = use_store(resolve({}, config), read)
    then = {name: value for name, value in kept.settings["settings"].items() if name not in anew}
    resolved = resolve({**then, **changes}, config)
    sources = resolved.sources | dict.fromkeys(then.keys() - changes.keys(), f"run {run}")
    return KeptRun(kept, Resolved(resolved.settings, sources), first, todo)


async def require_run(store: Store, run: int) -> Run:
    """Return a batch that can be worked on.

    Raises:
        SettingsError: there is none of this number, it is no batch, or its tools were never added in full.
    """
    from panel.store import RunState

    line = await store.run_stats.summary(run)
    if line is None or line.kind not in BATCHES:
        raise SettingsError(f"there is no batch {run}; `panel batch list` shows which there are")
    if line.state is RunState.MAKING:
        raise SettingsError(
            f"run {run} was interrupted while its tools were added, and asked nothing; begin it again with panel batch run"
        )
    return line
