"""F1n: the kill test against a worker that is not durable, which it must detect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from durability.harness.database import DraftSnapshot
from durability.harness.world import SEATS, World
from durability.runs_kill import TOOLS, kill_loop
from durability.worker_careless import DUMP, loaded

if TYPE_CHECKING:
    from pathlib import Path

    from durability.harness.tally import Tally
    from durability.harness.world import Bench


class CarelessWorld(World):
    """A batch of the careless worker."""

    target = "durability.worker_careless:run"

    def kept(self, *, thorough: bool = False) -> DraftSnapshot:  # noqa: ARG002 - its signature
        """Return the content of its dump; it has no other store."""
        results = loaded(self.out / DUMP)
        answers = [answer["id"].split(".") for answer in results.values()]
        tools = len(results) // SEATS
        return DraftSnapshot(
            committed={question: int(times) for question, times in answers},
            calls={"answered": self.bench.ledger.page().starts},
            drafts=tools,
            takes=len(results),
            done=tools,
        )


def careless_loop(bench: Bench, folder: Path, *, kills: int, seed: int, tools: int = TOOLS) -> Tally:
    """Kill the careless worker again and again."""
    return kill_loop(bench, folder, kills=kills, seed=seed, tools=tools, kind=CarelessWorld, run="F1n")
